"""What the card processor says beside what we say, payment by payment and refund by refund."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core import access, audit, stripe_cards
from core.access import Action, Actor
from core.cards import Cards, CardsFailed, Checkout, PaidBack, Progress
from core.errors import ClinicError
from core.i18n import N_
from core.repayments import is_reference
from db.models import Payment, PaymentMethod, PaymentState, Refund, RefundState

ENTERED = frozenset({RefundState.SENT, RefundState.DONE})
EARLIER, LATER = timedelta(minutes=5), timedelta(days=1)  # clocks differ, and an attempt may be opened late


class ProcessorSilent(ClinicError):
    message = N_("The card processor does not answer. Please try again in a few minutes.")


class Ours(NamedTuple):
    """A payment or refund of ours. `amount_minor` is what the ledger has of it, below zero for a refund."""

    number: int
    appointment_id: int
    is_refund: bool
    at: datetime
    amount_minor: int
    provider_id: str | None
    reference: str


class Theirs(NamedTuple):
    """The same as the processor has it. `payment_id` is that of the payment which a refund is of."""

    provider_id: str
    reference: str
    is_refund: bool
    at: datetime
    amount_minor: int
    payment_id: str | None


class Line(NamedTuple):
    """One payment or refund, as we and as they have it; None where one does not know of it."""

    ours: Ours | None
    theirs: Theirs | None

    @property
    def difference_minor(self) -> int:
        """What they have more than we."""
        they = self.theirs.amount_minor if self.theirs else 0
        return they - (self.ours.amount_minor if self.ours else 0)


def theirs(since: datetime, until: datetime, cards: Cards | None = None) -> list[Theirs]:
    """What the processor has of payments and refunds from `since` until `until` (aware), and a little beyond.

    To be asked while no transaction is open. Raises `ProcessorSilent`.
    """
    cards = cards or stripe_cards.configured()
    if cards is None:
        return []
    try:
        paid = [_paid(each) for each in cards.checkouts(since - EARLIER, until + LATER)]
        back = [_back(each) for each in cards.refunds(since - EARLIER, until + LATER)]
    except CardsFailed:
        raise ProcessorSilent from None
    return paid + back


def _paid(checkout: Checkout) -> Theirs:
    return Theirs(
        provider_id=checkout.session_id,
        reference=checkout.reference,
        is_refund=False,
        at=checkout.created_at,
        amount_minor=checkout.amount_minor if checkout.is_paid else 0,
        payment_id=checkout.payment_id,
    )


def _back(refund: PaidBack) -> Theirs:
    return Theirs(
        provider_id=refund.refund_id,
        reference=refund.reference,
        is_refund=True,
        at=refund.created_at,
        amount_minor=0 if refund.progress is Progress.FAILED else -refund.amount_minor,
        payment_id=refund.payment_id,
    )


def compared(
    session: Session, actor: Actor, of_theirs: Sequence[Theirs], *, since: datetime, until: datetime
) -> list[Line]:
    """What they have beside what we have from `since` until just before `until`: what differs comes first.

    What others do with the same account at the processor is not in it. Raises `AccessDenied`.
    """
    access.require(actor, Action.RECONCILE)
    audit.record_read(session, actor, Action.RECONCILE, kind="settings", number=1)
    own = [*_payments(session, of_theirs, since, until), *_refunds(session, of_theirs, since, until)]
    by_id = {each.provider_id: each for each in of_theirs}
    by_reference = {each.reference: each for each in of_theirs if each.reference}
    lines, matched = [], set()
    for each in own:
        other = by_id.get(each.provider_id or "") or by_reference.get(each.reference)
        if other is not None:
            matched.add(other.provider_id)
        if since <= each.at < until:
            lines.append(Line(each, other))
    payments = _own_payment_ids(session, [each.payment_id for each in of_theirs if each.payment_id])
    lines += [
        Line(None, each)
        for each in of_theirs
        if each.provider_id not in matched
        and since <= each.at < until
        and (is_reference(each.reference) or (each.is_refund and each.payment_id in payments))
    ]
    with_money = [line for line in lines if any(each and each.amount_minor for each in line)]
    return sorted(with_money, key=lambda line: (line.difference_minor == 0, -abs(line.difference_minor)))


def _payments(
    session: Session, of_theirs: Sequence[Theirs], since: datetime, until: datetime
) -> Iterator[Ours]:
    """Our online payments of that time, and those that they speak of."""
    wanted = or_(
        and_(Payment.created_at >= since, Payment.created_at < until),
        Payment.provider_session_id.in_([each.provider_id for each in of_theirs if not each.is_refund]),
    )
    for payment in session.scalars(select(Payment).where(Payment.method == PaymentMethod.ONLINE, wanted)):
        yield Ours(
            number=payment.id,
            appointment_id=payment.appointment_id,
            is_refund=False,
            at=payment.created_at,
            amount_minor=payment.amount_minor if payment.state is PaymentState.PAID else 0,
            provider_id=payment.provider_session_id,
            reference=payment.public_id.hex,
        )


def _refunds(
    session: Session, of_theirs: Sequence[Theirs], since: datetime, until: datetime
) -> Iterator[Ours]:
    """Our online refunds of that time, and those that they speak of."""
    wanted = or_(
        and_(Refund.created_at >= since, Refund.created_at < until),
        Refund.provider_refund_id.in_([each.provider_id for each in of_theirs if each.is_refund]),
    )
    found = session.execute(
        select(Refund, Payment).join(Refund.payment).where(Refund.method == PaymentMethod.ONLINE, wanted)
    )
    for refund, payment in found:
        yield Ours(
            number=refund.id,
            appointment_id=payment.appointment_id,
            is_refund=True,
            at=refund.created_at,
            amount_minor=-refund.amount_minor if refund.state in ENTERED else 0,
            provider_id=refund.provider_refund_id,
            reference=refund.public_id.hex,
        )


def _own_payment_ids(session: Session, numbers: Sequence[str]) -> set[str]:
    own = select(Payment.provider_payment_id).where(Payment.provider_payment_id.in_(numbers))
    return {number for number in session.scalars(own) if number is not None}
