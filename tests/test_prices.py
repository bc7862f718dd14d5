"""Prices and terms that administrators set: within bounds, whole or not at all, and in the trail."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import clinics, prices, terms
from core.access import Actor
from core.errors import AccessDenied, ClinicError, NotFound
from core.prices import ClinicPrices, ServicePrices
from db.models import AuditEntry, ClinicSettings, PaymentRule, RuleCause, Service
from db.session import unit_of_work
from tests import make, portal
from tests.app_pages import opened
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.portal import Residents
from tests.test_pages import said

CLINIC = ClinicPrices(
    currency="EUR",
    payment_rule=PaymentRule.DEPOSIT,
    first_visit_rule=PaymentRule.FULL,
    no_show_rule=PaymentRule.FULL,
    no_show_limit=2,
    deposit_percent=40,
    cancellation_hours=48,
    late_fee_percent=50,
    refund_percent=80,
    unpaid_holds=3,
)
SERVICE = ServicePrices(
    price_minor=8050,
    deposit_minor=2000,
    payment_rule=PaymentRule.DEPOSIT,
    cancellation_hours=12,
    late_fee_percent=0,
    refund_percent=100,
)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def entries(session: Session) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def kept(session: Session) -> dict[str, Any]:
    settings = session.get_one(ClinicSettings, 1, populate_existing=True)
    return {name: getattr(settings, name) for name in ClinicPrices._fields}


def test_what_the_clinic_asks_is_set_whole_and_told_in_the_trail(session: Session, cast: Cast) -> None:
    prices.change_clinic(session, cast.admin, wanted=CLINIC)
    assert kept(session) == CLINIC._asdict() == prices.of_clinic(session, cast.admin)._asdict()
    prices.change_clinic(session, cast.admin, wanted=CLINIC._replace(late_fee_percent=30))
    first, second = entries(session)
    assert (first.user_id, first.object_kind) == (cast.admin.user_id, "settings")
    assert second.detail == {"late_fee_percent": 30}, "only what has changed"


def test_what_a_service_asks_counts_for_the_next_booking(session: Session, cast: Cast) -> None:
    wanted = SERVICE._replace(payment_rule=PaymentRule.DESK)
    prices.change_service(session, cast.admin, service_id=cast.checkup.id, wanted=wanted)
    agreed = terms.offered(
        session,
        cast.ada,
        patient_id=cast.ada.patient_ids[0],
        doctor_id=cast.dr_roth.id,
        service_id=cast.checkup.id,
    )
    assert (agreed.price_minor, agreed.cancellation_hours, agreed.late_fee_minor) == (8050, 12, 0)
    [entry] = entries(session)
    assert (entry.object_kind, entry.object_id) == ("service", cast.checkup.id)


def test_the_same_again_leaves_no_entry(session: Session, cast: Cast) -> None:
    for _ in range(2):
        prices.change_clinic(session, cast.admin, wanted=CLINIC)
        prices.change_service(session, cast.admin, service_id=cast.checkup.id, wanted=SERVICE)
    assert len(entries(session)) == 2


def test_without_a_rule_for_missed_visits_their_number_is_forgotten(session: Session, cast: Cast) -> None:
    prices.change_clinic(session, cast.admin, wanted=CLINIC._replace(no_show_rule=None))
    assert kept(session)["no_show_limit"] is None


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"deposit_percent": 0}, prices.PercentOutOfBounds),
        ({"late_fee_percent": 101}, prices.PercentOutOfBounds),
        ({"refund_percent": -1}, prices.PercentOutOfBounds),
        ({"refund_percent": None}, prices.PercentOutOfBounds),
        ({"cancellation_hours": 721}, prices.HoursOutOfBounds),
        ({"no_show_limit": None}, prices.NoShowLimitOutOfBounds),
        ({"no_show_limit": 21}, prices.NoShowLimitOutOfBounds),
        ({"unpaid_holds": 0}, prices.HoldsOutOfBounds),
        ({"currency": "BTC"}, prices.CurrencyUnknown),
        ({"currency": "RSD"}, prices.CurrencyUnknown),
    ],
)
def test_terms_of_the_clinic_out_of_bounds_change_nothing(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[ClinicError]
) -> None:
    before = kept(session)
    with pytest.raises(error) as refused:
        prices.change_clinic(session, cast.admin, wanted=CLINIC._replace(**wrong))
    assert "{" not in str(refused.value)
    assert (kept(session), entries(session)) == (before, [])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"price_minor": -1}, prices.PriceOutOfBounds),
        ({"price_minor": 100_000_000}, prices.PriceOutOfBounds),
        ({"deposit_minor": -1}, prices.PriceOutOfBounds),
        ({"deposit_minor": 8051}, prices.DepositAbovePrice),
        ({"late_fee_percent": 101}, prices.PercentOutOfBounds),
        ({"refund_percent": 101}, prices.PercentOutOfBounds),
        ({"cancellation_hours": -1}, prices.HoursOutOfBounds),
    ],
)
def test_terms_of_a_service_out_of_bounds_change_nothing(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[ClinicError]
) -> None:
    with pytest.raises(error) as refused:
        prices.change_service(
            session, cast.admin, service_id=cast.checkup.id, wanted=SERVICE._replace(**wrong)
        )
    assert "{" not in str(refused.value)
    assert session.get_one(Service, cast.checkup.id, populate_existing=True).price_minor == 6000
    assert entries(session) == []


def test_a_service_that_is_gone_is_told_so(session: Session, cast: Cast) -> None:
    with pytest.raises(NotFound):
        prices.change_service(session, cast.admin, service_id=0, wanted=SERVICE)


def test_only_administrators_set_prices(session: Session, cast: Cast) -> None:
    others: list[Actor] = [cast.ada, cast.roth, cast.desk, cast.stranger]
    for actor in others:
        with pytest.raises(AccessDenied):
            prices.change_clinic(session, actor, wanted=CLINIC)
        with pytest.raises(AccessDenied):
            prices.change_service(session, actor, service_id=cast.checkup.id, wanted=SERVICE)


def test_the_currency_stays_once_a_visit_has_a_price(session: Session, cast: Cast) -> None:
    prices.change_clinic(session, cast.admin, wanted=CLINIC._replace(currency="JPY"))
    assert kept(session)["currency"] == "JPY"
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), price_minor=0)
    prices.change_clinic(session, cast.admin, wanted=CLINIC._replace(currency="USD"))
    make.appointment(session, cast.dr_roth, cast.checkup, on(3, 11))
    with pytest.raises(prices.CurrencyFixed, match="stays USD"):
        prices.change_clinic(session, cast.admin, wanted=CLINIC)
    assert kept(session)["currency"] == "USD"


def test_currencies_are_those_whose_minor_units_the_processor_counts_as_we_do() -> None:
    known = clinics.currencies()
    assert {"EUR", "USD", "GBP", "JPY", "KRW", "CLP", "VND", "CHF"} <= set(known)
    assert not {"RSD", "LBP", "ISK", "UGX", "KWD", "BTC", "DEM"} & set(known)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [(60.0, "EUR", 6000), (19.99, "EUR", 1999), (0.29, "USD", 29), (1.005, "EUR", 101), (4500, "JPY", 4500)],
)
def test_a_typed_price_is_whole_minor_units(typed: float, currency: str, minor: int) -> None:
    assert clinics.minor_units(typed, currency) == minor


@pytest.mark.parametrize("currency", ["EUR", "JPY", "USD"])
@pytest.mark.parametrize("minor", [0, 1, 29, 1999, 99_999_999])
def test_a_price_survives_being_shown_to_be_typed_over(minor: int, currency: str) -> None:
    assert clinics.minor_units(clinics.typed_amount(minor, currency), currency) == minor


def test_an_example_is_what_a_booking_comes_to(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    prices.change_clinic(session, cast.admin, wanted=CLINIC)
    prices.change_service(session, cast.admin, service_id=cast.checkup.id, wanted=SERVICE)
    who = {"doctor_id": cast.dr_roth.id, "service_id": cast.checkup.id}
    offered = terms.offered(session, cast.ada, patient_id=cast.ada.patient_ids[0], **who)
    assert offered == prices.example(CLINIC, SERVICE, is_first_visit=True, no_shows=0)
    assert (offered.due_minor, offered.rule_cause) == (8050, RuleCause.FIRST_VISIT)


@pytest.fixture
def residents(database: Engine) -> Residents:
    with unit_of_work(database) as session:
        return portal.settle_in(session)


@pytest.fixture
def albert(
    database: Engine, residents: Residents, noon_without_cookies: None, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    """The page as the administrator sees it."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    return opened(database, "albert", "pages/admin/prices.py")


