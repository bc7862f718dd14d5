"""What becomes of the money of a visit that was called off."""

from sqlalchemy.orm import Session

from core import clock, ledger, payments, refunds, terms
from core.access import Actor
from db.models import Appointment, RefundCause


def settle(
    session: Session, actor: Actor, appointment: Appointment, *, was_held: bool, is_waived: bool = False
) -> None:
    """Keep of a cancelled visit's money what was agreed, and have the rest paid back.

    A visit that was only held costs nothing: whatever is paid for it yet comes back.
    """
    payments.give_up(session, appointment.id)
    money = ledger.standing(session, appointment.id)
    kept = 0
    if not was_held:
        late = terms.is_late(appointment, clock.now())
        kept = terms.kept(appointment, paid_minor=money.received_minor, is_late=late, is_waived=is_waived)
    ledger.owe(session, actor, appointment, kept)
    refunds.ask_surplus(session, actor, appointment, cause=RefundCause.CANCELLED)
    ledger.note_status(session, appointment)
