"""How far clocks are from UTC: on every hour of a year what the zone itself says."""

from bisect import bisect
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import day_parts, wall_time


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("Europe/Berlin", 2026),
        ("Australia/Lord_Howe", 2026),
        ("Africa/Casablanca", 2026),
        ("Pacific/Apia", 2011),
    ],
)
def test_offsets_are_those_that_clocks_have(name: str, year: int) -> None:
    zone = ZoneInfo(name)
    changes = wall_time.offsets(zone, date(year, 1, 1), date(year, 12, 31))
    assert len(changes) > 1
    begins = [at for at, _offset in changes]
    for half_hours in range(365 * 48):
        at = datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=30) * half_hours
        assert changes[bisect(begins, at) - 1][1] == at.astimezone(zone).utcoffset()


@pytest.mark.parametrize(("name", "year"), [("Europe/Berlin", 2026), ("Pacific/Apia", 2011)])
def test_days_begin_where_the_ones_before_end_and_their_hours_fill_them(name: str, year: int) -> None:
    zone = ZoneInfo(name)
    for number in range(365):
        begins_at, ends_at = day_parts.bounds_of(zone, date(year, 1, 1) + timedelta(days=number))
        hours = day_parts.slices_of(zone, date(year, 1, 1) + timedelta(days=number))
        assert sum((each.ends_at - each.begins_at for each in hours), timedelta()) == ends_at - begins_at
        for each in hours:
            assert each.begins_at.astimezone(zone).hour == each.hour
