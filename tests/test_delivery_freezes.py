"""A process that sends is frozen and woken long after: each text is accepted once, and none is left waiting.

First at every point of the delivery loop, in a fork that freezes itself; then two whole jobs processes, one
of which is stopped, or killed, in the middle of its texts. Where decision 0009 says that nothing protects us,
between the last look at the clock and the write that follows it, no process is frozen here.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from core import announcements, clock, deliveries, twilio_sms
from core.i18n import day_and_time
from db.models import Notification, NotificationStatus
from db.session import forget_engine, unit_of_work
from tests import deaths, make, messages
from tests.cast import BERLIN, on, time_is
from tests.job_process import HASTE, hurried
from tests.jobs_running import Jobs, running_jobs, wait_until
from tests.messages import Post
from tests.phones import ACCOUNT, Phones
from tests.test_delivery_kills import ARRIVED, MOST_WORDS, SPEAKING, days

pytestmark = pytest.mark.long
TEXTS = 40
ANSWER_SECONDS = 0.3  # that the carrier takes: nearly all of the loop's time is spent there
LEASE_OVER = 65  # seconds
PATIENCE, LONGEST_TEST = 90, 900


class TestAtEveryPoint:
    def test_whoever_wakes_after_another_has_taken_over_sends_nothing_twice(
        self, database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with messages.scene(database, phone, monkeypatch, horizon_days=300) as post:
            shown = RawValue("d", 0.0)  # the clock of all processes, those that are frozen too
            monkeypatch.setattr("core.clock.now", lambda: datetime.fromtimestamp(shown.value, UTC))
            for words, at in zip(range(MOST_WORDS), days(), strict=False):
                let_pass(post, shown, timedelta())
                visit_id = post.book(at=at)
                let_pass(post, shown, timedelta(minutes=4))
                with deaths.frozen_after(words, work, SPEAKING) as is_frozen:
                    for _turn in range(4):
                        let_pass(post, shown, timedelta(seconds=LEASE_OVER))
                        deliveries.send_waiting(post, post.sms)
                settle(post, shown)
                assert texts_about(post, at) == 1, words
                assert [message.status for message in post.messages(visit_id)] in [[each] for each in ARRIVED]
                if not is_frozen:
                    assert words > 10, "the words were not counted"
                    return
        pytest.fail(f"still freezing after {MOST_WORDS} words")


def work() -> int:
    twilio_sms.configured.cache_clear()
    return deliveries.send_waiting()


def let_pass(post: Post, shown: object, by: timedelta) -> None:
    post.tick(by)
    shown.value = post.now.timestamp()


def settle(post: Post, shown: object) -> None:
    for _turn in range(4):
        let_pass(post, shown, timedelta(seconds=LEASE_OVER))
        deliveries.send_waiting(post, post.sms)


def texts_about(post: Post, at: datetime) -> int:
    when = day_and_time(at, BERLIN).replace("\u202f", " ")
    return sum(when in text for text in post.texts())


def test_what_a_frozen_process_holds_in_its_claim_does_not_hold_up_the_others(
    database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    with messages.scene(database, phone, monkeypatch) as post:
        post.book()
        post.tick(
            timedelta(days=5)
        )  # it is too late for the first, which somebody has locked and never lets go
        with Session(database) as frozen:
            frozen.execute(select(Notification).with_for_update())
            other = post.book(at=on(12, 10))
            post.tick()
            with database.begin() as connection:
                connection.execute(text(f'ALTER DATABASE "{database.url.database}" SET lock_timeout = 2000'))
            forget_engine()  # so that the next connection waits no longer than that
            deliveries.send_waiting(post, post.sms)
        assert [message.status for message in post.messages(other)] == [NotificationStatus.SENT]


@dataclass
class Waiting:
    """A clinic of which texts wait to be sent, one for each of its patients, and a clock that hurries."""

    database: Engine
    phones: Phones
    right_at: float

    def accepted(self) -> Counter[str]:
        """How many texts the carrier has taken for each number."""
        return Counter(each["to"] for each in self.phones.texts())

    def states(self) -> Counter[NotificationStatus]:
        with Session(self.database) as session:
            counted = session.execute(select(Notification.status, func.count()).group_by(Notification.status))
            return Counter(dict(counted.all()))

    def are_all_out(self) -> bool:
        return sum(count for status, count in self.states().items() if status in ARRIVED) == TEXTS

    def is_unaccepted(self) -> bool:
        """Whether a text is claimed that the carrier has not got yet."""
        sending = select(Notification.sent_to).where(Notification.status == NotificationStatus.SENDING)
        with Session(self.database) as session:
            return any(number not in self.accepted() for number in session.scalars(sending))


@pytest.fixture
def waiting(database: Engine, phone: Phones) -> Iterator[Waiting]:
    made = Waiting(database, phone, time.time() + LONGEST_TEST)
    with time_is(hurried(made.right_at)), unit_of_work(database) as session:
        fill(session)
    phone.fault("delay", when="after", times=10 * TEXTS, seconds=ANSWER_SECONDS)
    is_over = threading.Event()

    def show_time() -> None:
        while not is_over.wait(0.1):
            phone.sandbox.set_clock(hurried(made.right_at))

    phone.sandbox.set_clock(hurried(made.right_at))
    showing = threading.Thread(target=show_time)
    showing.start()
    yield made
    is_over.set()
    showing.join()
    phone.sandbox.set_clock(None)


def fill(session: Session) -> None:
    """Visits in some days, each of a patient of its own who wants texts, also at the hour of this test."""
    make.clinic(session, quiet_from=wall_time(23, 59, 59, 999999), quiet_until=wall_time(0))
    doctor, service = make.doctor(session), make.service(session)
    begins = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=20)
    for number in range(TEXTS):
        phone = f"+49301{number:06}"
        patient = make.patient(session, phone=phone, sms_consent_at=clock.now())
        at = begins + timedelta(hours=number)
        announcements.booked(session, make.appointment(session, doctor, service, at, patient=patient))


@contextmanager
def two_processes(waiting: Waiting, exit_code: int = 0) -> Iterator[tuple[Jobs, Jobs]]:
    """The first of which sends already, with a turn of its own, when the second is started."""
    with running_jobs("hurried", str(waiting.right_at), exit_code=exit_code) as first:
        wait_until(lambda: len(waiting.accepted()) > 2)
        with running_jobs("hurried", str(waiting.right_at)) as second:
            yield first, second


def stop(waiting: Waiting, jobs: Jobs, how: signal.Signals = signal.SIGSTOP) -> None:
    """Stop a process where it waits for the carrier, not just before it writes.

    Where a text is claimed that the carrier does not know yet, it is stopped again a little later.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        jobs.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(jobs))
        if not waiting.is_unaccepted():
            break
        assert time.monotonic() < deadline
        jobs.process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    jobs.process.send_signal(how)