def shown(app: AppTest) -> str:
    return "\n".join(said([*app.markdown, *app.caption]))


def test_the_page_shows_what_patients_will_read_before_it_is_saved(
    albert: AppTest, database: Engine, residents: Residents
) -> None:
    assert not albert.exception
    assert "It costs €60.00, which is paid at the desk." in shown(albert)
    albert.selectbox(key="prices_clinic_payment_rule").set_value(PaymentRule.DEPOSIT).run()
    assert "It costs €60.00: a deposit of €18.00 is paid now, the other €42.00 at the desk." in shown(albert)
    albert.number_input(key="prices_clinic_late_fee_percent").set_value(50).run()
    assert "After that cancelling costs €30.00, and only reception can move it." in shown(albert)
    albert.button(key="prices_save_clinic").click().run()
    assert said(albert.success) == ["Saved."]
    number = residents.checkup_id
    albert.number_input(key=f"prices_{number}_price_minor").set_value(19.99)
    albert.selectbox(key=f"prices_{number}_payment_rule").set_value(PaymentRule.FULL)
    albert.button(key="prices_save_service").click().run()
    assert not albert.exception
    with Session(database) as session:
        service, clinic = session.get_one(Service, number), session.get_one(ClinicSettings, 1)
        assert (service.price_minor, service.payment_rule) == (1999, PaymentRule.FULL)
        assert (clinic.payment_rule, clinic.late_fee_percent) == (PaymentRule.DEPOSIT, 50)


def test_the_page_refuses_with_a_sentence(albert: AppTest, database: Engine, residents: Residents) -> None:
    albert.number_input(key=f"prices_{residents.checkup_id}_deposit_minor").set_value(60.01)
    albert.button(key="prices_save_service").click().run()
    assert said(albert.error) == ["A deposit cannot be more than the price."]
    albert.selectbox(key="prices_clinic_no_show_rule").set_value(PaymentRule.FULL)
    albert.button(key="prices_save_clinic").click().run()
    assert said(albert.error) == [
        "Please say after how many missed visits the stricter rule applies: 1 to 20."
    ]
    with Session(database) as session:
        assert session.get_one(Service, residents.checkup_id).deposit_minor == 0


def test_yen_have_no_decimals_on_the_page(albert: AppTest, database: Engine, residents: Residents) -> None:
    albert.selectbox(key="prices_clinic_currency").set_value("JPY")
    albert.button(key="prices_save_clinic").click().run()
    albert.number_input(key=f"prices_{residents.checkup_id}_price_minor").set_value(4500)
    albert.button(key="prices_save_service").click().run()
    assert not albert.exception
    assert "It costs ¥4,500" in shown(albert).replace("JP¥", "¥")
    with Session(database) as session:
        assert session.get_one(Service, residents.checkup_id).price_minor == 4500
