"""Twilio's webhooks at the running portal: what is signed is entered once and forwards, the rest refused."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from core import clock
from core.twilio_sms import INBOUND_PATH, STATUS_PATH
from db.models import Channel, InboundMessage, InboundState, Notification, NotificationStatus
from db.session import unit_of_work
from tests import portal
from tests.phones import ACCOUNT, NUMBER, TOKEN
from tests.portal import Residents
from tests.test_launch import free_port

ADA = "+4930111111"
SID = "SM" + "1" * 32
SENT, DELIVERED = NotificationStatus.SENT, NotificationStatus.DELIVERED


@pytest.fixture(scope="module")
def address(clinic: Engine, residents: Residents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("portal") / "log"
    keys = {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": NUMBER,
        "TWILIO_API_BASE": "http://127.0.0.1:1",
    }
    with portal.running(clinic, log, port=free_port(), **keys) as url:
        yield url
    portal.require_quiet(log, (ADA, "4930111111", TOKEN))


@pytest.fixture
def message_id(clinic: Engine) -> Iterator[int]:
    """A text that Twilio has."""
    now = clock.now()
    with unit_of_work(clinic) as session:
        message = Notification(
            channel=Channel.SMS,
            sent_to=ADA,
            body="",
            send_after=now,
            created_at=now,
            status=SENT,
            provider_id=SID,
            provider_status="queued",
        )
        session.add(message)
        session.flush()
        number = message.id
    yield number
    with unit_of_work(clinic) as session:
        session.execute(delete(Notification))


def told(address: str, path: str, token: str = TOKEN, **form: str) -> httpx.Response:
    """What Twilio sends, signed with `token`."""
    signature = RequestValidator(token).compute_signature(f"{address}{path}", form)
    return httpx.post(f"{address}{path}", data=form, headers={"x-twilio-signature": signature})


def status(address: str, word: str, code: str = "", token: str = TOKEN) -> httpx.Response:
    return told(address, STATUS_PATH, token, MessageSid=SID, MessageStatus=word, ErrorCode=code, Body="")


def state_of(clinic: Engine, message_id: int) -> tuple[NotificationStatus, str | None]:
    with Session(clinic) as session:
        message = session.get_one(Notification, message_id)
        return message.status, message.provider_status


def test_a_status_moves_forward_and_never_back(address: str, clinic: Engine, message_id: int) -> None:
    for word in ("sent", "delivered", "sent", "queued", "delivered"):
        assert status(address, word).status_code == 200
    assert state_of(clinic, message_id) == (DELIVERED, "delivered")


def test_a_text_that_was_not_delivered_keeps_the_carriers_number_for_why(
    address: str, clinic: Engine, message_id: int
) -> None:
    status(address, "undelivered", "30003")
    with Session(clinic) as session:
        message = session.get_one(Notification, message_id)
        assert (message.status, message.error_code) == (NotificationStatus.UNDELIVERED, 30003)


def test_a_status_of_a_text_that_is_not_ours_does_no_harm(address: str, clinic: Engine) -> None:
    assert status(address, "delivered").status_code == 200


def test_an_answer_is_kept_once_and_waits_for_the_jobs(address: str, clinic: Engine) -> None:
    for _time in range(3):
        answer = told(address, INBOUND_PATH, MessageSid="SM2", From=ADA, To=NUMBER, Body="C", NumMedia="0")
        assert (answer.status_code, answer.text) == (200, "<Response/>")
    with Session(clinic) as session:
        [inbound] = session.scalars(select(InboundMessage).where(InboundMessage.provider_id == "SM2"))
        assert (inbound.sender, inbound.body, inbound.state) == (ADA, "C", InboundState.NEW)


@pytest.mark.parametrize("path", [STATUS_PATH, INBOUND_PATH])
def test_what_twilio_has_not_signed_is_refused(
    address: str, clinic: Engine, message_id: int, path: str
) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered", "From": ADA, "Body": "N"}
    refused = told(address, path, "another token", **form)
    assert (refused.status_code, refused.text) == (403, "not signed by Twilio")
    assert httpx.post(f"{address}{path}", data=form).status_code == 403
    signature = RequestValidator(TOKEN).compute_signature(f"{address}{path}", form | {"Body": "C"})
    changed = httpx.post(f"{address}{path}", data=form, headers={"x-twilio-signature": signature})
    assert changed.status_code == 403
    assert state_of(clinic, message_id)[0] is SENT
    with Session(clinic) as session:
        assert session.scalars(select(InboundMessage).where(InboundMessage.provider_id == SID)).all() == []


def test_what_is_too_long_is_refused(address: str) -> None:
    assert httpx.post(f"{address}{INBOUND_PATH}", content=b"x" * 300_000).status_code == 413
