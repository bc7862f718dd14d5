"""Visits that the hours no longer cover: found by looking, so that no change of hours can miss one.

They stay on the list until they are moved, called off, covered again, or kept on purpose.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from core import access, agendas, appointment_events, audit, clinics, clock, hours, placements, wall_time
from core.access import Action, Actor
from core.audit import Event
from core.availability import LONGEST_HORIZON
from core.errors import ClinicError
from core.i18n import N_
from db.models import Appointment, ChoiceLink, KeptVisit
from db.session import run

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LOOKED_AT = "id, time_version, doctor_id, service_id, room_id, location_id, starts_at, ends_at"
# Nearly every visit lies within the hours of the week on a day like any other. Those are set aside first,
# many at once; only for the others the day is looked at as closely as it takes.
# A cause names what causes it, so that a later one of the same kind is another: the day's hours as they are,
# the number of the absence or of the closed day.
_STRANDED = f"""
WITH stretch AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(%(wall_to)s AS timestamp[]), CAST(%(offsets)s AS interval[]),
        CAST(%(next_offsets)s AS interval[]), CAST(%(begins_at)s AS timestamptz[]),
        CAST(%(ends_at)s AS timestamptz[])
    ) AS t (wall_to, utc_offset, next_offset, begins_at, resumes_at)
), visit AS MATERIALIZED (
    SELECT a.*, stretch.*, CAST(a.starts_at AT TIME ZONE 'UTC' + utc_offset AS date) AS on_date,
           CAST(a.starts_at AT TIME ZONE 'UTC' + utc_offset AS time) AS wall
    FROM (
        SELECT {_LOOKED_AT} FROM appointments WHERE status = 'confirmed' AND starts_at > %(since)s
        UNION ALL
        SELECT {_LOOKED_AT} FROM appointments WHERE status = 'pending' AND starts_at > %(since)s
    ) AS a
    JOIN stretch ON a.starts_at >= begins_at AND a.starts_at < resumes_at
    WHERE (CAST(%(doctor_id)s AS int) IS NULL OR a.doctor_id = %(doctor_id)s)
      AND (CAST(%(appointment_id)s AS int) IS NULL OR a.id = %(appointment_id)s)
), usual AS MATERIALIZED (
    SELECT v.id
    FROM visit v
    JOIN doctor_services o ON o.doctor_id = v.doctor_id AND o.service_id = v.service_id
    JOIN weekly_hours w ON w.doctor_id = v.doctor_id AND w.location_id = v.location_id
        AND w.weekday = CAST(extract(isodow FROM v.on_date) AS int)
        AND (w.valid_from_on IS NULL OR w.valid_from_on <= v.on_date)
        AND (w.valid_until_on IS NULL OR w.valid_until_on >= v.on_date)
        AND w.opens_at <= v.wall AND v.wall < w.closes_at AND v.on_date + w.closes_at < v.wall_to
        AND v.ends_at <= (v.on_date + w.closes_at - v.utc_offset) AT TIME ZONE 'UTC'
    WHERE v.doctor_id NOT IN (SELECT id FROM doctors WHERE NOT is_active)
      AND v.service_id NOT IN (SELECT id FROM services WHERE NOT is_active)
      AND v.location_id NOT IN (SELECT id FROM locations WHERE NOT is_active)
      AND (v.room_id IS NULL OR v.room_id NOT IN (SELECT id FROM rooms WHERE NOT is_active))
      AND v.on_date NOT IN (SELECT on_date FROM closures)
      AND (v.doctor_id, v.on_date) NOT IN (SELECT doctor_id, on_date FROM date_overrides)
      AND NOT EXISTS (SELECT FROM time_off t
                      WHERE t.doctor_id = v.doctor_id AND t.ends_at > v.starts_at AND t.starts_at < v.ends_at)
), caused AS (
    SELECT v.id, v.time_version, array_remove(ARRAY[
        CASE WHEN NOT d.is_active THEN 'doctor' END,
        CASE WHEN NOT s.is_active OR o.service_id IS NULL THEN 'service' END,
        CASE WHEN NOT r.is_active THEN 'room:' || r.id END,
        CASE WHEN h.covers IS NOT TRUE THEN
            coalesce((SELECT 'closed:' || min(k.id) FROM closures k
                      WHERE k.on_date = v.on_date AND coalesce(k.location_id, v.location_id) = v.location_id
                      AND EXISTS ({hours.closing("v.doctor_id", "v.on_date")})),
                     'hours:' || coalesce(h.named, '')) END
    ], NULL) || ARRAY(
        SELECT 'away:' || t.id FROM time_off t
        WHERE t.doctor_id = v.doctor_id AND t.ends_at > v.starts_at AND t.starts_at < v.ends_at ORDER BY t.id
    ) AS causes
    FROM visit v JOIN doctors d ON d.id = v.doctor_id JOIN services s ON s.id = v.service_id
    LEFT JOIN doctor_services o ON o.doctor_id = v.doctor_id AND o.service_id = v.service_id
    LEFT JOIN rooms r ON r.id = v.room_id
    CROSS JOIN LATERAL (
        SELECT string_agg(opens_at || '-' || closes_at || '@' || location_id, ',' ORDER BY opens_at) AS named,
               bool_or(location_id = v.location_id AND opens_at <= v.wall AND v.wall < closes_at
                       AND v.ends_at <= closing_at) AS covers
        FROM ({hours.on_date("v.doctor_id", "v.on_date")}) AS day
        CROSS JOIN LATERAL (SELECT CASE
            WHEN v.on_date + closes_at >= v.wall_to AND v.next_offset IS NOT NULL
            THEN greatest((v.on_date + closes_at - v.next_offset) AT TIME ZONE 'UTC', v.resumes_at)
            ELSE (v.on_date + closes_at - v.utc_offset) AT TIME ZONE 'UTC' END AS closing_at) AS instant
    ) AS h
    WHERE v.id NOT IN (SELECT id FROM usual)
)
SELECT id, causes FROM caused c WHERE cardinality(causes) > 0 AND NOT EXISTS (
    SELECT FROM kept_visits k
    WHERE k.appointment_id = c.id AND k.time_version = c.time_version AND c.causes <@ k.causes)
