"""Messages: sent once through a real mail server, again after a crash, and their codes kept nowhere."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import deliveries, mailers, notifications
from core.claims import ATTEMPTS
from core.claims import MAIL_LEASE as LEASE
from core.mailers import Mailer, SmtpMailer
from core.notifications import KEEP
from db.config import config
from db.models import Channel, Notification, NotificationStatus
from db.session import unit_of_work
from tests import mail_server, make
from tests.cast import NOW, time_is
from tests.mail_server import Mailbox

ADA = "ada@example.org"
MINUTE = timedelta(minutes=1)
PENDING, SENDING = NotificationStatus.PENDING, NotificationStatus.SENDING
SENT, FAILED = NotificationStatus.SENT, NotificationStatus.FAILED


class Killed(Exception):
    """The process died in the middle of sending."""


class DyingMailer:
    def send(self, *, to: str, subject: str, body: str, key: str, calendar: bytes | None = None) -> None:
        raise Killed


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_is(NOW):
        yield


@pytest.fixture
def inbox() -> Iterator[Mailbox]:
    with mail_server.listening() as mailbox:
        yield mailbox


@pytest.fixture
def post(inbox: Mailbox) -> Mailer:
    return SmtpMailer(f"smtp://127.0.0.1:{inbox.port}", "portal@clinic.example")


@pytest.fixture
def letter_id(database: Engine) -> int:
    """A letter with a code that is good for half an hour."""
    with unit_of_work(database) as session:
        make.clinic(session)
        notifications.enqueue_email(
            session,
            to=ADA,
            subject="Your code for Zoë's\nclinic",
            body="Your code is 123456.\n.\nGrüße!",
            is_secret=True,
            expires_at=NOW + timedelta(minutes=30),
        )
        return session.scalars(select(Notification)).one().id


def kept(database: Engine, letter_id: int) -> Notification:
    with unit_of_work(database) as session:
        return session.get_one(Notification, letter_id)


def test_a_letter_arrives_as_written_and_its_code_is_kept_nowhere(
    database: Engine, letter_id: int, inbox: Mailbox, post: Mailer
) -> None:
    assert deliveries.send_waiting(post) == 1
    [arrived] = inbox.arrived
    assert (arrived["To"], arrived["From"]) == (ADA, "portal@clinic.example")
    assert arrived["Subject"] == "Your code for Zoë's clinic"
    assert arrived.get_content() == "Your code is 123456.\n.\nGrüße!\n"
    row = kept(database, letter_id)
    assert (row.status, row.body, row.sent_at) == (SENT, "", NOW)
    assert deliveries.send_waiting(post) == 0


def test_a_letter_that_is_rolled_back_is_never_sent(database: Engine, inbox: Mailbox, post: Mailer) -> None:
    def die_before_the_end() -> None:
        with unit_of_work(database) as session:
            notifications.enqueue_email(session, to=ADA, subject="Hello", body="Hello")
            raise Killed

    with pytest.raises(Killed):
        die_before_the_end()
    assert deliveries.send_waiting(post) == 0
    assert inbox.arrived == []


def test_a_process_that_dies_in_between_leaves_it_to_another_ten_minutes_later(
    database: Engine, letter_id: int, inbox: Mailbox, post: Mailer
) -> None:
    with pytest.raises(Killed):
        deliveries.send_waiting(DyingMailer())
    assert kept(database, letter_id).status is SENDING
    with time_is(NOW + LEASE - timedelta(seconds=1)):
        assert deliveries.send_waiting(post) == 0
    with time_is(NOW + LEASE):
        assert deliveries.send_waiting(post) == 1
    assert len(inbox.arrived) == 1


def test_five_lost_attempts_are_the_last(database: Engine, inbox: Mailbox, post: Mailer) -> None:
    with unit_of_work(database) as session:
        notifications.enqueue_email(session, to=ADA, subject="Hello", body="Hello")
        letter_id = session.scalars(select(Notification)).one().id
    for attempt in range(ATTEMPTS):
        with time_is(NOW + attempt * LEASE), pytest.raises(Killed):
            deliveries.send_waiting(DyingMailer())
    with time_is(NOW + ATTEMPTS * LEASE):
        assert deliveries.send_waiting(post) == 0
    assert kept(database, letter_id).status is FAILED
    assert inbox.arrived == []


def test_a_busy_server_is_asked_again_later(
    database: Engine, letter_id: int, inbox: Mailbox, post: Mailer
) -> None:
    inbox.refusals = ["451 try again, ada@example.org is busy"]
    assert deliveries.send_waiting(post) == 1
    row = kept(database, letter_id)
    assert (row.status, row.error) == (PENDING, "SMTPDataError 451")
    assert row.body
    assert deliveries.send_waiting(post) == 0
    with time_is(NOW + MINUTE):
        assert deliveries.send_waiting(post) == 1
    assert len(inbox.arrived) == 1


def test_a_refusal_for_good_is_final(database: Engine, letter_id: int, inbox: Mailbox, post: Mailer) -> None:
    inbox.refusals = ["550 no such mailbox"]
    deliveries.send_waiting(post)
    row = kept(database, letter_id)
    assert (row.status, row.body) == (FAILED, "")


def test_a_server_that_is_not_there_is_asked_again_later(database: Engine, letter_id: int) -> None:
    assert deliveries.send_waiting(SmtpMailer("smtp://127.0.0.1:1", "portal@clinic.example")) == 1
    assert kept(database, letter_id).status is PENDING


def test_a_letter_whose_code_has_run_out_is_not_sent(
    database: Engine, letter_id: int, inbox: Mailbox, post: Mailer
) -> None:
    with time_is(NOW + timedelta(minutes=30)):
        assert deliveries.send_waiting(post) == 0
    row = kept(database, letter_id)
    assert (row.status, row.body, row.error) == (FAILED, "", "not sent in time")
    assert inbox.arrived == []


def test_text_messages_wait(database: Engine, post: Mailer) -> None:
    with unit_of_work(database) as session:
        notifications.enqueue_sms(session, to="+4915112345678", body="Your code is 123456.")
    assert deliveries.send_waiting(post) == 0
    with unit_of_work(database) as session:
        assert session.scalars(select(Notification.status)).one() is PENDING


def test_two_processes_send_each_letter_once(database: Engine, inbox: Mailbox, post: Mailer) -> None:
    with unit_of_work(database) as session:
        for number in range(20):
            notifications.enqueue_email(session, to=f"p{number}@example.org", subject="Hello", body="Hello")
    gun = Barrier(4)

    def work() -> None:
        gun.wait()
        deliveries.send_waiting(post)

    processes = [Thread(target=work) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(each["To"] for each in inbox.arrived) == sorted(f"p{n}@example.org" for n in range(20))


def test_old_messages_are_forgotten(session: Session) -> None:
    notifications.enqueue_email(session, to=ADA, subject="Hello", body="Hello")
    with time_is(NOW + KEEP - MINUTE):
        assert notifications.forget_old(session) == 0
    with time_is(NOW + KEEP):
        assert notifications.forget_old(session) == 1


def test_a_real_clinic_without_a_mail_server_sends_nothing_and_shows_nothing(session: Session) -> None:
    make.clinic(session)
    notifications.enqueue_email(session, to=ADA, subject="Hello", body="Hello")
    assert not notifications.can_send(session, Channel.EMAIL)
    assert notifications.mailbox(session) == []


def test_the_demo_has_a_mailbox_unless_it_has_a_mail_server(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.clinic(session, is_demo=True)
    for number in range(30):
        notifications.enqueue_email(session, to=ADA, subject=f"Hello {number}", body="Hello")
    assert notifications.can_send(session, Channel.SMS)
    session.scalars(select(Notification).order_by(Notification.id)).all()[-1].sent_to = ""  # not written yet
    shown = notifications.mailbox(session)
    assert [shown[0].subject, len(shown)] == ["Hello 28", notifications.MAILBOX_SHOWN]
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("MAIL_FROM", "portal@clinic.example")
    config.cache_clear()
    assert notifications.mailbox(session) == []
    assert isinstance(mailers.configured(), SmtpMailer)


def test_production_shows_no_mailbox(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    make.clinic(session, is_demo=True)
    notifications.enqueue_email(session, to=ADA, subject="Hello", body="Hello")
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    config.cache_clear()
    assert notifications.mailbox(session) == []
