"""The SQL of doctors' hours on a date: the date's own, else the weekly ones unless it is closed then."""

_WEEKLY = """
    w.doctor_id = :doctor AND w.weekday = extract(isodow FROM CAST(:date AS date))
    AND (w.valid_from_on IS NULL OR w.valid_from_on <= :date)
    AND (w.valid_until_on IS NULL OR w.valid_until_on >= :date)
    AND NOT EXISTS (SELECT FROM date_overrides x WHERE x.doctor_id = :doctor AND x.on_date = :date)
"""
_CLOSED = "k.on_date = :date AND coalesce(k.location_id, w.location_id) = w.location_id"
_ON_DATE = f"""
    SELECT x.opens_at, x.closes_at, x.location_id
    FROM date_overrides x JOIN locations l ON l.id = x.location_id AND l.is_active
    WHERE x.doctor_id = :doctor AND x.on_date = :date AND x.opens_at IS NOT NULL
    UNION ALL
    SELECT w.opens_at, w.closes_at, w.location_id
    FROM weekly_hours w JOIN locations l ON l.id = w.location_id AND l.is_active
    WHERE {_WEEKLY} AND NOT EXISTS (SELECT FROM closures k WHERE {_CLOSED})
"""
_CLOSING = f"SELECT FROM weekly_hours w JOIN closures k ON {_CLOSED} WHERE {_WEEKLY}"
_OF_DAYS = f"""
    SELECT x.doctor_id, day.on_date, x.location_id, x.opens_at, x.closes_at
    FROM day JOIN date_overrides x ON x.on_date = day.on_date AND x.opens_at IS NOT NULL
    UNION ALL
    SELECT w.doctor_id, day.on_date, w.location_id, w.opens_at, w.closes_at FROM day CROSS JOIN weekly_hours w
    WHERE {_WEEKLY} AND NOT EXISTS (SELECT FROM closures k WHERE {_CLOSED})
"""


def on_date(doctor: str, date: str) -> str:
    """A query for the stretches (opens_at, closes_at, location_id) in wall time; both are SQL expressions.

    At a place that is no longer active nobody works. On a day on which a place is closed, weekly hours there
    do not count.
    """
    return _ON_DATE.replace(":doctor", doctor).replace(":date", date)


def closing(doctor: str, date: str) -> str:
    """A query that has a row where a closed day takes weekly hours of that date from the doctor."""
    return _CLOSING.replace(":doctor", doctor).replace(":date", date)


def of_days() -> str:
    """A query for every doctor's stretches on the dates of a table `day`, at whatever place they were.

    Rows are doctor_id, on_date, location_id, opens_at, closes_at. Places that were given up since count: what
    was offered there then was.
    """
    return _OF_DAYS.replace(":doctor", "w.doctor_id").replace(":date", "day.on_date")
