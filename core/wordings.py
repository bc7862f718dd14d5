"""The terms of a booking in plain words, as the screen and letters say them."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from core import terms
from core.cancellations import Outcome
from core.i18n import N_, _, full_time, money, percent
from db.models import RuleCause

WHY = {
    RuleCause.CLINIC: N_("This applies to all visits here."),
    RuleCause.SERVICE: N_("This applies to all visits of this kind."),
    RuleCause.FIRST_VISIT: N_("This is because it is a first visit here."),
    RuleCause.NO_SHOWS: N_("This is because visits were missed in the last twelve months."),
}


class Agreed(Protocol):
    """What terms say, before a booking (`Terms`) or with it (`Appointment`)."""

    @property
    def price_minor(self) -> int: ...
    @property
    def due_minor(self) -> int: ...
    @property
    def rule_cause(self) -> RuleCause: ...
    @property
    def cancellation_hours(self) -> int: ...
    @property
    def late_fee_minor(self) -> int: ...
    @property
    def refund_percent(self) -> int: ...


def to_pay(agreed: Agreed, currency: str) -> str:
    """What a visit costs, what of it is to be paid before it is confirmed and why, and where the rest is."""
    if agreed.price_minor == 0:
        return _("This visit costs nothing.")
    rest = agreed.price_minor - agreed.due_minor
    if not agreed.due_minor:
        sentence = _("It costs {price}, which is paid at the desk.")
    elif rest:
        sentence = _("It costs {price}: a deposit of {due} is paid now, the other {rest} at the desk.")
    else:
        sentence = _("It costs {price}, which is paid now.")
    said = sentence.format(
        price=money(agreed.price_minor, currency),
        due=money(agreed.due_minor, currency),
        rest=money(rest, currency),
    )
    return f"{said} {_(WHY[agreed.rule_cause])}" if agreed.due_minor else said


def cancelling(agreed: Agreed, starts_at: datetime, now: datetime, zone: tzinfo, currency: str) -> str:
    """Until when a visit can be moved and cancelled for what, and what cancelling costs after that."""
    return " ".join(_cancelling(agreed, starts_at, now, zone, currency))


def _cancelling(
    agreed: Agreed, starts_at: datetime, now: datetime, zone: tzinfo, currency: str
) -> Iterator[str]:
    until = starts_at - timedelta(hours=agreed.cancellation_hours)
    late = terms.kept(agreed, paid_minor=agreed.due_minor, is_late=True)
    if until < now:
        soon = _("It is less than {hours} hours ahead: once booked, only reception can move it.")
        yield soon.format(hours=agreed.cancellation_hours)
        yield _cost(late, currency)
        return
    if agreed.refund_percent == terms.ALL_PERCENT:
        sentence = _("You can move or cancel it free of charge until {until}.")
    else:
        sentence = _(
            "You can move it until {until}; if you cancel it by then, {share} of what was paid goes back."
        )
    yield sentence.format(until=full_time(until, zone), share=percent(agreed.refund_percent))
    if not agreed.cancellation_hours:
        return
    if agreed.late_fee_minor:
        yield _("After that cancelling costs {fee}, and only reception can move it.").format(
            fee=money(late, currency)
        )
    else:
        yield _("After that only reception can move it.")


def moving_late(agreed: Agreed, currency: str) -> str:
    """What moving a visit into its cancellation window leads to."""
    rule = _("It is less than {hours} hours ahead: once moved, only reception can move it again.")
    late = terms.kept(agreed, paid_minor=agreed.due_minor, is_late=True)
    return f"{rule.format(hours=agreed.cancellation_hours)} {_cost(late, currency)}"


def outcome(expected: Outcome, currency: str) -> str:
    """What calling a visit off now costs, what goes back and what is still to be paid."""
    said = [_cost(expected.kept_minor, currency)]
    if expected.back_minor:
        back = _("{amount} goes back the way it was paid.")
        said.append(back.format(amount=money(expected.back_minor, currency)))
    if expected.owed_minor:
        owed = _("{amount} is still to be paid.")
        said.append(owed.format(amount=money(expected.owed_minor, currency)))
    return " ".join(said)


def _cost(amount_minor: int, currency: str) -> str:
    if not amount_minor:
        return _("Cancelling costs nothing.")
    return _("Cancelling costs {fee}.").format(fee=money(amount_minor, currency))
