"""A doctor's hours: every week, on single dates, time off and closed days; and what a change would strand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import (
    absences,
    availability,
    closures,
    date_hours,
    provider_hours,
    slot_previews,
    strandings,
    stretches,
    unsettled,
)
from core.absences import AbsenceOver, EndsBeforeItBegins
from core.closures import ClosedAlready, NameMissing, UnknownCountry
from core.date_hours import SameWeek
from core.errors import AccessDenied
from core.i18n import speaking
from core.offers import Rule
from core.provider_hours import DayOver, HoursChanged, PlaceClosed
from core.stretches import HoursOverlap, NoHours, Stretch, UpsideDown
from core.unsettled import LeavesVisits
from db.models import Appointment, Closure, TimeOff, WeeklyHours
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

TODAY, WEDNESDAY, NEXT_WEEK = date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 10)
DAY = timedelta(days=1)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Wednesday at ten with Dr. Roth, who works then."""
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """What a click that is refused leaves behind: nothing."""
    nested = session.begin_nested()
    yield
    nested.rollback()


def place(session: Session) -> int:
    return make.main_location(session).id


def like(session: Session, *days: int, hours: str = "9-12, 13-17") -> dict[int, list[Stretch]]:
    return {day: stretches.parsed(hours, place(session), day="") for day in days}


def shown(version: provider_hours.Version) -> dict[int, str]:
    return {day: ", ".join(map(str, of_day)) for day, of_day in version.week.items() if of_day}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("9-12", "09:00–12:00"),
        ("9-12, 13-17:30", "09:00–12:00, 13:00–17:30"),
        ("13.00 – 17.00; 08:15—12h00", "08:15–12:00, 13:00–17:00"),
        ("9am to 12.30pm and 2 pm - 5 pm", "09:00–12:30, 14:00–17:00"),
        ("0800-1200", "08:00–12:00"),
        ("22-24", "22:00–23:59"),
        ("", ""),
    ],
)
def test_hours_are_understood_as_people_write_them(written: str, meant: str) -> None:
    parsed = stretches.parsed(written, 1, day="Monday")
    assert ", ".join(map(str, parsed)) == meant
    assert stretches.parsed(stretches.written(parsed, 1), 1, day="") == parsed


@pytest.mark.parametrize(
    "written", ["all day", "9", "9-", "25-26", "9-12 x", "9-12-15", "9:75-10", "13pm-14"]
)
def test_what_is_no_hours_is_told_with_the_day(written: str) -> None:
    with pytest.raises(NoHours, match="Monday: "):
        stretches.parsed(written, 1, day="Monday")


@pytest.mark.parametrize(
    ("written", "error", "told"),
    [
        ("9-12 11-13", HoursOverlap, "Wednesday: 09:00–12:00 and 11:00–13:00"),
        ("12-9", UpsideDown, "Wednesday"),
    ],
)
def test_hours_that_cannot_be_are_told_with_their_day(
    session: Session, cast: Cast, written: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        provider_hours.set_week(
            session,
            cast.roth,
            doctor_id=cast.dr_roth.id,
            week=like(session, 3, hours=written),
            from_on=TODAY,
        )


def test_a_week_from_a_date_leaves_the_days_before_it_as_they_are(session: Session, cast: Cast) -> None:
    provider_hours.set_week(
        session,
        cast.roth,
        doctor_id=cast.dr_roth.id,
        week=like(session, 2, hours="8-12"),
        from_on=date(2026, 7, 1),
    )
    now, later = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).versions
    assert (now.until_on, shown(now)[1]) == (date(2026, 6, 30), "09:00–12:00, 13:00–17:00")
    assert (later.from_on, later.until_on, shown(later)) == (date(2026, 7, 1), None, {2: "08:00–12:00"})


def test_a_week_for_some_time_leaves_what_comes_after_it(session: Session, cast: Cast) -> None:
    wanted = {"doctor_id": cast.dr_roth.id, "week": like(session, 2, hours="8-12")}
    provider_hours.set_week(
        session, cast.roth, **wanted, from_on=date(2026, 7, 1), until_on=date(2026, 7, 31)
    )
    versions = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).versions
    assert [(each.from_on, len(shown(each))) for each in versions] == [
        (None, 5),
        (date(2026, 7, 1), 1),
        (date(2026, 8, 1), 5),
    ]
    provider_hours.set_week(session, cast.roth, **wanted | {"week": {}}, from_on=date(2026, 7, 15))
    versions = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).versions
    assert [(each.from_on, len(shown(each))) for each in versions] == [
        (None, 5),
        (date(2026, 7, 1), 1),
        (date(2026, 7, 15), 0),
    ]