"""


class NotStranded(ClinicError):
    message = N_("This visit lies within the hours again, or has been changed. Please look at it again.")


class OtherCauses(ClinicError):
    message = N_("The hours have changed again since you looked. Please look at this visit again.")


@dataclass(frozen=True, slots=True)
class Stranding:
    """A visit that its doctor's hours do not cover, why, and the open link its patient chooses with, if any.

    Causes are `doctor`, `service`, `room:n`, `closed:n`, `hours:…` and `away:n`.
    """

    visit: Appointment
    causes: tuple[str, ...]
    choice: ChoiceLink | None

    @property
    def kinds(self) -> list[str]:
        return kinds(self.causes)


def kinds(causes: Collection[str]) -> list[str]:
    """The causes without what they name, each once."""
    return list(dict.fromkeys(cause.partition(":")[0] for cause in causes))


def find(
    session: Session,
    *,
    doctor_id: int | None = None,
    appointment_id: int | None = None,
    is_all_day: bool = False,
) -> dict[int, tuple[str, ...]]:
    """The live visits ahead that nothing covers and nobody has decided to keep, with their causes.

    With `is_all_day` also those of today whose hour has come and nobody has: they still wait for a decision.
    It is one statement over the visits ahead, and sees what the session has flushed.
    """
    if not clinics.is_founded(session):
        return {}
    now, zone = clock.now(), clinics.zone(session)
    today = now.astimezone(zone).date()
    parts = wall_time.stretches(zone, today, today + LONGEST_HORIZON + _DAY)
    session.flush()
    rows = run(
        session,
        _STRANDED,
        {
            "since": min(now, wall_time.instant_reached(zone, datetime.combine(today, time())) - _SECOND)
            if is_all_day
            else now,
            "doctor_id": doctor_id,
            "appointment_id": appointment_id,
            "wall_to": [part.wall_to for part in parts],
            "offsets": [part.offset for part in parts],
            "next_offsets": [*(part.offset for part in parts[1:]), None],
            "begins_at": [datetime.min.replace(tzinfo=UTC), *(part.ends_at for part in parts[:-1])],
            "ends_at": [*(part.ends_at for part in parts[:-1]), datetime.max.replace(tzinfo=UTC)],
        },
    )
    return {number: tuple(causes) for number, causes in rows}


def count(session: Session, actor: Actor) -> int:
    """How many visits wait for a decision that is the actor's to take."""
    access.require(actor, Action.SEE_DAY, doctor_id=actor.doctor_id)
    return len(find(session, doctor_id=actor.doctor_id, is_all_day=True))


