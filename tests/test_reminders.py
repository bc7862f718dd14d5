"""Reminders: at the clinic's offsets, once, as long as they are of use, and never at night."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import Engine, delete

from core import reminders
from core.reminders import Ahead
from db.models import Appointment, AppointmentEvent, ClinicSettings, NotificationStatus, Patient
from db.session import unit_of_work
from tests import messages
from tests.cast import BERLIN, NOW, on
from tests.messages import GRETA, HOUR, MINUTE, TEN, Post
from tests.phones import Phones


@pytest.fixture
def post(database: Engine, phone: Phones, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with messages.scene(database, phone, monkeypatch) as made:
        yield made


def reminded(post: Post, number: str = messages.ADA) -> list[str]:
    return [text for text in post.texts(number) if "we expect you" in text]


def planned(
    starts_at: datetime,
    known_at: datetime,
    offsets: Sequence[int] = (2880, 180),
    zone: str = "Europe/Berlin",
) -> list[tuple[int, datetime]]:
    """When the reminders of a visit are sent, by the wall clock in Berlin."""
    settings = ClinicSettings(quiet_from=time(20), quiet_until=time(8))
    visit = Ahead(1, starts_at, zone, known_at, 1, [])
    plan = reminders.plan(visit, settings, list(offsets))
    return [(due.minutes, due.send_after.astimezone(BERLIN)) for due in plan]


class TestPlans:
    def test_a_visit_booked_early_is_reminded_of_twice(self) -> None:
        assert planned(on(12, 14), on(1, 8)) == [(2880, on(10, 14)), (180, on(12, 11))]

    def test_a_visit_booked_later_gets_what_still_makes_sense(self) -> None:
        assert planned(on(12, 14), on(11, 14)) == [(180, on(12, 11))]
        assert planned(on(12, 14), on(12, 12)) == []

    def test_nobody_is_reminded_of_what_they_have_just_been_told(self) -> None:
        assert planned(on(12, 14), on(10, 13)) == [(180, on(12, 11))]
        assert planned(on(12, 14), on(12, 10, 30)) == []

    def test_what_would_come_at_night_comes_in_the_morning_when_there_is_time(self) -> None:
        assert planned(on(12, 10), on(1, 8), [180])[0] == (180, on(12, 8))

    def test_and_on_the_evening_before_when_there_is_not(self) -> None:
        assert planned(on(12, 8, 30), on(1, 8), [180]) == [(180, on(11, 19, 30))]

    def test_the_night_is_the_patients_own(self) -> None:
        [(_minutes, at)] = planned(on(12, 14), on(1, 8), [180], zone="America/New_York")
        assert at == on(12, 1, 30)  # half past seven in the evening over there

    @pytest.mark.parametrize(
        ("starts_at", "expected"),
        [
            (datetime(2026, 3, 29, 14, tzinfo=BERLIN), datetime(2026, 3, 27, 13, tzinfo=BERLIN)),
            (datetime(2026, 10, 25, 14, tzinfo=BERLIN), datetime(2026, 10, 23, 15, tzinfo=BERLIN)),
        ],
        ids=["clocks go forward", "clocks go back"],
    )
    def test_forty_eight_hours_are_that_when_clocks_change(
        self, starts_at: datetime, expected: datetime
    ) -> None:
        assert planned(starts_at, starts_at - timedelta(days=20), [2880]) == [(2880, expected)]

    def test_the_night_ends_at_eight_also_when_clocks_change_in_it(self) -> None:
        starts_at = datetime(2026, 3, 29, 10, 30, tzinfo=BERLIN)
        [(_minutes, at)] = planned(starts_at, on(1, 8, month=1), [240])
        assert at == datetime(2026, 3, 29, 8, tzinfo=BERLIN)

    @pytest.mark.parametrize(
        ("day", "minutes", "expected"),
        [
            (datetime(2026, 3, 8, 18, tzinfo=BERLIN), 360, datetime(2026, 3, 8, 13, tzinfo=BERLIN)),
            (datetime(2026, 11, 1, 19, tzinfo=BERLIN), 420, datetime(2026, 11, 1, 14, tzinfo=BERLIN)),
        ],
        ids=["forward", "back"],
    )
    def test_their_night_ends_at_eight_when_clocks_change_where_they_are_and_not_at_the_clinic(
        self, day: datetime, minutes: int, expected: datetime
    ) -> None:
        known_at = day - timedelta(days=20)
        assert planned(day, known_at, [minutes], zone="America/New_York") == [(minutes, expected)]


class TestScans:
    def test_each_reminder_is_sent_once_however_often_the_scan_runs(self, post: Post) -> None:
        post.book()
        post.pass_time(TEN, every=30 * MINUTE)
        assert len(reminded(post)) == 2
        assert [text.partition(". ")[0] for text in reminded(post)] == [
            "Linden Clinic: we expect you Fri, Jun 5, 10:00 AM"
        ] * 2

    def test_a_moved_visit_is_reminded_of_at_its_new_time_alone(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        post.move(visit, on(12, 10))
        post.pass_time(on(12, 10))
        assert ["Jun 12" in text for text in reminded(post)] == [True, True]

    def test_one_that_moves_while_its_reminder_waits_voids_it(self, post: Post) -> None:
        visit = post.book()
        post.now = on(3, 10)
        post.tick(timedelta())
        with unit_of_work(post.database) as session:
            assert reminders.remind(session) == 1
        post.move(visit, on(12, 10))
        post.turn()
        assert reminded(post) == []
        assert ("reminder", NotificationStatus.CANCELLED) in post.states(visit)

    def test_a_cancelled_visit_is_not_reminded_of(self, post: Post) -> None:
        visit = post.book()
        post.tick()
        post.turn()
        post.cancel(visit)
        post.pass_time(TEN)
        assert reminded(post) == []

    def test_after_hours_without_the_jobs_the_last_reminder_alone_is_sent(self, post: Post) -> None:
        post.book()
        post.tick()
        post.turn()
        post.now = on(5, 8, 30)  # both are over by then; one is still of use
        post.tick(timedelta())
        post.turn()
        assert len(reminded(post)) == 1
        post.pass_time(TEN)
        assert len(reminded(post)) == 1

    @pytest.mark.parametrize(
        ("stops", "of_use"), [((9, 30), 1), ((10, 30), 0)], ids=["back in time", "back too late"]
    )
    def test_three_hours_without_the_jobs_send_what_was_due_meanwhile_only_while_it_is_of_use(
        self, post: Post, stops: tuple[int, int], of_use: int
    ) -> None:
        post.book(at=on(5, 14))  # its last reminder is due at eleven
        post.pass_time(on(5, *stops))
        before = len(reminded(post))
        post.tick(3 * HOUR)
        post.turn()
        assert len(reminded(post)) - before == of_use
        post.pass_time(on(5, 14))
        assert len(reminded(post)) - before == of_use

    def test_a_reminder_that_would_come_too_late_is_not_sent(self, post: Post) -> None:
        post.book()
        post.tick()
        post.turn()
        post.now = on(5, 9, 30)
        post.tick(timedelta())
        post.turn()
        assert reminded(post) == []

    def test_the_visits_of_one_day_are_in_one_reminder_that_asks_for_no_letter(self, post: Post) -> None:
        post.book(post.cast.guardian)
        post.book(post.cast.guardian, on(5, 16), patient_id=post.cast.child_id)
        post.pass_time(on(3, 12))
        [text] = reminded(post, GRETA)
        assert "10:00 AM and 4:00 PM" in text
        assert "answer C" not in text

    def test_one_that_could_not_be_sent_in_the_evening_waits_for_the_morning(self, post: Post) -> None:
        post.book(at=on(2, 9))
        post.pass_time(on(1, 19))
        post.tick(31 * MINUTE)
        with unit_of_work(post.database) as session:
            assert reminders.remind(session) == 1
        post.tick(2 * HOUR)
        post.turn()
        assert reminded(post) == []
        post.pass_time(on(2, 8))
        assert len(reminded(post)) == 1

    def test_who_wants_no_more_while_one_waits_does_not_get_it(self, post: Post) -> None:
        visit = post.book()
        post.pass_time(on(3, 9))
        post.tick(HOUR)
        with unit_of_work(post.database) as session:
            assert reminders.remind(session) == 1
            session.get_one(Patient, post.cast.ada.patient_ids[0]).wants_reminders = False
        post.turn()
        assert reminded(post) == []
        assert post.messages(visit)[-1].error == "no reminders are wanted"

    def test_who_wants_none_gets_none(self, post: Post) -> None:
        with unit_of_work(post.database) as session:
            session.get_one(Patient, post.cast.ada.patient_ids[0]).wants_reminders = False
        post.book()
        post.pass_time(TEN - HOUR)
        assert reminded(post) == []

    def test_a_visit_that_came_from_elsewhere_without_its_past_is_reminded_of_too(self, post: Post) -> None:
        visit = post.book()
        with unit_of_work(post.database) as session:
            session.execute(delete(AppointmentEvent).where(AppointmentEvent.appointment_id == visit))
            session.get_one(Appointment, visit).created_at = NOW
        post.pass_time(TEN)
        assert len(reminded(post)) == 2
