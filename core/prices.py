"""Prices and the terms of booking, as an administrator sets them: the clinic's, and each service's own.

They count from the next booking; what was agreed before stays as it was agreed.
"""

from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import access, audit, clinics, setting_changes, terms
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, money
from core.setting_changes import Subject
from core.terms import Policy, Terms
from db.models import ClinicSettings, PaymentRule, Service

HOURS = range(721)  # of a cancellation window: thirty days at most
PERCENT = range(101)
DEPOSIT_PERCENT = range(1, 101)
NO_SHOW_LIMIT = range(1, 21)
UNPAID_HOLDS = range(1, 11)
PRICE_MINOR = range(100_000_000)  # eight digits are the most that the card processor takes

_HAS_PRICES = text("""
    SELECT EXISTS (SELECT FROM appointments WHERE price_minor > 0) OR EXISTS (SELECT FROM ledger_entries)
""")


class PriceOutOfBounds(ClinicError):
    message = N_("Please give a price of {least} to {most}.")


class DepositAbovePrice(ClinicError):
    message = N_("A deposit cannot be more than the price.")


class PercentOutOfBounds(ClinicError):
    message = N_("Please choose {least} to {most} percent.")


class HoursOutOfBounds(ClinicError):
    message = N_("Please choose {least} to {most} hours.")


class NoShowLimitOutOfBounds(ClinicError):
    message = N_("Please say after how many missed visits the stricter rule applies: {least} to {most}.")


class HoldsOutOfBounds(ClinicError):
    message = N_("Please choose {least} to {most} unpaid visits at once.")


class CurrencyUnknown(ClinicError):
    message = N_("Payments cannot be taken in that currency. Please choose another.")


class CurrencyFixed(ClinicError):
    message = N_("The currency stays {currency}: there are visits with prices or payments in it.")


class ClinicPrices(NamedTuple):
    """What holds wherever a service has nothing of its own, named as the columns of the settings."""

    currency: str
    payment_rule: PaymentRule
    first_visit_rule: PaymentRule | None
    no_show_rule: PaymentRule | None
    no_show_limit: int | None
    deposit_percent: int
    cancellation_hours: int
    late_fee_percent: int
    refund_percent: int
    unpaid_holds: int


class ServicePrices(NamedTuple):
    """What a service costs, in minor units, and its own terms; None is as the clinic has it."""

    price_minor: int
    deposit_minor: int
    payment_rule: PaymentRule | None
    cancellation_hours: int | None
    late_fee_percent: int | None
    refund_percent: int | None


_Prices = TypeVar("_Prices", ClinicPrices, ServicePrices)


def of_clinic(session: Session, actor: Actor) -> ClinicPrices:
    """The clinic's own terms as they are now."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return _kept(ClinicPrices, clinics.settings(session))


def services(session: Session, actor: Actor) -> list[Service]:
    """Every service, by name, also those that cannot be booked at present."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return list(session.scalars(select(Service).order_by(Service.name)))


def of_service(service: Service) -> ServicePrices:
    """A service's price and its own terms."""
    return _kept(ServicePrices, service)


