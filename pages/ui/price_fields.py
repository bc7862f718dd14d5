"""The fields in which prices and terms are typed, and what a patient would read of them."""

from collections.abc import Sequence
from datetime import timedelta, tzinfo

import streamlit as st

from core import clinics, clock, prices, wordings
from core.i18n import N_, _
from core.prices import ClinicPrices, ServicePrices
from db.models import PaymentRule, Service
from pages.ui.money import amount_field, typed_minor
from pages.ui.words import plain

RULES = {
    PaymentRule.DESK: N_("Nothing: it is paid at the desk"),
    PaymentRule.DEPOSIT: N_("A deposit"),
    PaymentRule.FULL: N_("All of it"),
}
CLINIC = "prices_clinic"
FAR_AHEAD = timedelta(days=31)  # past every window, so that the example is of somebody who books in time


def clinic_fields(now: ClinicPrices) -> None:
    """Fields for what holds wherever a service has nothing of its own."""
    _rule(_("What is due when somebody books online"), now.payment_rule, f"{CLINIC}_payment_rule")
    first, missed, limit = st.columns(3)
    with first:
        usual = _("As always")
        _rule(_("On a first visit"), now.first_visit_rule, f"{CLINIC}_first_visit_rule", usual)
    with missed:
        _rule(_("After missed visits"), now.no_show_rule, f"{CLINIC}_no_show_rule", usual)
    with limit:
        label = _("How many, in twelve months")
        _number(label, now.no_show_limit, f"{CLINIC}_no_show_limit", _("None set"))
    deposit, holds, currency = st.columns(3)
    with deposit:
        label = _("Deposit, where a service has none of its own (%)")
        _number(label, now.deposit_percent, f"{CLINIC}_deposit_percent")
    with holds:
        label = _("Unpaid visits that one account may hold")
        _number(label, now.unpaid_holds, f"{CLINIC}_unpaid_holds")
    known = clinics.currencies()
    codes = known if now.currency in known else (now.currency, *known)
    currency.selectbox(
        _("Currency"),
        codes,
        index=codes.index(now.currency),
        key=f"{CLINIC}_currency",
        help=_("It stays once a visit has a price. Prices keep their numbers when it changes."),
    )
    _cancelling_fields(CLINIC, now.cancellation_hours, now.late_fee_percent, now.refund_percent)


def service_fields(service: Service, currency: str) -> None:
    """Fields for what a service costs and what of its terms is its own."""
    prefix = _prefix(service)
    price, deposit = st.columns(2)
    with price:
        _sum(_("Price"), service.price_minor, currency, f"{prefix}_price_minor")
    with deposit:
        label = _("Deposit, 0 for the clinic's share")
        _sum(label, service.deposit_minor, currency, f"{prefix}_deposit_minor")
    as_clinic = _("As the clinic")
    _rule(
        _("What is due when somebody books it online"),
        service.payment_rule,
        f"{prefix}_payment_rule",
        as_clinic,
    )
    _cancelling_fields(
        prefix, service.cancellation_hours, service.late_fee_percent, service.refund_percent, as_clinic
    )


def typed_clinic() -> ClinicPrices:
    """What stands in the clinic's fields."""
    return ClinicPrices(**{name: st.session_state.get(f"{CLINIC}_{name}") for name in ClinicPrices._fields})


def typed_service(service: Service, currency: str) -> ServicePrices:
    """What stands in a service's fields."""
    keys = {name: f"{_prefix(service)}_{name}" for name in ServicePrices._fields}
    typed = {name: st.session_state.get(key) for name, key in keys.items()}
    sums = {name: typed_minor(keys[name], currency) or 0 for name in ("price_minor", "deposit_minor")}
    return ServicePrices(**typed | sums)


def show_examples(clinic: ClinicPrices, service: ServicePrices, zone: tzinfo) -> None:
    """What patients would read before they book, whoever the rules tell apart."""
    cases = [(_("Somebody who has been here"), False, 0)]
    if clinic.first_visit_rule is not None:
        cases.append((_("On a first visit"), True, 0))
    if clinic.no_show_rule is not None and clinic.no_show_limit is not None:
        cases.append((_("After missed visits"), False, clinic.no_show_limit))
    starts_at = (clock.now() + FAR_AHEAD).replace(minute=0, second=0, microsecond=0)
    for label, is_first_visit, no_shows in cases:
        agreed = prices.example(clinic, service, is_first_visit=is_first_visit, no_shows=no_shows)
        with st.container(border=True):
            st.caption(plain(label))
            st.markdown(plain(wordings.to_pay(agreed, clinic.currency)))
    st.caption(plain(wordings.cancelling(agreed, starts_at, clock.now(), zone, clinic.currency)))


def _prefix(service: Service) -> str:
    return f"prices_{service.id}"


def _cancelling_fields(
    prefix: str, hours: int | None, late_fee: int | None, refund: int | None, unset: str = ""
) -> None:
    for column, label, value, name in zip(
        st.columns(3),
        (
            _("Cancelling is late from this many hours before"),
            _("Late fee (% of the price)"),
            _("Cancelled in time, this much of what was paid goes back (%)"),
        ),
        (hours, late_fee, refund),
        ("cancellation_hours", "late_fee_percent", "refund_percent"),
        strict=True,
    ):
        with column:
            _number(label, value, f"{prefix}_{name}", unset)


def _rule(label: str, now: PaymentRule | None, key: str, unset: str = "") -> None:
    """A choice among the rules; `unset` names what holds when none is chosen, where that may be."""
    rules: Sequence[PaymentRule | None] = [None, *RULES] if unset else [*RULES]
    names = {None: unset} | {rule: _(words) for rule, words in RULES.items()}
    st.selectbox(label, rules, index=rules.index(now), format_func=names.get, key=key)


def _number(label: str, now: int | None, key: str, unset: str = "") -> None:
    """A whole number; `unset` names what holds while the field is empty, where it may be.

    Without bounds: a browser would keep the old number where it refuses a new one.
    """
    st.number_input(
        label,
        value=now,
        step=1,
        placeholder=unset,
        key=key,
    )


def _sum(label: str, now_minor: int, currency: str, key: str) -> None:
    amount_field(label, currency, key=key, value_minor=now_minor)
