"""What becomes of the money of a visit that is called off."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from core import (
    access,
    announcements,
    appointment_events,
    clock,
    ledger,
    payments,
    placements,
    refunds,
    strandings,
    terms,
)
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, EventKind, RefundCause


class CostChanged(ClinicError):
    """The window has begun, or a payment has come, since the person at the screen was told."""

    message = N_("What cancelling costs has just changed. Please look at it again.")


class Outcome(NamedTuple):
    """What calling a visit off comes to, in minor units.

    The clinic keeps `kept_minor`, of which `owed_minor` is still to be paid, and gives `back_minor` back.
    What it had promised to pay back before is in none of them.
    """

    kept_minor: int
    back_minor: int
    owed_minor: int


def expected(session: Session, actor: Actor, *, appointment_id: int, is_waived: bool = False) -> Outcome:
    """What it would come to if `actor` called a visit off now. Raises `AccessDenied`, `NotFound`."""
    appointment = session.get(Appointment, appointment_id)
    if appointment is None:
        raise NotFound
    access.require(actor, Action.CANCEL, patient_id=appointment.patient_id, doctor_id=appointment.doctor_id)
    return outcome(session, appointment, is_waived=is_waived)


def outcome(session: Session, appointment: Appointment, *, is_waived: bool = False) -> Outcome:
    """What it would come to if a visit were called off now; one that could not be anyhow costs nothing."""
    was_held = appointment.status is AppointmentStatus.PENDING
    is_waived = is_waived or _could_not_be(session, appointment)
    has = _has(session, appointment.id)
    return _comes_to(appointment, has, clock.now(), was_held=was_held, is_waived=is_waived)


def call_off(
    session: Session,
    actor: Actor | None,
    appointment: Appointment,
    why: str,
    *,
    is_waived: bool = False,
    seen: Outcome | None = None,
    request_key: UUID | None = None,
) -> None:
    """Free a visit's time for the reason `why`, settle its money as `settle` does, and tell the patient.

    One that could not be anyhow, as its doctor is away, costs nothing however late it is.
    """
    is_waived = is_waived or _could_not_be(session, appointment)
    before = appointment_events.place_in_time(appointment)
    was_held = appointment.status is AppointmentStatus.PENDING
    appointment.status = AppointmentStatus.CANCELLED
    appointment.hold_expires_at = None
    placements.touch(appointment)
    appointment_events.record(
        session, actor, appointment, EventKind.CANCELLED, before=before, reason=why, request_key=request_key
    )
    settle(session, actor, appointment, was_held=was_held, is_waived=is_waived, seen=seen)
    announcements.cancelled(session, appointment)


def settle(
    session: Session,
    actor: Actor | None,
    appointment: Appointment,
    *,
    was_held: bool,
    is_waived: bool = False,
    seen: Outcome | None = None,
) -> None:
    """Keep of a cancelled visit's money what was agreed, and have the rest paid back.

    A visit that was only held costs nothing: whatever is paid for it yet comes back. `seen` is what the
    person was shown: it must still be true. Raises `CostChanged`.
    """
    payments.give_up(session, appointment.id)
    has = _has(session, appointment.id)
    comes_to = _comes_to(appointment, has, clock.now(), was_held=was_held, is_waived=is_waived)
    if seen is not None and seen != comes_to:
        raise CostChanged
    ledger.owe(session, actor, appointment, comes_to.kept_minor)
    refunds.ask_surplus(session, actor, appointment, cause=RefundCause.CANCELLED)
    ledger.note_status(session, appointment)


def _could_not_be(session: Session, appointment: Appointment) -> bool:
    """Whether the clinic itself could not hold the visit; asked only where that makes a difference."""
    if not terms.is_late(appointment, clock.now()):
        return False
    return bool(strandings.find(session, appointment_id=appointment.id, is_all_day=True))


def _has(session: Session, appointment_id: int) -> int:
    """What the clinic has of a visit and has not promised to pay back already."""
    return ledger.standing(session, appointment_id).received_minor - refunds.under_way(
        session, appointment_id
    )


def _comes_to(
    appointment: Appointment, has_minor: int, now: datetime, *, was_held: bool, is_waived: bool
) -> Outcome:
    kept = 0
    if not was_held:
        is_late = terms.is_late(appointment, now)
        kept = terms.kept(appointment, paid_minor=has_minor, is_late=is_late, is_waived=is_waived)
    return Outcome(kept, back_minor=max(0, has_minor - kept), owed_minor=max(0, kept - has_minor))
