"""Texts through Twilio's SDK when something breaks: what each failure means, and that nothing leaves late."""

import json
import socket
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock
from core.sms import LeaseOver, Refusal, SmsBusy, SmsRefused, SmsUncertain, SmsUnreachable
from core.twilio_wire import Wire, departing
from tests import listeners
from tests.cast import time_is
from tests.listeners import Heard
from tests.phones import ADA, BEN, TEXT, Phones, led_to, send, soon

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class TestWhetherItWasSent:
    """The one thing that must be known: what may have been sent is never simply sent again."""

    def test_an_answer_that_was_lost_is_uncertain_and_the_text_is_found(self, phone: Phones) -> None:
        sms, began = phone.sms(), clock.now()
        phone.fault("drop", when="after")
        with pytest.raises(SmsUncertain):
            send(sms)
        assert phone.texts_to(ADA) == [TEXT]
        assert len(sms.find(to=ADA, body=TEXT, since=began)) == 1
        assert phone.attempts() == 1

    def test_a_request_that_was_lost_is_uncertain_and_nothing_is_found(self, phone: Phones) -> None:
        sms, began = phone.sms(), clock.now()
        phone.fault("drop", when="before")
        with pytest.raises(SmsUncertain):
            send(sms)
        assert sms.find(to=ADA, body=TEXT, since=began) == []
        assert phone.attempts() == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_an_error_of_theirs_is_uncertain(self, phone: Phones, when: str) -> None:
        phone.fault("500", when=when)
        with pytest.raises(SmsUncertain):
            send(phone.sms())
        assert len(phone.texts()) == (when == "after")
        assert phone.attempts() == 1

    def test_a_timeout_is_uncertain(self, phone: Phones) -> None:
        phone.fault("delay", when="after", seconds=1)
        with pytest.raises(SmsUncertain):
            send(phone.sms(seconds=0.3))
        assert phone.texts_to(ADA) == [TEXT]

    def test_a_connection_that_nobody_reads_from_is_uncertain(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(SmsUncertain):
            send(led_to(f"http://127.0.0.1:{deaf.getsockname()[1]}", seconds=0.3))

    def test_a_connection_that_is_refused_is_safe_to_repeat(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        with pytest.raises(SmsUnreachable):
            send(led_to(f"http://127.0.0.1:{port}"))

    def test_a_name_that_leads_nowhere_is_safe_to_repeat(self) -> None:
        with pytest.raises(SmsUnreachable):
            send(led_to("http://nowhere.invalid"))

    def test_a_certificate_that_is_none_is_safe_to_repeat(self, edge: Heard) -> None:
        with pytest.raises(SmsUnreachable):
            send(led_to(edge.url.replace("http:", "https:"), seconds=1))
        assert edge.posts == []

    def test_too_many_at_once_is_safe_to_repeat_after_a_while(self, phone: Phones) -> None:
        phone.fault("429")
        with pytest.raises(SmsBusy) as busy:
            send(phone.sms())
        assert busy.value.retry_after == timedelta(seconds=1)
        assert phone.texts() == []

    def test_a_full_queue_is_safe_to_repeat(self, phone: Phones) -> None:
        with pytest.raises(SmsBusy) as busy:
            send(phone.sms(sender="+15005550008"))
        assert busy.value.retry_after is None

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            (200, {}, b"<html>Please sign in to this network</html>"),
            (201, {}, b"[]"),
            (201, {}, b"{}"),
            (201, {}, b'{"sid": "SM0", "num_segments": "many"}'),
            (201, {"content-length": "100"}, b'{"sid": "SM0"'),
            (302, {"location": "http://127.0.0.1:1/"}, b""),
            (408, {}, b""),
            (502, {}, b"<html>Bad gateway</html>"),
        ],
    )
    def test_an_answer_that_makes_no_sense_is_uncertain(
        self, edge: Heard, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        edge.status, edge.headers, edge.body = status, headers | {"connection": "close"}, body
        with pytest.raises(SmsUncertain):
            send(led_to(edge.url))
        assert len(edge.posts) == 1

    @pytest.mark.parametrize(
        ("status", "body", "code", "reason"),
        [
            (400, {"code": 29999, "message": f"{ADA} is odd"}, 29999, Refusal.UNKNOWN),
            (400, {"code": "odd", "message": "odd"}, None, Refusal.UNKNOWN),
            (403, {"code": 20006, "message": "no"}, 20006, Refusal.CREDENTIALS),
            (404, {"code": 20404, "message": "no"}, 20404, Refusal.UNKNOWN),
            (400, {"type": "t", "title": ADA, "status": 400, "code": 21211}, 21211, Refusal.BAD_NUMBER),
        ],
    )
    def test_a_no_is_a_no_in_either_of_the_two_shapes(
        self, edge: Heard, status: int, body: dict[str, Any], code: int | None, reason: Refusal
    ) -> None:
        edge.status, edge.body = status, json.dumps(body).encode()
        with pytest.raises(SmsRefused) as refused:
            send(led_to(edge.url))
        assert (refused.value.code, refused.value.reason) == (code, reason)
        assert ADA not in "".join(traceback.format_exception(refused.value))


class TestTheLease:
    """What comes too late leaves no more, since somebody else may have sent it meanwhile."""

    def test_nothing_leaves_once_it_is_over(self, phone: Phones) -> None:
        with time_is(NOON):
            with pytest.raises(LeaseOver):
                phone.sms().send(to=ADA, body=TEXT, valid_seconds=None, before=NOON)
            assert phone.attempts() == 0
            phone.sms().send(to=ADA, body=TEXT, valid_seconds=None, before=NOON + timedelta(seconds=1))
        assert phone.attempts() == 1

    def test_the_clock_is_asked_again_when_the_connection_stands(
        self, phone: Phones, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As for a process that is frozen, or waits for a slow name server, after its claim."""
        real = socket.getaddrinfo

        def slow(*args: Any, **kwargs: Any) -> Any:
            time.sleep(0.4)
            return real(*args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        with pytest.raises(LeaseOver):
            phone.sms().send(
                to=ADA, body=TEXT, valid_seconds=None, before=clock.now() + timedelta(seconds=0.2)
            )
        assert phone.attempts() == 0
        assert phone.texts() == []

    def test_it_is_asked_again_when_only_the_head_of_the_request_has_left(
        self, phone: Phones, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = iter([NOON, NOON])  # when the connection stands, and before the head

        monkeypatch.setattr("core.clock.now", lambda: next(looks, NOON + timedelta(minutes=5)))
        with pytest.raises(LeaseOver):
            phone.sms().send(to=ADA, body=TEXT, valid_seconds=None, before=NOON + timedelta(seconds=30))
        assert next(looks, None) is None
        assert phone.texts() == []

    def test_it_is_asked_on_a_connection_that_stands_from_before_too(self, phone: Phones) -> None:
        sms = phone.sms()
        send(sms)
        with time_is(NOON), pytest.raises(LeaseOver):
            sms.send(to=BEN, body=TEXT, valid_seconds=None, before=NOON)
        send(sms)
        assert phone.texts_to(BEN) == []
        assert phone.attempts() == 2


@pytest.mark.parametrize("kind", ["drop", "500"])
def test_what_only_reads_can_always_be_repeated(phone: Phones, kind: str) -> None:
    sms = phone.sms()
    taken = send(sms)
    for call, of in (
        (lambda: sms.find(to=ADA, body=TEXT, since=NOON), ".json"),
        (lambda: sms.received(since=NOON), ".json"),
        (lambda: sms.fetch(taken.provider_id), f"/{taken.provider_id}.json"),
    ):
        phone.fault(kind, of=of, method="GET")
        with pytest.raises(SmsUnreachable):
            call()
        phone.fault("429", of=of, method="GET")
        with pytest.raises(SmsBusy) as busy:
            call()
        assert busy.value.retry_after == timedelta(seconds=1)
        call()


def test_a_refusal_to_read_names_nobody_either(edge: Heard) -> None:
    edge.status, edge.body = 400, json.dumps({"code": 20001, "message": f"{ADA} is odd"}).encode()
    for call in (
        lambda: led_to(edge.url).find(to=ADA, body=TEXT, since=NOON),
        lambda: led_to(edge.url).fetch("SM0"),
    ):
        with pytest.raises(SmsRefused) as refused:
            call()
        assert ADA not in "".join(traceback.format_exception(refused.value))


class TestThroughTls:
    """As it is with the real one."""

    @pytest.fixture
    def wire(self, tmp_path: Path) -> Iterator[tuple[Wire, Heard]]:
        with listeners.listening(certificate_in=tmp_path) as heard:
            wire = Wire(heard.url)
            wire.session.verify = str(tmp_path / "certificate.pem")
            yield wire, heard

    def test_what_left_is_known_to_have_left(self, wire: tuple[Wire, Heard]) -> None:
        client, heard = wire
        with departing(soon()) as departure:
            client.request("POST", "https://api.twilio.com/x?y=1", data={"Body": TEXT})
            assert departure.has_left
        assert [path for path, _body, _headers in heard.posts] == ["/x?y=1"]

    def test_what_comes_too_late_does_not_leave(self, wire: tuple[Wire, Heard]) -> None:
        client, heard = wire
        with departing(clock.now()) as departure, pytest.raises(LeaseOver):
            client.request("POST", "https://api.twilio.com/x", data={"Body": TEXT})
        assert not departure.has_left
        assert heard.posts == []

    def test_a_stranger_with_a_certificate_of_his_own_gets_nothing(self, wire: tuple[Wire, Heard]) -> None:
        _client, heard = wire
        with pytest.raises(SmsUnreachable):
            send(led_to(heard.url))
        assert heard.posts == []
