"""Texts to us: whatever was down for however long, each is read once, and none that was erased comes back."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import clock, heartbeats, inbound_texts, privacy
from core.sms import Received
from db.models import InboundMessage, InboundState
from db.session import unit_of_work
from tests import messages
from tests.messages import ADA, GRETA, HOUR, MINUTE, Post
from tests.phones import Phones


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


def poll(post: Post) -> None:
    """One turn of the job that asks the carrier, with its heartbeat."""
    lease, every = uuid4(), timedelta(seconds=20)
    with unit_of_work(post.database) as session:
        assert heartbeats.take(session, name=inbound_texts.JOB, every=every, length=MINUTE, lease=lease)
    inbound_texts.read_new(post.sms)
    with unit_of_work(post.database) as session:
        heartbeats.succeed(session, name=inbound_texts.JOB, lease=lease, touched=0)


def bodies(post: Post) -> list[str]:
    with Session(post.database) as session:
        return list(session.scalars(select(InboundMessage.body).order_by(InboundMessage.received_at)))


def test_a_text_that_only_the_carrier_kept_is_read_although_a_later_one_was_brought(post: Post) -> None:
    poll(post)
    post.tick(HOUR)
    post.phones.reply(ADA, "STOP", to=post.sms.sender)  # nobody was at the door, and the jobs were down
    post.tick(3 * HOUR)
    with unit_of_work(post.database) as session:
        inbound_texts.store(session, [Received("SM1", GRETA, "", "C", clock.now())])
    poll(post)
    assert bodies(post) == ["STOP", "C"]


def test_after_days_without_the_jobs_all_is_read_also_where_nobody_had_texted_before(post: Post) -> None:
    poll(post)
    post.tick(HOUR)
    post.phones.reply(ADA, "STOP", to=post.sms.sender)
    post.tick(timedelta(days=3))
    poll(post)
    assert bodies(post) == ["STOP"]


def test_a_clock_that_was_ahead_when_a_text_came_hides_no_later_one(post: Post) -> None:
    with unit_of_work(post.database) as session:
        ahead = clock.now() + timedelta(days=2)
        inbound_texts.store(session, [Received("SM1", GRETA, "", "C", ahead)])
    poll(post)
    post.tick(MINUTE)
    post.phones.reply(ADA, "STOP", to=post.sms.sender)
    poll(post)
    assert set(bodies(post)) == {"STOP", "C"}


def test_an_erased_persons_texts_stay_erased_although_the_carrier_still_has_them(post: Post) -> None:
    post.reply(ADA, "I am ill")
    with unit_of_work(post.database) as session:
        ada = post.cast.ada
        privacy.erase(session, ada, patient_id=ada.patient_ids[0], confirm_name=ada.name)
    post.tick(MINUTE)
    post.turn()
    with Session(post.database) as session:
        [left] = session.scalars(select(InboundMessage)).all()
        assert (left.sender, left.body, left.patient_id) == ("", "", None)
        assert left.state is InboundState.DONE