def require(session: Session, appointment_id: int) -> None:
    """Raise `NotStranded` unless the visit waits for a decision."""
    if appointment_id not in find(session, appointment_id=appointment_id, is_all_day=True):
        raise NotStranded


def waiting(session: Session, actor: Actor, *, doctor_id: int | None = None) -> list[Stranding]:
    """What waits for a decision, the soonest first: at the desk everything, for doctors what is theirs."""
    access.require(actor, Action.SEE_DAY, doctor_id=doctor_id)
    kind = "doctor" if doctor_id else "clinic"
    audit.record_read(session, actor, Action.SEE_DAY, kind=kind, number=doctor_id or 1)
    causes = find(session, doctor_id=doctor_id, is_all_day=True)
    visits = session.scalars(
        select(Appointment)
        .where(Appointment.id.in_(causes))
        .options(*agendas.WITH_PEOPLE)
        .order_by(Appointment.starts_at, Appointment.id)
    )
    links = session.scalars(
        select(ChoiceLink)
        .where(
            ChoiceLink.appointment_id.in_(causes),
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.expires_at > clock.now(),
        )
        .options(selectinload(ChoiceLink.times))
    )
    choices = {link.appointment_id: link for link in links}
    return [Stranding(visit, causes[visit.id], choices.get(visit.id)) for visit in visits]


def keep(
    session: Session, actor: Actor, *, appointment_id: int, reason: str, causes: tuple[str, ...]
) -> Appointment:
    """Have a visit take place although the hours do not cover it, for the `causes` that were shown.

    Raises `NotStranded`, `OtherCauses`, `ReasonMissing`, `NotFound`, `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.SETTLE_VISIT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    why = appointment_events.required_reason(reason)
    known = find(session, appointment_id=appointment_id, is_all_day=True).get(appointment_id)
    if known is None:
        raise NotStranded
    if known != tuple(causes):
        raise OtherCauses
    _note_kept(session, visit, known, why, actor.user_id)
    patient_id = visit.patient_id
    audit.record(session, actor, Event.VISIT_KEPT, kind="appointment", number=visit.id, patient_id=patient_id)
    return visit


def keep_as_booked(session: Session, visit: Appointment, *, reason: str, by_user_id: int) -> None:
    """Where a visit was overbooked past closing time on purpose, that is decided already."""
    if causes := find(session, appointment_id=visit.id).get(visit.id):
        _note_kept(session, visit, causes, reason, by_user_id)


def _note_kept(
    session: Session, visit: Appointment, causes: tuple[str, ...], reason: str, by_user_id: int
) -> None:
    values: dict[str, Any] = {
        "time_version": visit.time_version,
        "causes": list(causes),
        "reason": reason,
        "kept_at": clock.now(),
        "by_user_id": by_user_id,
    }
    session.execute(
        insert(KeptVisit)
        .values(appointment_id=visit.id, **values)
        .on_conflict_do_update(index_elements=["appointment_id"], set_=values)
    )
