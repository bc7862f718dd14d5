"""Texts through Twilio's SDK: sent, found, followed and answered, and what is refused."""

import logging
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, twilio_sms
from core.sms import (
    Progress,
    Refusal,
    SmsFailed,
    SmsRefused,
    SmsUncertain,
    is_final,
    rank,
)
from core.twilio_sms import TwilioSms
from db.config import config
from tests.listeners import Heard
from tests.payment_sandbox import PaymentSandbox
from tests.phones import ACCOUNT, ADA, BEN, NUMBER, SERVICE, TEXT, Phones, led_to, send, soon

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def test_a_text_is_sent_found_and_followed(phone: Phones) -> None:
    phone.set_pace(None)
    sms = phone.sms()
    began = clock.now()
    taken = send(sms)
    assert phone.texts_to(ADA) == [TEXT]
    assert (taken.status, taken.segments) == ("queued", 1)
    assert abs(taken.created_at - began) < timedelta(seconds=5)
    assert sms.find(to=ADA, body=TEXT, since=began) == [taken]
    assert sms.fetch(taken.provider_id) == Progress(taken.provider_id, "queued", None, 1)
    phone.fate(ADA, "undelivered", 30005)
    phone.set_pace(0)
    while (now := sms.fetch(taken.provider_id)).status != "undelivered":
        assert now.error_code is None
    assert now == Progress(taken.provider_id, "undelivered", 30005, 1)


def test_with_a_service_the_sender_is_chosen_later_and_the_text_is_found_all_the_same(phone: Phones) -> None:
    phone.set_pace(None)
    sms = phone.sms(sender=None, service=SERVICE)
    taken = send(sms)
    assert (taken.status, taken.segments) == ("accepted", None)
    assert phone.texts()[0]["from"] is None
    assert sms.find(to=ADA, body=TEXT, since=taken.created_at) == [taken]


def test_only_the_very_text_to_the_very_number_from_then_on_is_found(
    phone: Phones, sandbox: PaymentSandbox
) -> None:
    sms = phone.sms()
    made = []
    for minutes in (0, 10, 20):
        sandbox.set_clock(NOON + timedelta(minutes=minutes))
        made.append(send(sms))
        send(sms, to=BEN)
        send(sms, body=f"{TEXT}.")
    phone.reply(ADA, TEXT)
    found = sms.find(to=ADA, body=TEXT, since=NOON + timedelta(minutes=10, milliseconds=900))
    assert [each.provider_id for each in found] == [each.provider_id for each in made[1:]]
    assert sms.find(to=ADA, body=TEXT, since=NOON + timedelta(minutes=21)) == []


def test_a_text_whose_quotes_a_service_made_plain_is_the_same_text(phone: Phones) -> None:
    sms = phone.sms()
    plain = send(sms, body='It\'s at 9:00 - "City Clinic"')
    found = sms.find(to=ADA, body="It’s at 9:00 – “City Clinic”", since=plain.created_at)
    assert [each.provider_id for each in found] == [plain.provider_id]


def test_replies_come_oldest_first_and_only_those_to_us(phone: Phones, sandbox: PaymentSandbox) -> None:
    sms = phone.sms()
    sandbox.set_clock(NOON)
    send(sms)
    phone.reply(ADA, "too early")
    sandbox.set_clock(NOON + timedelta(minutes=5))
    first = phone.reply(ADA, "C")
    sandbox.set_clock(NOON + timedelta(minutes=6))
    phone.reply(BEN, "not ours", to="+15005550006")
    second = phone.reply(BEN, "N\n ", to=NUMBER)
    received = sms.received(since=NOON + timedelta(minutes=5, milliseconds=500))
    assert [each.provider_id for each in received] == [first, second]
    assert received[0] == (first, ADA, NUMBER, "C", NOON + timedelta(minutes=5))
    assert received[1].body == "N\n "


def test_with_a_service_replies_to_any_of_its_numbers_are_heard(phone: Phones) -> None:
    sms = phone.sms(service=SERVICE)
    taken = send(sms)
    reply = phone.reply(ADA, "C")
    received = sms.received(since=taken.created_at)
    assert [(each.provider_id, each.recipient) for each in received] == [(reply, "+15005550006")]


@pytest.mark.parametrize(
    ("to", "sender", "code", "reason"),
    [
        ("+15005550001", NUMBER, 21211, Refusal.BAD_NUMBER),
        ("0664 1234567", NUMBER, 21211, Refusal.BAD_NUMBER),
        ("+15005550002", NUMBER, 21612, Refusal.NO_ROUTE),
        ("+15005550003", NUMBER, 21408, Refusal.NO_ROUTE),
        ("+15005550004", NUMBER, 21610, Refusal.OPTED_OUT),
        ("+15005550009", NUMBER, 21614, Refusal.NOT_MOBILE),
        (ADA, "+15005550001", 21212, Refusal.CONFIGURATION),
        (ADA, "+15005550007", 21606, Refusal.CONFIGURATION),
    ],
)
def test_what_is_refused_says_why_and_names_nobody(
    phone: Phones, to: str, sender: str, code: int, reason: Refusal
) -> None:
    with pytest.raises(SmsRefused) as refused:
        send(phone.sms(sender=sender), to=to)
    assert (refused.value.code, refused.value.reason) == (code, reason)
    said = "".join(traceback.format_exception(refused.value))
    assert to not in said
    assert TEXT not in said
    assert phone.texts() == []


