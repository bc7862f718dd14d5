"""The jobs process is killed with -9 at every point of the delivery loop: each text goes out once.

Another process finds what is left, and goes on. What was cancelled before the carrier had it is never sent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

import core
from core import deliveries, twilio_sms
from core.i18n import day_and_time
from db import session as session_module
from db.models import NotificationStatus
from tests import deaths, messages
from tests.cast import BERLIN, on
from tests.messages import Post
from tests.phones import Phones

pytestmark = pytest.mark.long
MODULES = (
    "claims",
    "compositions",
    "deliveries",
    "lost_texts",
    "message_truths",
    "outcomes",
    "phone_states",
    "recipients",
)
SPEAKING = {
    *(str(Path(core.__file__).parent / f"{name}.py") for name in (*MODULES, "twilio_sms", "twilio_wire")),
    session_module.__file__,
}
MOST_WORDS = 80
ARRIVED = {NotificationStatus.SENT, NotificationStatus.DELIVERED}


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch, horizon_days=300) as made:
        yield made


def work() -> int:
    twilio_sms.configured.cache_clear()
    return deliveries.send_waiting()


def settle(post: Post) -> None:
    """The next process, for as long as it may take."""
    for _turn in range(4):
        post.tick(65 * timedelta(seconds=1))
        deliveries.send_waiting(post, post.sms)


def days() -> Iterator[datetime]:
    """A time of its own for each death, on workdays."""
    for number in range(7, 280):
        at = on(1, 10) + timedelta(days=number)
        if at.isoweekday() <= 5:
            yield at.replace(tzinfo=BERLIN)


def each_death(post: Post, trouble: str = "") -> Iterator[tuple[int, datetime]]:
    """A visit whose confirmation somebody was sending when they died, further on each time."""
    for words, at in zip(range(MOST_WORDS), days(), strict=False):
        visit_id = post.book(at=at)
        post.tick()
        if trouble:
            post.phones.fault("drop", when=trouble)
        has_died = deaths.dies_after(words, work, SPEAKING)
        yield visit_id, at
        if not has_died:
            assert words > 10, "the words were not counted"
            return
    pytest.fail(f"still dying after {MOST_WORDS} words")


def plain(at: datetime) -> str:
    return day_and_time(at, BERLIN).replace("\u202f", " ")


@pytest.mark.parametrize("trouble", ["", "after", "before"])
def test_each_text_is_taken_once_and_none_is_lost(post: Post, trouble: str) -> None:
    for visit_id, at in each_death(post, trouble):
        settle(post)
        assert len([text for text in post.texts() if plain(at) in text]) == 1
        [message] = post.messages(visit_id)
        assert message.status in ARRIVED
        assert message.provider_id is not None


def test_what_is_cancelled_before_the_carrier_has_it_is_not_sent(post: Post) -> None:
    seen = set()
    for visit_id, at in each_death(post):
        was_taken = any(plain(at) in text for text in post.texts())
        post.cancel(visit_id)
        settle(post)
        booked = [text for text in post.texts() if plain(at) in text and "you are booked" in text]
        assert len(booked) == was_taken
        seen.add(was_taken)
    assert seen == {True, False}