def change_clinic(session: Session, actor: Actor, *, wanted: ClinicPrices) -> None:
    """Set the terms that hold for every service without its own.

    Without a rule for missed visits their number is forgotten. Raises `CurrencyUnknown`, `CurrencyFixed`,
    `PercentOutOfBounds`, `HoursOutOfBounds`, `NoShowLimitOutOfBounds`, `HoldsOutOfBounds`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    before = clinics.settings(session)
    if wanted.no_show_rule is None:
        wanted = wanted._replace(no_show_limit=None)
    else:
        _require(NoShowLimitOutOfBounds, wanted.no_show_limit, NO_SHOW_LIMIT)
    _require(PercentOutOfBounds, wanted.deposit_percent, DEPOSIT_PERCENT)
    _require(PercentOutOfBounds, wanted.late_fee_percent, PERCENT)
    _require(PercentOutOfBounds, wanted.refund_percent, PERCENT)
    _require(HoursOutOfBounds, wanted.cancellation_hours, HOURS)
    _require(HoldsOutOfBounds, wanted.unpaid_holds, UNPAID_HOLDS)
    if wanted.currency not in clinics.currencies():
        raise CurrencyUnknown
    if wanted.currency != before.currency and session.scalar(_HAS_PRICES):
        raise CurrencyFixed(currency=before.currency)
    changed = _changed(wanted, _kept(ClinicPrices, before))
    if changed:
        session.execute(update(ClinicSettings).values(**changed))
        session.info.pop("clinic_settings", None)  # read once a session
        audit.record(session, actor, Action.CHANGE_SETTINGS, kind="settings", number=1, **changed)
        setting_changes.note(
            session,
            actor,
            Subject.PRICES,
            1,
            before.name,
            before=_kept(ClinicPrices, before)._asdict(),
            after=wanted._asdict(),
        )


def change_service(session: Session, actor: Actor, *, service_id: int, wanted: ServicePrices) -> None:
    """Set what a service costs and its own terms. Doctors who ask another price for it go on doing so.

    Raises `PriceOutOfBounds`, `DepositAbovePrice`, `PercentOutOfBounds`, `HoursOutOfBounds`, `NotFound`,
    `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    service = session.get(Service, service_id, with_for_update=True, populate_existing=True)
    if service is None:
        raise NotFound
    for amount in (wanted.price_minor, wanted.deposit_minor):
        if amount not in PRICE_MINOR:
            currency = clinics.settings(session).currency
            raise PriceOutOfBounds(least=money(0, currency), most=money(PRICE_MINOR.stop - 1, currency))
    if wanted.deposit_minor > wanted.price_minor:
        raise DepositAbovePrice
    for error, value, bounds in (
        (PercentOutOfBounds, wanted.late_fee_percent, PERCENT),
        (PercentOutOfBounds, wanted.refund_percent, PERCENT),
        (HoursOutOfBounds, wanted.cancellation_hours, HOURS),
    ):
        if value is not None:
            _require(error, value, bounds)
    changed = _changed(wanted, of_service(service))
    if changed:
        before = of_service(service)._asdict()
        for name, value in changed.items():
            setattr(service, name, value)
        session.flush()
        audit.record(session, actor, Action.CHANGE_SETTINGS, kind="service", number=service_id, **changed)
        setting_changes.note(
            session,
            actor,
            Subject.SERVICE,
            service_id,
            service.name,
            before=before,
            after=wanted._asdict(),
        )


def example(clinic: ClinicPrices, service: ServicePrices, *, is_first_visit: bool, no_shows: int) -> Terms:
    """The terms that such prices come to for a patient who books online, whether or not one can here."""
    own = (service.cancellation_hours, service.late_fee_percent, service.refund_percent)
    ours = (clinic.cancellation_hours, clinic.late_fee_percent, clinic.refund_percent)
    hours, late_fee, refund = (
        usual if special is None else special for special, usual in zip(own, ours, strict=True)
    )
    policy = Policy(
        price_minor=service.price_minor,
        deposit_minor=service.deposit_minor,
        deposit_percent=clinic.deposit_percent,
        clinic_rule=clinic.payment_rule,
        service_rule=service.payment_rule,
        first_visit_rule=clinic.first_visit_rule,
        no_show_rule=clinic.no_show_rule,
        no_show_limit=clinic.no_show_limit,
        cancellation_hours=hours,
        late_fee_percent=late_fee,
        refund_percent=refund,
        is_first_visit=is_first_visit,
        no_shows=no_shows,
    )
    return terms.agreed(policy, takes_cards=True)


def _kept(shape: type[_Prices], row: ClinicSettings | Service) -> _Prices:
    return shape(**{name: getattr(row, name) for name in shape._fields})


def _changed(wanted: ClinicPrices | ServicePrices, before: ClinicPrices | ServicePrices) -> dict[str, Any]:
    known = before._asdict()
    return {name: value for name, value in wanted._asdict().items() if value != known[name]}


def _require(error: type[ClinicError], value: int | None, bounds: range) -> None:
    if value not in bounds:
        raise error(least=bounds.start, most=bounds.stop - 1)