@pytest.mark.parametrize("body", ["", "x" * 1601])
def test_a_text_that_nobody_would_send_is_our_own_mistake(phone: Phones, body: str) -> None:
    with pytest.raises(SmsRefused) as refused:
        send(phone.sms(), body=body)
    assert refused.value.reason is Refusal.OUR_TEXT


def test_wrong_credentials_are_told_from_everything_else(phone: Phones) -> None:
    wrong = TwilioSms(ACCOUNT, "not the token", sender=NUMBER, base=phone.sandbox.url)
    for call in (
        lambda: send(wrong),
        lambda: wrong.find(to=ADA, body=TEXT, since=NOON),
        lambda: wrong.received(since=NOON),
        lambda: wrong.fetch(f"SM{'0' * 32}"),
    ):
        with pytest.raises(SmsRefused) as refused:
            call()
        assert refused.value.reason is Refusal.CREDENTIALS


def test_somebody_who_said_stop_is_told_apart(phone: Phones) -> None:
    sms = phone.sms()
    send(sms)
    phone.reply(ADA, " stop ")
    with pytest.raises(SmsRefused) as refused:
        send(sms)
    assert refused.value.reason is Refusal.OPTED_OUT
    phone.reply(ADA, "START")
    send(sms)
    assert len(phone.texts_to(ADA)) == 2


def test_a_text_that_is_not_there_is_refused(phone: Phones) -> None:
    with pytest.raises(SmsRefused) as refused:
        phone.sms().fetch(f"SM{'0' * 32}")
    assert refused.value.code == 20404


def test_no_number_and_no_text_gets_into_the_logs(phone: Phones, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sms = phone.sms()
    taken = send(sms)
    sms.find(to=ADA, body=TEXT, since=taken.created_at)
    sms.received(since=NOON)
    with pytest.raises(SmsFailed):
        send(sms, to="+15005550001")
    assert ADA.strip("+") not in caplog.text
    assert TEXT not in caplog.text


@pytest.mark.parametrize(("told", "sent"), [(None, None), (0, "1"), (90, "90"), (10**6, "36000")])
def test_how_long_a_text_is_of_use_is_kept_within_what_is_allowed(
    edge: Heard, told: int | None, sent: str | None
) -> None:
    edge.status = 500
    with pytest.raises(SmsUncertain):
        led_to(edge.url).send(to=ADA, body=TEXT, valid_seconds=told, before=soon())
    assert twilio_sms.form_of(edge.posts[0][1]).get("ValidityPeriod") == sent


def test_a_region_in_the_environment_leads_no_text_past_the_stand_in(
    phone: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    send(phone.sms())
    assert phone.texts_to(ADA) == [TEXT]


def test_the_carrier_is_the_one_of_the_environment(phone: Phones) -> None:
    sms = twilio_sms.configured()
    assert sms is not None
    assert sms is twilio_sms.configured()
    assert sms.sender == NUMBER
    sms.send(to=ADA, body=TEXT, valid_seconds=None, before=soon())
    assert phone.texts_to(ADA) == [TEXT]


def test_without_an_account_there_is_no_carrier() -> None:
    assert twilio_sms.configured() is None
    assert not twilio_sms.is_signed("http://localhost:8501/x", {}, "")


def test_statuses_only_move_forward() -> None:
    way = ["accepted", "queued", "sending", "sent", "delivered", "read"]
    assert sorted(way, key=rank) == way
    assert len({rank(each) for each in way}) == len(way)
    assert rank("delivered") == rank("undelivered") == rank("failed") == rank("canceled") > rank("sent")
    assert [is_final(each) for each in way] == [False, False, False, False, True, True]
    assert rank("a word of tomorrow") < rank("accepted")
    assert not is_final("a word of tomorrow")


@pytest.mark.parametrize(
    ("environment", "told_at"),
    [
        ({"PUBLIC_URL": "https://portal.example.org"}, "https://portal.example.org/webhooks/twilio/status"),
        ({"PUBLIC_URL": "http://clinic.lan"}, None),
        ({"PUBLIC_URL": "https://localhost:8501"}, None),
        (
            {"PUBLIC_URL": "http://localhost:8777", "TWILIO_API_BASE": "http://127.0.0.1:1"},
            "http://localhost:8777/webhooks/twilio/status",
        ),
        (
            {"PUBLIC_URL": "http://clinic.lan", "PORT": "8777", "TWILIO_API_BASE": "http://127.0.0.1:1"},
            "http://localhost:8777/webhooks/twilio/status",
        ),
    ],
)
def test_statuses_are_told_only_where_we_can_be_reached(
    phone: Phones, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told_at: str | None
) -> None:
    monkeypatch.delenv("TWILIO_API_BASE")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config.cache_clear()
    assert twilio_sms.told_at(twilio_sms.STATUS_PATH) == told_at
