"""The card processor's webhook at the running portal: what is signed is stored and applied, else refused."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import checkouts, payments
from core.stripe_cards import StripeCards
from db.models import Appointment, AppointmentStatus, Doctor, Patient, Payment, ProcessorEvent, Service
from db.session import engine, unit_of_work
from tests import make, portal
from tests.payment_sandbox import KEY, WEBHOOK_SECRET, PaymentSandbox, running
from tests.portal import Residents
from tests.test_launch import free_port


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSandbox]:
    with running(tmp_path_factory.mktemp("stand-in")) as made:
        yield made


@pytest.fixture(scope="module")
def address(
    clinic: Engine,
    residents: Residents,
    stand_in: PaymentSandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    log = tmp_path_factory.mktemp("portal") / "log"
    keys = {
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": stand_in.url,
    }
    with portal.running(clinic, log, port=free_port(), **keys) as url:
        yield url
    portal.require_quiet(log, (WEBHOOK_SECRET, KEY))


def signed(event: dict[str, object], secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, str]:
    """The header with which Stripe sends an event."""
    header = stripe.WebhookSignature.generate_signature_header(
        json.dumps(event), secret, int(time.time() if at is None else at)
    )
    return {"stripe-signature": header}


def event(number: str, kind: str = "charge.updated", **of: object) -> dict[str, object]:
    return {
        "id": number,
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "data": {"object": of},
    }


def told(address: str, what: dict[str, object], headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{address}/webhooks/stripe", content=json.dumps(what), headers=headers)


def stored(clinic: Engine) -> set[str]:
    with Session(clinic) as session:
        return set(session.scalars(select(ProcessorEvent.id)))


def test_a_signed_event_is_stored_once(address: str, clinic: Engine) -> None:
    what = event("evt_once", id="ch_1")
    for _time in range(3):
        assert told(address, what, signed(what)).status_code == 200
    assert "evt_once" in stored(clinic)


def test_an_event_about_an_object_without_a_number_does_no_harm(address: str, clinic: Engine) -> None:
    what = event("evt_balance", "balance.available")
    assert told(address, what, signed(what)).status_code == 200


@pytest.mark.parametrize("how", ["unsigned", "of another secret", "of an hour ago", "of another body"])
def test_what_stripe_has_not_just_signed_is_refused(address: str, clinic: Engine, how: str) -> None:
    what = event(f"evt_{how.replace(' ', '_')}", id="ch_1")
    headers = {
        "unsigned": {},
        "of another secret": signed(what, "whsec_another"),
        "of an hour ago": signed(what, at=time.time() - 3600),
        "of another body": signed(event("evt_other")),
    }[how]
    assert told(address, what, headers).status_code == 400
    assert what["id"] not in stored(clinic)


def test_what_is_no_event_or_too_long_is_refused(address: str) -> None:
    for body, status in ((b"", 400), (b"not json", 400), (b"\xff" * 100, 400), (b"x" * 300_000, 413)):
        answer = httpx.post(
            f"{address}/webhooks/stripe", content=body, headers={"stripe-signature": "t=1,v1=2"}
        )
        assert answer.status_code == status


def test_a_signature_that_is_no_text_of_ours_is_refused(address: str) -> None:
    headers = [(b"stripe-signature", f"t={int(time.time())},v1=".encode() + b"\xe9")]
    answer = httpx.post(f"{address}/webhooks/stripe", content=b"{}", headers=headers)
    assert answer.status_code == 400


def test_a_storm_of_events_and_a_slow_processor_leave_the_portal_well(
    address: str, stand_in: PaymentSandbox
) -> None:
    """The portal has forty threads for all that waits, and its own addresses need them too."""
    stand_in.fault("/v1/refunds", "delay", method="GET", times=60, seconds=8)
    storm = [event(f"evt_storm_{number}", "refund.updated", id=f"re_{number}") for number in range(60)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda each: told(address, each, signed(each)), storm))
    assert {each.status_code for each in answers} == {200}
    try:
        assert httpx.get(f"{address}/healthz", timeout=3).status_code == 200
    finally:
        stand_in.reset()


def test_a_payment_is_confirmed_by_the_webhook_alone(
    address: str,
    clinic: Engine,
    residents: Residents,
    stand_in: PaymentSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No job runs here: the sandbox tells the portal, and the portal looks."""
    monkeypatch.setenv("DATABASE_URL", clinic.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    now = datetime.now(UTC)
    with unit_of_work(clinic) as session:
        visit = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            now + timedelta(days=2),
            patient=session.get_one(Patient, residents.ada_id),
            status="pending",
            hold_expires_at=now + timedelta(minutes=40),
        )
        payment = payments.begin(session, visit, 6000)
    checkouts.advance(payment.id, StripeCards(KEY, stand_in.url))
    engine().dispose()
    with Session(clinic) as session:
        session_id = session.get_one(Payment, payment.id).provider_session_id or ""
    stand_in.set_webhooks(f"{address}/webhooks/stripe")
    stand_in.pay(session_id)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with Session(clinic) as session:
            if session.get_one(Appointment, visit.id).status is AppointmentStatus.CONFIRMED:
                return
        time.sleep(0.1)
    pytest.fail("the webhook has not confirmed the visit")
