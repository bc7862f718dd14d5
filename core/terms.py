"""The terms of a booking: what it costs, what is due before it is confirmed, and what cancelling costs.

The policy is the clinic's, a service may have its own, and first visits or missed ones may make it stricter.
What is agreed is stored with the booking and holds whatever the policy says later.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core import access, clock
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.config import config
from db.models import Patient, PaymentRule, RuleCause
from db.session import run

NO_SHOWS_COUNT_FOR = timedelta(days=365)
ALL_PERCENT = 100
SMALLEST_ONLINE_MINOR = 50  # about what Stripe takes at least: 0.50 of a dollar or euro, 50 yen
_STRICTER = list(PaymentRule)  # from nothing before the visit to all of it


class TermsChanged(ClinicError):
    """The price or the policy is not what the person at the screen was shown."""

    message = N_("The price or the terms have just changed. Please look at them again before you book.")


class Policy(NamedTuple):
    """What the clinic and the service ask, in minor units, percent and hours; None where nothing is asked.

    `is_first_visit` and `no_shows` (of the last twelve months) are the patient's; where no rule looks at
    them they are False and 0.
    """

    price_minor: int
    deposit_minor: int
    deposit_percent: int
    clinic_rule: str
    service_rule: str | None
    first_visit_rule: str | None
    no_show_rule: str | None
    no_show_limit: int | None
    cancellation_hours: int
    late_fee_percent: int
    refund_percent: int
    is_first_visit: bool
    no_shows: int


class Terms(NamedTuple):
    """What is agreed, named as the columns of an appointment. Minor units, hours and percent."""

    price_minor: int
    payment_rule: PaymentRule
    rule_cause: RuleCause
    due_minor: int
    cancellation_hours: int
    late_fee_minor: int
    refund_percent: int


class Agreed(Protocol):
    """What of the terms counts when a visit is called off: a booking has it, and so have `Terms`."""

    @property
    def late_fee_minor(self) -> int: ...
    @property
    def refund_percent(self) -> int: ...


class _Starting(Protocol):
    @property
    def starts_at(self) -> datetime: ...
    @property
    def cancellation_hours(self) -> int: ...


_POLICY = """
SELECT coalesce(o.price_minor, s.price_minor), s.deposit_minor, c.deposit_percent,
       c.payment_rule, s.payment_rule, c.first_visit_rule, c.no_show_rule, c.no_show_limit,
       coalesce(s.cancellation_hours, c.cancellation_hours),
       coalesce(s.late_fee_percent, c.late_fee_percent), coalesce(s.refund_percent, c.refund_percent),
       c.first_visit_rule IS NOT NULL AND NOT EXISTS (
           SELECT FROM appointments a WHERE a.patient_id = %(patient_id)s
           AND a.status IN ('arrived', 'in_room', 'completed')),
       CASE WHEN c.no_show_limit IS NULL THEN 0 ELSE (
           SELECT count(*) FROM appointments a WHERE a.patient_id = %(patient_id)s
           AND a.status = 'no_show' AND a.starts_at > %(since)s) END
FROM settings c CROSS JOIN services s
LEFT JOIN doctor_services o ON o.doctor_id = %(doctor_id)s AND o.service_id = s.id
WHERE s.id = %(service_id)s
"""


def offered(session: Session, actor: Actor, *, patient_id: int, doctor_id: int, service_id: int) -> Terms:
    """The terms on which `actor` can book now. Raises `AccessDenied`, `NotFound`.

    Nothing is due before a visit that the desk books, nor where nobody can pay online.
    """
    access.require(actor, Action.BOOK, patient_id=patient_id)
    policy = _policy(session, patient_id, doctor_id, service_id)
    return agreed(policy, takes_cards=config().takes_cards_online and not actor.is_desk)


def unattended(session: Session, *, patient_id: int, doctor_id: int, service_id: int) -> Terms:
    """The terms on which the waitlist offers a time, and a text accepts it. Raises `NotFound`.

    Something is due only where the patient, or whoever looks after them, has an account to pay with.
    """
    policy = _policy(session, patient_id, doctor_id, service_id)
    takes_cards = config().takes_cards_online and _has_account(session, patient_id)
    return agreed(policy, takes_cards=takes_cards)


def _policy(session: Session, patient_id: int, doctor_id: int, service_id: int) -> Policy:
    wanted = {
        "patient_id": patient_id,
        "doctor_id": doctor_id,
        "service_id": service_id,
        "since": clock.now() - NO_SHOWS_COUNT_FOR,
    }
    rows = run(session, _POLICY, wanted)
    if not rows:
        raise NotFound
    return Policy._make(rows[0])


def _has_account(session: Session, patient_id: int) -> bool:
    guardian = aliased(Patient)
    account = select(func.coalesce(Patient.user_id, guardian.user_id)).select_from(Patient)
    account = account.outerjoin(guardian, guardian.id == Patient.guardian_id)
    return session.scalar(account.where(Patient.id == patient_id)) is not None


def agreed(policy: Policy, *, takes_cards: bool) -> Terms:
    """The terms that follow from a policy: the strictest rule that applies, and the sums it comes to."""
    rule, cause = PaymentRule(policy.clinic_rule), RuleCause.CLINIC
    if policy.service_rule is not None:
        rule, cause = PaymentRule(policy.service_rule), RuleCause.SERVICE
    missed_too_many = policy.no_show_limit is not None and policy.no_shows >= policy.no_show_limit
    for applies, stricter, why in (
        (policy.is_first_visit, policy.first_visit_rule, RuleCause.FIRST_VISIT),
        (missed_too_many, policy.no_show_rule, RuleCause.NO_SHOWS),
    ):
        if (
            applies
            and stricter is not None
            and _STRICTER.index(PaymentRule(stricter)) > _STRICTER.index(rule)
        ):
            rule, cause = PaymentRule(stricter), why
    if not takes_cards or policy.price_minor < SMALLEST_ONLINE_MINOR:
        rule = PaymentRule.DESK
    return Terms(
        price_minor=policy.price_minor,
        payment_rule=rule,
        rule_cause=cause,
        due_minor=_due(policy, rule),
        cancellation_hours=policy.cancellation_hours,
        late_fee_minor=share_of(policy.price_minor, policy.late_fee_percent),
        refund_percent=policy.refund_percent,
    )


def _due(policy: Policy, rule: PaymentRule) -> int:
    if rule is PaymentRule.DESK:
        return 0
    if rule is PaymentRule.FULL:
        return policy.price_minor
    deposit = policy.deposit_minor or share_of(policy.price_minor, policy.deposit_percent)
    return min(max(deposit, SMALLEST_ONLINE_MINOR), policy.price_minor)


def share_of(amount_minor: int, percent: int) -> int:
    """`percent` of an amount in whole minor units, halves rounded up."""
    return (amount_minor * percent + ALL_PERCENT // 2) // ALL_PERCENT


def is_late(visit: _Starting, now: datetime) -> bool:
    """Whether a visit is so near that, as agreed, only the desk moves it and cancelling has its fee."""
    return visit.starts_at - now < timedelta(hours=visit.cancellation_hours)


def kept(terms: Agreed, *, paid_minor: int, is_late: bool, is_waived: bool = False) -> int:
    """What the clinic keeps, or is still owed, of a visit that is called off.

    In time it is the share of what was paid that does not go back; late it is the late fee, paid before or
    not, if that is more. `is_waived`: the desk lets it all go.
    """
    if is_waived:
        return 0
    kept_share = paid_minor - share_of(paid_minor, terms.refund_percent)
    return max(kept_share, terms.late_fee_minor) if is_late else kept_share
