"""The sandbox as Twilio's SDK sees it: messages that move on, lists in pages, opt-outs, signed webhooks."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from core import twilio_sms
from sandbox.twilio_segments import segments
from tests import listeners
from tests.listeners import Heard
from tests.payment_sandbox import PaymentSandbox
from tests.phones import ACCOUNT, NUMBER, SERVICE, TOKEN, Phones

ADA, BEN = "+436641234567", "+436647654321"
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PATIENCE_SECONDS = 10


@pytest.fixture
def portal() -> Iterator[Heard]:
    """Who is told of statuses and replies."""
    with listeners.listening() as heard:
        yield heard


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_same_request_twice_makes_two_messages(phone: Phones) -> None:
    client = phone.client()
    made = [client.messages.create(to=ADA, from_=NUMBER, body="Hello") for _each in range(2)]
    assert made[0].sid != made[1].sid
    assert phone.texts_to(ADA) == ["Hello", "Hello"]


def test_a_message_has_the_fields_of_twilios(phone: Phones, sandbox: PaymentSandbox) -> None:
    sandbox.set_clock(NOON)
    phone.set_pace(None)
    made = phone.client().messages.create(to=ADA, from_=NUMBER, body="x" * 161)
    assert (made.status, made.direction, made.num_segments) == ("queued", "outbound-api", "2")
    assert (made.to, made.from_, made.account_sid) == (ADA, NUMBER, ACCOUNT)
    assert (made.date_created, made.date_sent) == (NOON, None)
    assert made.error_code is None
    assert phone.client().messages(str(made.sid)).fetch().uri == made.uri
    raw = httpx.get(f"{sandbox.url}{made.uri}", auth=(ACCOUNT, TOKEN)).json()
    assert raw["date_created"] == "Mon, 01 Jun 2026 12:00:00 +0000"


def test_a_message_moves_on_by_the_clock_a_step_a_second(phone: Phones, sandbox: PaymentSandbox) -> None:
    sandbox.set_clock(NOON)
    phone.set_pace(1)
    sid = str(phone.client().messages.create(to=ADA, from_=NUMBER, body="Hello").sid)
    seen = []
    for seconds in range(5):
        sandbox.set_clock(NOON + timedelta(seconds=seconds))
        seen.append(phone.client().messages(sid).fetch().status)
    assert seen == ["queued", "sending", "sent", "delivered", "delivered"]


@pytest.mark.parametrize(
    ("status", "error_code", "was_sent"),
    [("undelivered", 30005, True), ("failed", 30003, False), ("sent", None, True), ("queued", None, False)],
)
def test_a_message_ends_as_its_number_was_told_to(
    phone: Phones, status: str, error_code: int | None, was_sent: bool
) -> None:
    phone.fate(ADA, status, error_code)
    client = phone.client()
    sid = str(client.messages.create(to=ADA, from_=NUMBER, body="Hello").sid)
    other = str(client.messages.create(to=BEN, from_=NUMBER, body="Hello").sid)
    wait_until(lambda: phone.status_of(other) == "delivered")
    ended = client.messages(sid).fetch()
    assert (ended.status, ended.error_code) == (status, error_code)
    assert (ended.date_sent is not None) is was_sent


def test_a_message_that_has_not_left_can_be_canceled_and_no_other(phone: Phones) -> None:
    client = phone.client()
    phone.set_pace(None)
    made = client.messages.create(to=ADA, from_=NUMBER, body="Hello")
    assert made.update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException):
        made.update(status="canceled")
    assert made.delete()
    assert client.messages.list() == []
    waiting = client.messages.create(to=ADA, from_=NUMBER, body="Hello")
    with pytest.raises(TwilioRestException):
        waiting.delete()


def test_a_list_is_paged_newest_first_and_none_is_missing_or_twice(phone: Phones) -> None:
    client = phone.client()
    for number in range(25):
        client.messages.create(to=ADA if number % 2 else BEN, from_=NUMBER, body=f"Text {number}")
    bodies = [each.body for each in client.messages.list(page_size=4)]
    assert bodies == [f"Text {number}" for number in reversed(range(25))]
    to_ada = client.messages.list(to=ADA, page_size=5, limit=7)
    assert [each.body for each in to_ada] == [f"Text {number}" for number in range(23, 10, -2)]
    assert client.messages.list(from_="+15005550006") == []
    listed = phone.sandbox.calls(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", "GET")
    assert len(listed) == 7 + 2 + 1


def test_a_list_by_date_leaves_out_what_was_not_sent_yet(phone: Phones, sandbox: PaymentSandbox) -> None:
    client = phone.client()
    for day in range(3):
        sandbox.set_clock(NOON + timedelta(days=day))
        phone.set_pace(0)
        client.messages.create(to=ADA, from_=NUMBER, body=f"Day {day}")
        wait_until(lambda: phone.texts()[-1]["status"] == "delivered")
    phone.set_pace(None)
    client.messages.create(to=ADA, from_=NUMBER, body="Waiting")
    after = client.messages.list(date_sent_after=NOON + timedelta(days=1))
    assert [each.body for each in after] == ["Day 2", "Day 1"]
    assert [each.body for each in client.messages.list(date_sent_before=NOON)] == ["Day 0"]
    whole = httpx.get(
        f"{sandbox.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        params={"DateSent": "2026-06-02"},
        auth=(ACCOUNT, TOKEN),
    )
    assert [each["body"] for each in whole.json()["messages"]] == ["Day 1"]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"from_": NUMBER, "body": "Hello"}, 21604),
        ({"to": ADA, "body": "Hello"}, 21603),
        ({"to": ADA, "from_": NUMBER}, 21602),
        ({"to": ADA, "from_": NUMBER, "body": "x" * 1601}, 21617),
        ({"to": "0664 123", "from_": NUMBER, "body": "Hello"}, 21211),
        ({"to": ADA, "messaging_service_sid": "MG1", "body": "Hello"}, 21705),
        ({"to": ADA, "from_": NUMBER, "body": "Hello", "status_callback": "nowhere"}, 21609),
        ({"to": ADA, "from_": NUMBER, "body": "Hello", "max_price": "1"}, 20001),
    ],
)
def test_a_wrong_request_is_refused_with_twilios_number(
    phone: Phones, wanted: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        phone.client().messages.create(**{"to": "", **wanted})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert phone.texts() == []


@pytest.mark.parametrize(
    ("account", "token"), [(ACCOUNT, "another"), (f"AC{'0' * 32}", TOKEN), ("AC0", TOKEN), ("", TOKEN)]
)
def test_only_the_account_with_its_token_may_ask(phone: Phones, account: str, token: str) -> None:
    address = f"{phone.sandbox.url}/2010-04-01/Accounts/{account}/Messages.json"
    answer = httpx.get(address, auth=(account, token))
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert httpx.get(address).status_code == 401


def test_nobody_sees_another_accounts_messages(phone: Phones, sandbox: PaymentSandbox) -> None:
    sid = str(phone.client().messages.create(to=ADA, from_=NUMBER, body="Hello").sid)
    sandbox.tell("texts", {"account": None, "token": None})
    other = phone.client(account=f"AC{'0' * 32}", token="any")
    assert other.messages.list() == []
    with pytest.raises(TwilioRestException) as refused:
        other.messages(sid).fetch()
    assert refused.value.code == 20404


class TestOptingOut:
    """The carrier hears the words before anybody else, and tells us of them all the same."""

    @pytest.mark.parametrize("word", ["STOP", "stop", " Cancel ", "END", "QUIT", "UNSUBSCRIBE", "OPTOUT"])
    def test_each_of_the_words_ends_texts_from_that_number_alone(self, phone: Phones, word: str) -> None:
        client = phone.client()
        client.messages.create(to=ADA, from_=NUMBER, body="Hello")
        phone.reply(ADA, word)
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to=ADA, from_=NUMBER, body="Hello")
        assert refused.value.code == 21610
        client.messages.create(to=ADA, from_="+15005550006", body="Hello")
        client.messages.create(to=BEN, from_=NUMBER, body="Hello")
        received = [each.body for each in client.messages.list(to=NUMBER)]
        assert received == [word]

    @pytest.mark.parametrize("word", ["START", "yes", "UNSTOP"])
    def test_each_of_the_other_words_lets_them_begin_again(self, phone: Phones, word: str) -> None:
        client = phone.client()
        client.messages.create(to=ADA, from_=NUMBER, body="Hello")
        phone.reply(ADA, "STOP")
        phone.reply(ADA, word)
        client.messages.create(to=ADA, from_=NUMBER, body="Again")
        assert phone.texts_to(ADA) == ["Hello", "Again"]

    @pytest.mark.parametrize("body", ["please stop texting me", "stop.", "C", "N"])
    def test_a_sentence_is_no_word(self, phone: Phones, body: str) -> None:
        client = phone.client()
        client.messages.create(to=ADA, from_=NUMBER, body="Hello")
        phone.reply(ADA, body)
        client.messages.create(to=ADA, from_=NUMBER, body="Again")

    def test_the_pool_of_a_service_is_one_sender(self, phone: Phones) -> None:
        client = phone.client()
        sid = str(client.messages.create(to=ADA, messaging_service_sid=SERVICE, body="Hello").sid)
        wait_until(lambda: phone.status_of(sid) == "delivered")
        assert client.messages(sid).fetch().from_ == "+15005550006"
        phone.reply(ADA, "STOP")
        with pytest.raises(TwilioRestException):
            client.messages.create(to=ADA, messaging_service_sid=SERVICE, body="Hello")

    def test_the_carriers_own_answers_are_no_messages_of_the_account(self, phone: Phones) -> None:
        phone.client().messages.create(to=ADA, from_=NUMBER, body="Hello")
        for word in ("HELP", "STOP", "START"):
            phone.reply(ADA, word)
        assert phone.texts_to(ADA) == ["Hello"]
        shown = httpx.get(f"{phone.sandbox.url}/phones/{ADA}").text
        assert shown.count("from the carrier") == 3


class TestWebhooks:
    """Told once, in order, and signed so that the SDK's own check and ours agree."""

    def told(self, portal: Heard, path: str) -> list[dict[str, str]]:
        forms = []
        for where, body, headers in portal.posts:
            form = twilio_sms.form_of(body)
            seal = headers["x-twilio-signature"]
            assert RequestValidator(TOKEN).validate(f"{portal.url}{where}", form, seal)
            if where == path:
                forms.append(form)
        return forms

    def test_every_status_after_the_first_is_told_in_order(self, phone: Phones, portal: Heard) -> None:
        phone.set_webhooks(f"{portal.url}/status?clinic=1", None)
        phone.fate(ADA, "undelivered", 30005)
        made = phone.client().messages.create(to=ADA, messaging_service_sid=SERVICE, body="Hello")
        wait_until(lambda: len(portal.posts) == 4)
        forms = self.told(portal, "/status?clinic=1")
        assert [form["MessageStatus"] for form in forms] == ["queued", "sending", "sent", "undelivered"]
        assert {form["MessageSid"] for form in forms} == {made.sid}
        progress = [twilio_sms.told_progress(form) for form in forms]
        assert progress[-1] == (made.sid, "undelivered", 30005, None)
        assert progress[0] == (made.sid, "queued", None, None)

    def test_the_address_in_the_request_goes_before_the_usual_one(self, phone: Phones, portal: Heard) -> None:
        phone.set_webhooks(f"{portal.url}/usual", None)
        phone.sms(status_callback=f"{portal.url}/own").send(
            to=ADA, body="Hello", valid_seconds=None, before=datetime.max.replace(tzinfo=UTC)
        )
        wait_until(lambda: len(portal.posts) == 3)
        assert len(self.told(portal, "/own")) == 3

    def test_a_reply_is_told_with_its_empty_fields(self, phone: Phones, portal: Heard) -> None:
        phone.set_webhooks(None, f"{portal.url}/inbound")
        sid = phone.reply(ADA, "Ja, gern & danke + bis bald\n", to=NUMBER)
        wait_until(lambda: len(portal.posts) == 1)
        form = self.told(portal, "/inbound")[0]
        assert form["ToCountry"] == ""
        text = twilio_sms.told_text(form)
        assert text is not None
        assert text[:4] == (sid, ADA, NUMBER, "Ja, gern & danke + bis bald\n")

    def test_what_is_refused_is_not_told_again(self, phone: Phones, portal: Heard) -> None:
        portal.status = 500
        phone.set_webhooks(None, f"{portal.url}/inbound")
        phone.reply(ADA, "C", to=NUMBER)
        phone.reply(ADA, "N", to=NUMBER)
        wait_until(lambda: len(portal.posts) == 2)
        time.sleep(0.3)
        assert [form["Body"] for form in self.told(portal, "/inbound")] == ["C", "N"]

    def test_our_check_takes_what_the_stand_in_signs_and_nothing_else(
        self, phone: Phones, portal: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"{portal.url}/webhooks/twilio/inbound?x="
        monkeypatch.setenv("PUBLIC_URL", portal.url)
        twilio_sms.config.cache_clear()
        phone.set_webhooks(None, url)
        phone.reply(ADA, "C", to=NUMBER)
        wait_until(lambda: len(portal.posts) == 1)
        _path, body, headers = portal.posts[0]
        form, seal = twilio_sms.form_of(body), headers["x-twilio-signature"]
        assert twilio_sms.is_signed(url, form, seal)
        assert not twilio_sms.is_signed(url, form | {"Body": "N"}, seal)
        assert not twilio_sms.is_signed(url, {k: v for k, v in form.items() if v}, seal)
        assert not twilio_sms.is_signed(url.removesuffix("?x="), form, seal)
        for other in ("", "ü", seal[::-1]):
            assert not twilio_sms.is_signed(url, form, other)
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another")
        twilio_sms.config.cache_clear()
        assert not twilio_sms.is_signed(url, form, seal)


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM0"}, {"From": ADA, "MessageStatus": "sent"}])
def test_a_webhook_that_says_nothing_is_none(form: dict[str, str]) -> None:
    assert twilio_sms.told_progress(form) is None
    assert twilio_sms.told_text(form) is None


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 100, 2),
        ("x" * 152 + "€" + "x" * 152, 3),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_as_phones_do(body: str, count: int) -> None:
    assert segments(body) == count
