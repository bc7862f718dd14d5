"""Time off: whole days or hours in which a doctor sees nobody, and taking it back."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, provider_hours, unsettled, wall_time
from core.access import Action, Actor
from core.appointment_errors import ReasonTooLong, ReasonUnreadable
from core.availability import LONGEST_HORIZON
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.texts import is_readable
from db.models import TimeOff

REASON_LENGTH = 200
_DAY = timedelta(days=1)


class EndsBeforeItBegins(ClinicError):
    message = N_("That ends before it begins.")


class AbsenceOver(ClinicError):
    message = N_("That is over already: time off can only be taken from now on.")


class AbsenceTooFar(ClinicError):
    message = N_("That is too far ahead: time off can be planned for two years.")


def ahead(session: Session, actor: Actor, *, doctor_id: int) -> list[TimeOff]:
    """The doctor's time off that is not over, the next first."""
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    query = select(TimeOff).where(TimeOff.doctor_id == doctor_id, TimeOff.ends_at > clock.now())
    return list(session.scalars(query.order_by(TimeOff.starts_at, TimeOff.id)))


def take_time_off(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    from_on: date,
    until_on: date,
    from_time: time | None = None,
    until_time: time | None = None,
    reason: str = "",
    accepting: Collection[int] = (),
) -> TimeOff:
    """Take the days `from_on` to `until_on` off, both included; or from a time of one to a time of the other.

    Times are the clinic's wall time. What is off already just so stays as it is: a second click adds
    nothing. `accepting` are the visits that the person knows will be without hours. Raises
    `EndsBeforeItBegins`, `AbsenceOver`, `AbsenceTooFar`, `ReasonTooLong`, `ReasonUnreadable`,
    `LeavesVisits`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.SET_HOURS, doctor_id=doctor_id)
    provider_hours.lock(session, doctor_id)
    why = " ".join(reason.split())
    if not is_readable(why):
        raise ReasonUnreadable
    if len(why) > REASON_LENGTH:
        raise ReasonTooLong(length=REASON_LENGTH)
    starts_at, ends_at = _span(session, from_on, until_on, from_time, until_time)
    known = session.scalar(
        select(TimeOff).where(
            TimeOff.doctor_id == doctor_id, TimeOff.starts_at == starts_at, TimeOff.ends_at == ends_at
        )
    )
    if known is not None:
        return known
    absence = TimeOff(doctor_id=doctor_id, starts_at=starts_at, ends_at=ends_at, reason=why)
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        session.add(absence)
        session.flush()
    _record(session, actor, absence)
    return absence


def withdraw(session: Session, actor: Actor, *, absence_id: int) -> None:
    """Take time off back; of what has begun, the rest. Raises `AbsenceOver`, `NotFound`, `AccessDenied`."""
    absence = session.get(TimeOff, absence_id)
    if absence is None:
        raise NotFound
    access.require(actor, Action.SET_HOURS, doctor_id=absence.doctor_id)
    provider_hours.lock(session, absence.doctor_id)
    now = clock.now()
    if absence.ends_at <= now:
        raise AbsenceOver
    if absence.starts_at < now:
        absence.ends_at = now
    else:
        session.delete(absence)
    session.flush()
    _record(session, actor, absence)


def _span(
    session: Session, from_on: date, until_on: date, from_time: time | None, until_time: time | None
) -> tuple[datetime, datetime]:
    now, zone = clock.now(), clinics.zone(session)
    if until_on > now.astimezone(zone).date() + LONGEST_HORIZON:
        raise AbsenceTooFar
    if (until_on, until_time or time.max) <= (from_on, from_time or time.min):
        raise EndsBeforeItBegins
    starts_at = _instant(zone, from_on, from_time or time())
    ends_at = _instant(zone, until_on, until_time) if until_time else _instant(zone, until_on + _DAY, time())
    if ends_at <= starts_at:  # clocks jump over all of it
        raise EndsBeforeItBegins
    if ends_at <= now:
        raise AbsenceOver
    return starts_at, ends_at


def _instant(zone: ZoneInfo, on: date, at: time) -> datetime:
    return wall_time.instant_reached(zone, datetime.combine(on, at))


def _record(session: Session, actor: Actor, absence: TimeOff) -> None:
    audit.record(
        session,
        actor,
        Action.SET_HOURS,
        kind="doctor",
        number=absence.doctor_id,
        away_from=absence.starts_at.isoformat(),
        away_until=absence.ends_at.isoformat(),
    )
