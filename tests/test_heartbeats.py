"""Turns of jobs: taken once each, by whoever asks in time, and how each job fares."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import backlogs, heartbeats
from core.heartbeats import Beat, State
from db.models import Heartbeat, InboundMessage
from jobs.table import JOBS
from tests import make
from tests.cast import BERLIN, NOW, Cast, assemble, time_is

EVERY, LEASE = timedelta(seconds=10), timedelta(minutes=2)
ONE, OTHER = uuid4(), uuid4()  # two processes
ERROR = RuntimeError("Ada Okafor is ill")


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def take(session: Session, at: datetime, lease: UUID = ONE, every: timedelta = EVERY) -> bool:
    with time_is(at):
        return heartbeats.take(session, name="work", every=every, length=LEASE, lease=lease)


def succeed(session: Session, at: datetime, lease: UUID = ONE, touched: int = 0) -> bool:
    with time_is(at):
        return heartbeats.succeed(session, name="work", lease=lease, touched=touched)


def fail(session: Session, at: datetime, lease: UUID = ONE) -> bool:
    with time_is(at):
        return heartbeats.fail(session, name="work", lease=lease, error=ERROR)


def row(session: Session) -> Heartbeat:
    return session.get_one(Heartbeat, "work", populate_existing=True)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def run_at(session: Session, *times: datetime, lease: UUID = ONE) -> list[bool]:
    """Which of these turns were taken, each of them done at once."""
    return [take(session, at, lease) and succeed(session, at, lease) for at in times]


def test_a_turn_is_taken_once_and_the_next_is_an_interval_later(session: Session) -> None:
    assert run_at(session, NOW) == [True]
    assert run_at(session, seconds(0.1), seconds(5), seconds(8.9), lease=OTHER) == [False] * 3
    assert run_at(session, seconds(10)) == [True]


def test_timers_that_ring_a_little_early_or_late_leave_no_turn_out(session: Session) -> None:
    rings = [0.0, 10.004, 19.998, 30.3, 40.0, 49.1]
    assert run_at(session, *map(seconds, rings)) == [True] * len(rings)
    assert row(session).next_at == seconds(60), "it does not drift"


def test_of_two_processes_that_ring_at_any_distance_one_takes_each_turn(session: Session) -> None:
    for apart in (0.01, 0.9, 1.1, 5, 8.9, 9.1, 9.99):
        session.execute(text("DELETE FROM heartbeats"))
        taken = []
        for turn in range(6):
            taken += run_at(session, seconds(10 * turn), lease=ONE)
            taken += run_at(session, seconds(10 * turn + apart), lease=OTHER)
        assert sum(taken) in {6, 7}, f"{apart} seconds apart"


def test_three_hours_of_downtime_are_made_up_for_by_one_turn(session: Session) -> None:
    run_at(session, NOW)
    later = NOW + timedelta(hours=3)
    assert run_at(session, later, later + timedelta(seconds=1), later + timedelta(seconds=5)) == [
        True,
        False,
        False,
    ]
    assert run_at(session, later + EVERY) == [True]


@pytest.mark.parametrize(
    "changes_at", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
)
def test_a_night_on_which_clocks_change_has_as_many_turns_as_it_has_hours(
    session: Session, changes_at: datetime
) -> None:
    begins, hour = changes_at.astimezone(BERLIN), timedelta(hours=1)
    taken = []
    for minutes in range(0, 300, 30):
        at = begins.astimezone(UTC) + timedelta(minutes=minutes)
        if take(session, at, every=hour):
            taken.append(minutes)
            succeed(session, at)
    assert taken == [0, 60, 120, 180, 240]


def test_a_clock_that_is_set_back_stops_nothing(session: Session) -> None:
    run_at(session, NOW + timedelta(hours=1))
    assert run_at(session, NOW) == [True]
    take(session, NOW + timedelta(hours=1))
    assert take(session, NOW, OTHER), "not even when it was set back within a turn"


def test_who_has_a_turn_keeps_others_from_it_for_as_long_as_its_lease(session: Session) -> None:
    assert take(session, NOW, ONE)
    assert not take(session, NOW + EVERY, OTHER)
    assert not take(session, NOW + LEASE - timedelta(seconds=1), OTHER)
    assert take(session, NOW + LEASE, OTHER)


def test_a_turn_that_nobody_finished_is_run_again_long_before_the_next(session: Session) -> None:
    day = timedelta(days=1)
    assert take(session, NOW, ONE, every=day)
    assert take(session, NOW + LEASE, OTHER, every=day)
    assert succeed(session, NOW + LEASE, OTHER)
    assert not take(session, NOW + 2 * LEASE, OTHER, every=day)


def test_a_process_takes_up_again_at_once_what_it_could_not_finish(session: Session) -> None:
    """As when the database was away for a moment: its outcome could not be noted."""
    assert take(session, NOW, ONE)
    assert take(session, NOW + timedelta(seconds=5), ONE)


@pytest.mark.parametrize("late", [succeed, fail], ids=["succeeds", "fails"])
@pytest.mark.parametrize("is_over", [False, True])
def test_an_outcome_that_comes_too_late_changes_nothing(
    session: Session, late: type[object], is_over: bool
) -> None:
    take(session, NOW, ONE)
    take(session, NOW + LEASE, OTHER)
    if is_over:
        succeed(session, NOW + LEASE, OTHER, touched=7)
    before = vars(row(session)).copy()
    assert not late(session, NOW + LEASE + timedelta(seconds=1), ONE)  # type: ignore[call-arg] # one of ours
    after = vars(row(session)).copy()
    assert {**before, "_sa_instance_state": None} == {**after, "_sa_instance_state": None}


def test_failures_are_counted_since_the_first_without_their_values(session: Session) -> None:
    take(session, NOW)
    succeed(session, NOW, touched=3)
    for turn in (1, 2, 3):
        assert take(session, NOW + turn * EVERY), "it is tried again at its interval"
        assert fail(session, NOW + turn * EVERY)
    failing = row(session)
    assert (failing.failures, failing.failed_at, failing.succeeded_at) == (3, NOW + EVERY, NOW)
    assert (failing.error, failing.touched) == ("RuntimeError", 0)
    run_at(session, NOW + 4 * EVERY)
    assert row(session).failures == 0


def look(session: Session, cast: Cast, at: datetime) -> Beat:
    with time_is(at):
        [found] = heartbeats.look(session, cast.admin, intervals={"work": EVERY}, backlogs={})
    return found


def health(session: Session, at: datetime) -> tuple[bool, list[str]]:
    with time_is(at):
        return heartbeats.health(session, {"work": EVERY})


def test_a_job_is_overdue_when_three_turns_and_two_minutes_have_passed(session: Session, cast: Cast) -> None:
    assert health(session, NOW) == (False, ["work"])
    assert look(session, cast, NOW).state is State.OVERDUE
    run_at(session, NOW)
    last = NOW + 3 * EVERY + timedelta(minutes=2)
    assert health(session, last) == (True, [])
    assert look(session, cast, last).state is State.IN_ORDER
    over = last + timedelta(seconds=1)
    take(session, over)
    assert health(session, over) == (True, ["work"]), "a turn that goes on is not one that went well"
    fail(session, over)
    assert health(session, over) == (True, ["work"])
    assert look(session, cast, over).state is State.FAILING
    run_at(session, over + EVERY)
    assert health(session, over + EVERY) == (True, [])


def test_what_an_older_version_ran_does_not_count(session: Session) -> None:
    session.add(Heartbeat(name="gone", next_at=NOW, failures=0))
    session.flush()
    run_at(session, NOW)
    assert health(session, NOW) == (True, [])


def test_an_administrator_sees_what_waits_for_each_job_in_one_query(session: Session, cast: Cast) -> None:
    make.appointment(
        session, cast.dr_roth, cast.checkup, NOW, status="pending", hold_expires_at=NOW - timedelta(minutes=1)
    )
    session.add(InboundMessage(provider_id="SM1", sender="+4915123456789", body="C", received_at=NOW))
    session.flush()
    counts = {job.name: job.backlog for job in JOBS if job.backlog is not None}
    beats = heartbeats.look(
        session, cast.admin, intervals={job.name: job.every for job in JOBS}, backlogs=counts
    )
    assert [beat.name for beat in beats] == [job.name for job in JOBS]
    waiting = {beat.name: beat.backlog for beat in beats}
    assert {name: count for name, count in waiting.items() if count} == {
        "let go of held times": 1,
        "answer texts": 1,
    }
    assert {name for name, count in waiting.items() if count is None} == set(waiting) - set(counts)


@pytest.mark.parametrize(
    "count",
    [each for name, each in vars(backlogs).items() if getattr(each, "__module__", "") == backlogs.__name__],
    ids=lambda each: each.__name__,
)
def test_every_backlog_is_some_jobs(count: object) -> None:
    assert getattr(count, "__name__", "").startswith("_") or count in [job.backlog for job in JOBS]
