"""The reception's board: every visit of a day, and all that is shown of some of them."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core import access, audit, clinics, wall_time
from core.access import Action, Actor
from db.models import AppointmentStatus
from db.session import run

_STATUSES = {each.value: each for each in AppointmentStatus}
# Of what was not called off, missed visits alone are not live. Along the index by doctor, hence the array.
_ROWS = """
SELECT a.id, a.status, a.starts_at, a.ends_at, a.arrived_at, a.in_room_at, a.patient_id,
       a.doctor_id, u.name AS doctor, a.room_id,
       CASE WHEN a.status IN ('confirmed', 'arrived') THEN (
        SELECT max(CAST(n.details ->> 'minutes' AS int)) FROM notifications n
        WHERE n.appointment_id = a.id AND n.kind = 'running_late' AND n.time_version = a.time_version
        AND n.status NOT IN ('undelivered', 'failed', 'cancelled')) END AS told_minutes
FROM appointments a JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id
WHERE a.doctor_id = ANY (ARRAY(SELECT id FROM doctors))
  AND a.starts_at >= %(begins)s AND a.starts_at < %(ends)s AND a.status NOT IN ('cancelled', 'expired')
ORDER BY a.starts_at, a.id
"""
# What a visit comes to is what `core.ledger.left_to_pay` says; a first visit is what `core.terms` calls one.
_DETAILS = """
SELECT a.id, p.name AS patient, s.name AS service, r.name AS room,
       o.is_offered, a.overbook_reason IS NOT NULL AS is_overbooked,
       CAST(CASE WHEN o.is_offered THEN 0 ELSE greatest(0, CASE
           WHEN NOT m.was_invoiced AND a.status <> 'no_show' THEN a.price_minor
           ELSE m.invoiced_minor END - m.received_minor) END AS bigint) AS owed_minor,
       NOT EXISTS (
           SELECT FROM appointments b WHERE b.patient_id = a.patient_id AND b.id <> a.id
           AND b.status IN ('arrived', 'in_room', 'completed')) AS is_first_visit,
       a.attending_at,
       a.attending_at IS NOT NULL AND (EXISTS (
           SELECT FROM appointment_events e WHERE e.appointment_id = a.id AND e.kind = 'attending'
           AND e.at >= a.attending_at AND e.by_user_id IS NULL)
        OR EXISTS (
           SELECT FROM inbound_messages i WHERE i.appointment_id = a.id
           AND i.received_at <= a.attending_at AND i.settled_at >= a.attending_at)) AS is_by_text
FROM appointments a
JOIN patients p ON p.id = a.patient_id
JOIN services s ON s.id = a.service_id
LEFT JOIN rooms r ON r.id = a.room_id
CROSS JOIN LATERAL (
    SELECT a.status = 'pending' AND EXISTS (
        SELECT FROM waitlist_offers w WHERE w.appointment_id = a.id AND w.state = 'open') AS is_offered) o
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'invoice'), 0) > 0 AS was_invoiced,
           coalesce(sum(amount_minor) FILTER (WHERE kind IN ('invoice', 'credit')), 0) AS invoiced_minor,
           -coalesce(sum(amount_minor) FILTER (WHERE kind NOT IN ('invoice', 'credit')), 0) AS received_minor
    FROM ledger_entries WHERE appointment_id = a.id) m
WHERE a.id = ANY (%(ids)s)
"""
# Where a row's version lies and which transaction wrote it change with every change of it, whatever it is.
# Ledger and events are only ever added to: whatever else becomes of money and of earlier visits is in them.
_FINGERPRINT = """
WITH visits AS (
    SELECT a.id, a.patient_id, a.ctid, a.xmin FROM appointments a
    WHERE a.doctor_id = ANY (ARRAY(SELECT id FROM doctors))
      AND a.starts_at >= %(begins)s AND a.starts_at < %(ends)s
), versions AS (
    SELECT 'a', id, ctid, xmin FROM visits
    UNION ALL SELECT 'p', p.id, p.ctid, p.xmin FROM visits JOIN patients p ON p.id = patient_id
    UNION ALL SELECT 'n', n.id, n.ctid, n.xmin FROM visits
    JOIN notifications n ON n.appointment_id = visits.id AND n.kind = 'running_late'
    UNION ALL SELECT 'u', u.id, u.ctid, u.xmin FROM doctors d JOIN users u ON u.id = d.user_id
    UNION ALL SELECT 's', id, ctid, xmin FROM services
    UNION ALL SELECT 'r', id, ctid, xmin FROM rooms
    UNION ALL SELECT 'w', id, ctid, xmin FROM waitlist_offers WHERE state = 'open'
)
SELECT count(*), coalesce(sum(hashtextextended(CAST(versions AS text), 0)), 0),
       (SELECT coalesce(max(id), 0) FROM ledger_entries),
       (SELECT coalesce(max(id), 0) FROM appointment_events)
FROM versions
"""


class Row(NamedTuple):
    """A visit of the day: all that is needed to order visits and to foresee when they begin. Times are UTC.

    `told_minutes` is the longest delay that the patient of a visit to come has been told of, None where none.
    """

    id: int
    status: AppointmentStatus
    starts_at: datetime
    ends_at: datetime
    arrived_at: datetime | None
    in_room_at: datetime | None
    patient_id: int
    doctor_id: int
    doctor: str
    room_id: int | None
    told_minutes: int | None


class Details(NamedTuple):
    """What else is shown of a visit; sums are in minor units.

    `is_by_text` is whether a patient who says that they come has said so in a text, be it that the desk has
    read it first.
    """

    patient: str
    service: str
    room: str | None
    is_offered: bool
    is_overbooked: bool
    owed_minor: int
    is_first_visit: bool
    attending_at: datetime | None
    is_by_text: bool


def rows(session: Session, actor: Actor, *, on: date) -> list[Row]:
    """Every doctor's visits that start on a day of the clinic and were not called off, in order of time.

    The trail keeps that somebody looked at the board.
    """
    access.require(actor, Action.SEE_DAY)
    audit.record_read(session, actor, Action.SEE_DAY, kind="clinic", number=1)
    found = run(session, _ROWS, _bounds(session, on), binary=True)
    return [Row(number, _STATUSES[status], *rest) for number, status, *rest in found]


def details(session: Session, actor: Actor, *, visit_ids: Sequence[int]) -> dict[int, Details]:
    """The rest about visits of `rows`, by number: of a full day only a few are shown.

    It is asked a moment after `rows`: of a visit that is gone since there is nothing.
    """
    access.require(actor, Action.SEE_DAY)
    found = run(session, _DETAILS, {"ids": list(visit_ids)}, binary=True)
    return {number: Details(*rest) for number, *rest in found}


def fingerprint(session: Session, actor: Actor, *, on: date) -> str:
    """What changes whenever anything changes that the board of a day shows, and perhaps more often.

    It reads no more than which versions the rows have, which is a fraction of what reading them costs.
    """
    access.require(actor, Action.SEE_DAY)
    [marks] = run(session, _FINGERPRINT, _bounds(session, on))
    return f"{on}:{':'.join(map(str, marks))}"


def _bounds(session: Session, on: date) -> dict[str, Any]:
    zone = clinics.zone(session)
    begins, ends = (
        wall_time.instant_reached(zone, datetime.combine(each, time()))
        for each in (on, on + timedelta(days=1))
    )
    return {"begins": begins, "ends": ends}