def is_stopped(jobs: Jobs) -> bool:
    state = Path(f"/proc/{jobs.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


def go_on_without(waiting: Waiting) -> None:
    """Wait until leases are over and whoever still runs has sent more, or all."""
    began, before = time.monotonic(), len(waiting.accepted())
    wait_until(lambda: time.monotonic() - began > LEASE_OVER / HASTE)
    wait_until(lambda: len(waiting.accepted()) >= min(before + 6, TEXTS), PATIENCE)


class TestTwoProcesses:
    def test_one_after_the_other_is_frozen_in_the_middle_and_each_text_is_accepted_once(
        self, waiting: Waiting
    ) -> None:
        with two_processes(waiting) as both:
            for frozen in both:
                stop(waiting, frozen)
                go_on_without(waiting)
                frozen.process.send_signal(signal.SIGCONT)
            stop(waiting, both[0])
            wait_until(
                waiting.are_all_out, PATIENCE
            )  # also what it had in the air, which the other looks for
            both[0].process.send_signal(signal.SIGCONT)
            time.sleep(LEASE_OVER / HASTE)
        assert set(waiting.accepted().values()) == {1}
        assert looks(waiting), "a text that was in the air had to be looked for"
        assert "taken by the carrier twice" not in "".join(both[0].lines + both[1].lines)

    def test_one_is_killed_in_the_middle_and_each_text_is_accepted_once(self, waiting: Waiting) -> None:
        with two_processes(waiting, exit_code=-signal.SIGKILL) as (one, _other):
            stop(waiting, one, signal.SIGKILL)
            assert not waiting.are_all_out()
            wait_until(waiting.are_all_out, PATIENCE)
        assert set(waiting.accepted().values()) == {1}
        assert looks(waiting), "a text that was in the air had to be looked for"


def looks(waiting: Waiting) -> int:
    """How often the carrier was asked for the texts to a number."""
    return len(waiting.phones.sandbox.calls(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", "GET"))