def test_whoever_saves_second_is_told_that_the_hours_have_changed(session: Session, cast: Cast) -> None:
    wanted = {"doctor_id": cast.dr_roth.id, "from_on": TODAY}
    edition = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).edition
    provider_hours.set_week(session, cast.desk, **wanted, week=like(session, 2), edition=edition)
    with pytest.raises(HoursChanged):
        provider_hours.set_week(session, cast.roth, **wanted, week=like(session, 4), edition=edition)
    [version] = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).versions
    assert set(shown(version)) == {2}


def test_nobody_changes_what_is_over_nor_works_where_nothing_is(session: Session, cast: Cast) -> None:
    wanted = {"doctor_id": cast.dr_roth.id, "week": like(session, 2)}
    with pytest.raises(DayOver):
        provider_hours.set_week(session, cast.roth, **wanted, from_on=TODAY - DAY)
    make.main_location(session).is_active = False
    with pytest.raises(PlaceClosed, match="Main house"):
        provider_hours.set_week(session, cast.roth, **wanted, from_on=TODAY)


def test_hours_are_not_saved_over_visits_that_nobody_has_seen(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    wanted = {"doctor_id": cast.dr_roth.id, "week": like(session, 1, 2, 4), "from_on": TODAY}
    foreseen = unsettled.foreseen(session, cast.roth, provider_hours.set_week, **wanted)
    assert [each.id for each in foreseen.visits] == [visit.id]
    assert strandings.find(session) == {}, "nothing was saved by looking"
    with undone(session), pytest.raises(LeavesVisits, match="1 visit without hours"):
        provider_hours.set_week(session, cast.roth, **wanted)
    provider_hours.set_week(session, cast.roth, **wanted, accepting=[visit.id])
    assert set(strandings.find(session)) == {visit.id}


def test_what_cannot_be_saved_is_foreseen_as_a_sentence(session: Session, cast: Cast) -> None:
    week = like(session, 1, hours="9-12 10-11")
    foreseen = unsettled.foreseen(
        session, cast.roth, provider_hours.set_week, doctor_id=cast.dr_roth.id, week=week, from_on=TODAY
    )
    assert (foreseen.visits, foreseen.refusal[:7]) == ([], "Monday:")


def test_hours_are_saved_as_they_are_written(session: Session, cast: Cast) -> None:
    other = make.location(session).id
    own = {"doctor_id": cast.dr_roth.id, "from_on": TODAY}
    typed = {(1, place(session)): "9-12", (1, other): "14-18", (2, place(session)): ""}
    provider_hours.set_typed_week(session, cast.roth, **own, typed=typed)
    [version] = provider_hours.known(session, cast.roth, doctor_id=cast.dr_roth.id).versions
    assert [(str(each), each.location_id) for each in version.week[1]] == [
        ("09:00–12:00", place(session)),
        ("14:00–18:00", other),
    ]
    with pytest.raises(HoursOverlap, match="Monday"):
        provider_hours.set_typed_week(session, cast.roth, **own, typed=typed | {(1, other): "11-13"})
    foreseen = unsettled.foreseen(
        session,
        cast.roth,
        date_hours.set_typed_dates,
        doctor_id=cast.dr_roth.id,
        dates=[WEDNESDAY],
        typed={other: "soon"},
    )
    assert foreseen.refusal.startswith("Wed, Jun 3: please write hours like")


def test_dates_have_hours_of_their_own_until_they_are_cleared(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    own = {"doctor_id": cast.dr_roth.id, "dates": [WEDNESDAY]}
    afternoon = stretches.parsed("14-16", place(session), day="")
    with undone(session), pytest.raises(LeavesVisits):
        date_hours.set_dates(session, cast.roth, **own, of_day=afternoon)
    date_hours.set_dates(session, cast.roth, **own, of_day=afternoon, accepting=[visit.id])
    assert date_hours.ahead(session, cast.roth, doctor_id=cast.dr_roth.id) == {WEDNESDAY: afternoon}
    date_hours.set_dates(session, cast.roth, **own, of_day=[])
    assert date_hours.ahead(session, cast.roth, doctor_id=cast.dr_roth.id) == {WEDNESDAY: []}
    date_hours.clear_dates(session, cast.roth, **own)
    assert strandings.find(session) == {}


def test_of_two_who_change_a_date_the_second_is_told(session: Session, cast: Cast) -> None:
    own = {"doctor_id": cast.dr_roth.id, "dates": [WEDNESDAY]}
    weeks = [*date_hours.week(WEDNESDAY), *date_hours.week(NEXT_WEEK)]
    seen = date_hours.of_dates(session, cast.roth, doctor_id=cast.dr_roth.id, dates=weeks)
    of_wednesday = {WEDNESDAY: seen[WEDNESDAY]}
    typed = {location_id: "14-16" for *_times, location_id in seen[WEDNESDAY]}
    date_hours.set_typed_dates(session, cast.roth, **own, typed=typed, seen=of_wednesday)
    changes: list[Callable[[], None]] = [
        lambda: date_hours.set_typed_dates(session, cast.desk, **own, typed=typed, seen=of_wednesday),
        lambda: date_hours.clear_dates(session, cast.desk, **own, seen=of_wednesday),
        lambda: date_hours.copy_week(
            session, cast.desk, doctor_id=cast.dr_roth.id, from_on=WEDNESDAY, to_on=NEXT_WEEK, seen=seen
        ),
    ]
    for change in changes:
        with undone(session), pytest.raises(HoursChanged):
            change()
    now = date_hours.of_dates(session, cast.desk, doctor_id=cast.dr_roth.id, dates=[WEDNESDAY])
    assert [(each.opens_at.hour, each.closes_at.hour) for each in now[WEDNESDAY]] == [(14, 16)]
    date_hours.clear_dates(session, cast.desk, **own, seen=now)
    assert date_hours.ahead(session, cast.roth, doctor_id=cast.dr_roth.id) == {}


def test_a_week_is_made_like_another(session: Session, cast: Cast) -> None:
    doctor_id = cast.dr_roth.id
    make.override(session, cast.dr_roth, WEDNESDAY, "10:00-11:00")
    date_hours.copy_week(session, cast.roth, doctor_id=doctor_id, from_on=WEDNESDAY, to_on=NEXT_WEEK)
    own = date_hours.ahead(session, cast.roth, doctor_id=doctor_id)
    assert {day: list(map(str, of_day)) for day, of_day in own.items()} == {
        WEDNESDAY: ["10:00–11:00"],
        NEXT_WEEK: ["10:00–11:00"],
    }, "only what differs from every week"
    with pytest.raises(SameWeek):
        date_hours.copy_week(session, cast.roth, doctor_id=doctor_id, from_on=TODAY, to_on=WEDNESDAY)
    with pytest.raises(DayOver):
        date_hours.copy_week(
            session, cast.roth, doctor_id=doctor_id, from_on=TODAY, to_on=TODAY - timedelta(days=7)
        )


def test_time_off_is_whole_days_or_hours_and_a_second_click_adds_nothing(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    own = {"doctor_id": cast.dr_roth.id, "from_on": WEDNESDAY, "until_on": WEDNESDAY, "reason": "  A course "}
    with undone(session), pytest.raises(LeavesVisits):
        absences.take_time_off(session, cast.roth, **own)
    absence = absences.take_time_off(session, cast.roth, **own, accepting=[visit.id])
    assert (absence.starts_at, absence.ends_at, absence.reason) == (on(3, 0), on(4, 0), "A course")
    assert absences.take_time_off(session, cast.roth, **own).id == absence.id
    absences.withdraw(session, cast.roth, absence_id=absence.id)
    assert absences.ahead(session, cast.roth, doctor_id=cast.dr_roth.id) == []
    assert strandings.find(session) == {}
    hours = {"from_time": time(10, 30), "until_time": time(12)}
    assert absences.take_time_off(session, cast.roth, **own, **hours).starts_at == on(3, 10, 30)


def test_time_off_that_is_over_or_ends_before_it_begins_is_refused(session: Session, cast: Cast) -> None:
    own = {"doctor_id": cast.dr_roth.id}
    with pytest.raises(AbsenceOver):
        absences.take_time_off(session, cast.roth, **own, from_on=TODAY - DAY, until_on=TODAY - DAY)
    with pytest.raises(EndsBeforeItBegins):
        absences.take_time_off(session, cast.roth, **own, from_on=WEDNESDAY, until_on=TODAY)


def test_of_time_off_that_has_begun_the_rest_is_taken_back(session: Session, cast: Cast) -> None:
    absence = absences.take_time_off(
        session, cast.desk, doctor_id=cast.dr_roth.id, from_on=TODAY, until_on=WEDNESDAY
    )
    with time_is(on(2, 12)):
        absences.withdraw(session, cast.desk, absence_id=absence.id)
        assert session.get_one(TimeOff, absence.id).ends_at == on(2, 12)
        with pytest.raises(AbsenceOver):
            absences.withdraw(session, cast.desk, absence_id=absence.id)


def test_doctors_set_their_own_hours_only(session: Session, cast: Cast) -> None:
    with pytest.raises(AccessDenied):
        absences.take_time_off(session, cast.weiss, doctor_id=cast.dr_roth.id, from_on=TODAY, until_on=TODAY)


def test_a_closed_day_says_whom_it_leaves_without_hours_and_is_closed_once(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    outing = {WEDNESDAY: " Works  outing "}
    foreseen = unsettled.foreseen(session, cast.admin, closures.close, days=outing)
    assert [each.id for each in foreseen.visits] == [visit.id]
    assert closures.close(session, cast.admin, days=outing, accepting=[visit.id]) == 1
    [closed] = closures.ahead(session, cast.ada)
    assert (closed.on_date, closed.name) == (WEDNESDAY, "Works outing")
    with pytest.raises(ClosedAlready):
        closures.close(session, cast.admin, days=outing)
    assert closures.close(session, cast.admin, days=outing | {WEDNESDAY + DAY: "Bridge day"}) == 1
    closures.reopen(session, cast.admin, closure_id=closed.id)
    assert strandings.find(session) == {}
    with pytest.raises(NameMissing):
        closures.close(session, cast.admin, days={WEDNESDAY: " "})


def test_public_holidays_are_those_of_the_country_and_region_in_the_readers_language(
    session: Session, cast: Cast
) -> None:
    assert closures.home_country(session) == "DE"
    with speaking("en_GB"):
        berlin = closures.public_holidays("DE", "BE", 2026)
        bavaria = closures.public_holidays("DE", "BY", 2026)
    assert berlin[date(2026, 3, 8)] == "Women's Day"
    assert date(2026, 3, 8) not in bavaria
    assert bavaria[date(2026, 1, 6)] == "Epiphany"
    with pytest.raises(UnknownCountry):
        closures.public_holidays("XX", None, 2026)
    with pytest.raises(UnknownCountry):
        closures.public_holidays("DE", "Texas", 2026)


def test_a_preview_says_of_every_time_whether_it_is_free_or_why_not(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.time_off(session, cast.dr_roth, on(3, 14), on(3, 15))
    session.add(Closure(on_date=WEDNESDAY + DAY, name="Outing"))
    wanted = slot_previews.Wanted(cast.dr_roth.id, cast.checkup.id, TODAY)
    preview = slot_previews.week(session, cast.roth, wanted=wanted)
    rules = {(cell.on, cell.wall): cell.rule for cell in preview.cells}
    assert rules[WEDNESDAY, time(9)] is None
    assert rules[WEDNESDAY, time(10)] is Rule.TAKEN
    assert rules[WEDNESDAY, time(12, 30)] is Rule.OUTSIDE_HOURS
    assert rules[WEDNESDAY, time(14, 30)] is Rule.TIME_OFF
    assert rules[WEDNESDAY + DAY, time(9)] is Rule.CLOSED
    assert rules[TODAY, time(9, 30)] is Rule.SHORT_NOTICE
    assert preview.free == sum(rule is None for rule in rules.values()) > 20
    assert "at least 2 hours" in next(each.why for each in preview.cells if each.rule is Rule.SHORT_NOTICE)


def test_a_preview_agrees_with_the_rules_everywhere(session: Session, cast: Cast, visit: Appointment) -> None:
    cast.checkup.needs_room = True
    make.room(session)
    visit.room_id = make.room(session).id
    make.override(session, cast.dr_roth, WEDNESDAY, "08:10-11:00 20:00-21:00")
    wanted = slot_previews.Wanted(cast.dr_roth.id, cast.checkup.id, TODAY)
    for cell in slot_previews.week(session, cast.roth, wanted=wanted).cells:
        at = on(cell.on.day, cell.wall.hour, cell.wall.minute)
        told = availability.why_not(
            session, doctor_id=cast.dr_roth.id, service_id=cast.checkup.id, starts_at=at
        )
        assert cell.rule == told, at


def test_a_change_is_previewed_as_if_it_were_saved(session: Session, cast: Cast, visit: Appointment) -> None:
    foreseen = unsettled.foreseen(
        session,
        cast.roth,
        provider_hours.set_week,
        previewing=slot_previews.Wanted(cast.dr_roth.id, cast.checkup.id, TODAY),
        doctor_id=cast.dr_roth.id,
        week=like(session, 5, hours="10-11"),
        from_on=TODAY,
    )
    assert foreseen.preview is not None
    assert [(each.on, each.wall) for each in foreseen.preview.cells if each.rule is None] == [
        (date(2026, 6, 5), time(10)),
        (date(2026, 6, 5), time(10, 30)),
    ]
    assert [each.id for each in foreseen.visits] == [visit.id]
    rows = session.scalars(select(WeeklyHours).where(WeeklyHours.doctor_id == cast.dr_roth.id)).all()
    assert len(rows) == 10
    assert (
        session.scalar(text("SELECT count(*) FROM audit_entries WHERE action = 'set a doctor''s hours'")) == 0
    )
