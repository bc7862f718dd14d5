"""Days that are summed up: nothing that changes them goes unnoticed, and sums are held against what is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from core import day_sums, day_tables, doctors, figures
from core.access import Actor
from core.analytics import demand, odds, patients, revenue, utilisation
from core.analytics.scopes import Scope, Step
from core.analytics.sums import HourSums, MoneySums
from core.errors import AccessDenied, NotFound
from core.slots import Within
from db.models import (
    Appointment,
    AppointmentStatus,
    ClinicSettings,
    Doctor,
    Location,
    Service,
    SumKind,
    User,
    WeeklyHours,
)
from db.session import unit_of_work
from tests import golden, make
from tests.cast import time_is
from tests.golden import NOW, OCTOBER, Golden, at

WHOLE = Scope(*OCTOBER)
THE_7TH = date(2026, 10, 7)


@pytest.fixture
def clinic(database: Engine) -> Iterator[Golden]:
    """The golden clinic with its past days summed up."""
    with time_is(NOW):
        with unit_of_work(database) as session:
            made = golden.clinic(session)
        day_sums.sum_up()
        yield made


def summed_again(database: Engine) -> list[date]:
    """Which days are to be summed up again. Before and after that the figures are the same, and right."""
    with unit_of_work(database) as session:
        changed = day_sums.unsummed(session, date(2026, 9, 1), OCTOBER[1])
        came = day_sums.unsummed(session, date(2026, 9, 1), OCTOBER[1], SumKind.PATIENTS)
        assert came == [] or came[-1] == OCTOBER[1], "who came on a day counts on all days after it"
        live = _figures(session)
    assert day_sums.sum_up() >= len(changed)
    with unit_of_work(database) as session:
        assert day_sums.unsummed(session, *OCTOBER) == []
        assert _figures(session) == live
    day_sums.require_equal()
    return changed


def _figures(session: Session) -> object:
    [place] = session.scalars(select(Location.id).where(Location.name == "Second house"))
    [service] = session.scalars(select(Service.id).where(Service.name == "Long"))
    narrowed = (WHOLE, replace(WHOLE, location_id=place), replace(WHOLE, service_id=service))
    return (
        revenue.total(session, WHOLE),
        revenue.by_doctor(session, WHOLE),
        utilisation.by_hour(session, WHOLE),
        [odds.of(session, scope) for scope in (*narrowed, replace(narrowed[1], service_id=service))],
        [patients.seen(session, replace(scope, step=step)) for scope in narrowed for step in Step],
    )


def _visit_of(session: Session, day: int) -> Appointment:
    starts_at = at(day, 9)
    return session.scalars(
        select(Appointment).where(Appointment.starts_at == starts_at, Appointment.overbook_reason.is_(None))
    ).one()


def _called_missed(session: Session, made: Golden) -> None:
    _visit_of(session, 7).status = AppointmentStatus.NO_SHOW


def _paid(session: Session, made: Golden) -> None:
    replace(made, session=session).pays(_visit_of(session, 7), 6000, NOW, golden.CASH)


def _to_another_day(session: Session, made: Golden) -> None:
    visit = _visit_of(session, 7)
    visit.starts_at, visit.ends_at = at(8, 12), at(8, 12, 30)
    visit.blocked = type(visit.blocked)(visit.starts_at, visit.ends_at)


def _written_down_afterwards(session: Session, made: Golden) -> None:
    replace(made, session=session).visit(made.cast.dr_weiss, at(7, 8))


def _said_they_come(session: Session, made: Golden) -> None:
    _visit_of(session, 7).attending_at = at(6, 12)


def _away_after_all(session: Session, made: Golden) -> None:
    make.time_off(session, made.cast.dr_roth, at(7, 9), at(7, 11))


def _other_hours(session: Session, made: Golden) -> None:
    make.override(session, made.cast.dr_roth, THE_7TH, "09:00-10:00")


@pytest.mark.parametrize(
    ("change", "days"),
    [
        (_called_missed, [7]),
        (_paid, [7]),
        (_to_another_day, [7, 8]),
        (_written_down_afterwards, [7]),
        (_said_they_come, [7]),
        (_away_after_all, [7]),
        (_other_hours, [6, 7, 8]),
    ],
)
def test_what_changes_a_day_that_is_over_has_it_summed_up_again(
    database: Engine, clinic: Golden, change: Callable[[Session, Golden], None], days: list[int]
) -> None:
    with unit_of_work(database) as session:
        before = _figures(session)
    with unit_of_work(database) as session:
        change(session, clinic)
    with unit_of_work(database) as session:
        assert _figures(session) != before
    changed = summed_again(database)
    assert set(changed) >= {date(2026, 10, day) for day in days}
    assert len(changed) <= len(days) + 1


def test_who_came_earlier_than_was_known_is_not_new_any_more(database: Engine, clinic: Golden) -> None:
    """The patient of a visit on the 7th, who had come before, came to the second house on the 2nd already."""
    with unit_of_work(database) as session:
        whose = _visit_of(session, 7).patient_id
        before = patients.seen(session, replace(WHOLE, step=Step.DAY)).by_step
    with unit_of_work(database) as session:
        replace(clinic, session=session).visit(clinic.cast.dr_weiss, at(2, 8), patient_id=whose)
    with unit_of_work(database) as session:
        days = [date(2026, 10, day) for day in range(2, 32)]
        assert day_sums.unsummed(session, *OCTOBER, SumKind.PATIENTS) == days
        assert day_sums.unsummed(session, *OCTOBER) == days[:1]
        after = patients.seen(session, replace(WHOLE, step=Step.DAY)).by_step
    assert sum(came for came, _new in after.values()) == sum(came for came, _new in before.values()) + 1
    assert summed_again(database) == days[:1]


def test_a_visit_over_midnight_changes_both_days(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        at_night = replace(clinic, session=session).visit(clinic.cast.dr_weiss, at(7, 23, 45))
    both = [THE_7TH, date(2026, 10, 8)]
    assert summed_again(database) == both
    with unit_of_work(database) as session:
        session.get_one(Appointment, at_night.id).status = AppointmentStatus.CANCELLED
    assert summed_again(database) == both


def test_hours_that_end_earlier_change_the_days_after_that(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        whose = WeeklyHours.doctor_id == clinic.cast.dr_roth.id
        session.execute(update(WeeklyHours).where(whose).values(valid_until_on=date(2026, 10, 28)))
    changed = summed_again(database)
    assert changed[0] == date(2026, 10, 27)  # a day early, whatever the zone
    assert changed[-1] == date(2026, 10, 31)


def test_hours_to_the_end_of_the_calendar_change_all_days_from_then_on(
    database: Engine, clinic: Golden
) -> None:
    with unit_of_work(database) as session:
        whose = WeeklyHours.doctor_id == clinic.cast.dr_roth.id
        session.execute(update(WeeklyHours).where(whose).values(valid_until_on=date.max))
        session.execute(update(WeeklyHours).where(whose).values(valid_from_on=date.min))
    assert len(summed_again(database)) == 61


def test_a_visit_that_goes_to_another_doctor_takes_its_money_along(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        paid_before = revenue.by_doctor(session, WHOLE)
    with unit_of_work(database) as session:
        ahead = select(Appointment).where(Appointment.starts_at == at(10, 11, month=11))
        session.scalars(ahead).one().doctor_id = clinic.cast.dr_weiss.id
    changed = summed_again(database)
    assert changed == [date(2026, 10, 20)]  # on which its deposit was paid
    with unit_of_work(database) as session:
        received = {row[0]: row[3] for row in revenue.by_doctor(session, WHOLE)}
    assert {row[0]: row[3] for row in paid_before} == received | {
        "Dr. Eva Roth": received["Dr. Eva Roth"] + 2000,
        "Dr. Jonas Weiß": received["Dr. Jonas Weiß"] - 2000,
    }


def test_in_another_zone_every_day_is_another(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        session.execute(update(ClinicSettings).values(time_zone="Asia/Tokyo"))
    assert len(summed_again(database)) == 61


def test_what_was_invoiced_in_another_currency_is_neither_earned_nor_owed(
    database: Engine, clinic: Golden
) -> None:
    with unit_of_work(database) as session:
        session.execute(update(ClinicSettings).values(currency="CHF"))
    assert len(summed_again(database)) == 61
    with unit_of_work(database) as session:
        visits, money = revenue.total(session, WHOLE)
        assert money == MoneySums()
        # Completed and never invoiced: 20 check-ups, one from September, the night, and who walked in.
        assert visits.earned_minor == visits.owed_minor == 20 * 6000 + 6000 + 12000 + 6000


def test_a_date_that_the_zone_skipped_has_nothing(database: Engine, clinic: Golden) -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    days = [date(2011, 12, day) for day in (29, 30, 31)]
    with unit_of_work(database) as session:
        session.execute(update(ClinicSettings).values(time_zone="Pacific/Apia"))
        starts_at = datetime(2011, 12, 29, 9, tzinfo=ZoneInfo("Pacific/Apia"))
        replace(clinic, session=session).visit(clinic.cast.dr_weiss, starts_at)
    with unit_of_work(database) as session:
        taken = utilisation.over_time(session, Scope(days[0], days[-1]))
        assert [(row[0], row[2]) for row in taken] == list(zip(days, (1800, 0, 0), strict=True))
        assert taken[1] == (days[1], 0, 0, None)
        assert odds.of(session, Scope(days[1], days[1])).by_hour == {}


def test_who_changes_a_visit_while_its_day_is_summed_up_leaves_a_note(
    database: Engine, clinic: Golden
) -> None:
    with unit_of_work(database) as session:
        _visit_of(session, 8).status = AppointmentStatus.NO_SHOW
    with Session(database) as slow:
        _visit_of(slow, 7).status = AppointmentStatus.NO_SHOW
        slow.flush()
        day_sums.sum_up()  # does not see it
        slow.commit()
    assert summed_again(database) == [THE_7TH]


def test_two_who_sum_up_at_once_do_it_once(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        _visit_of(session, 8).status = AppointmentStatus.NO_SHOW
    with Session(database) as other:
        other.execute(text("SELECT pg_advisory_xact_lock(13, 0)"))
        assert day_sums.sum_up() == 0
    assert day_sums.sum_up() == 1 + 25  # and who came, from then on
    assert day_sums.sum_up() == 0


def test_sums_that_differ_from_the_visits_are_found_and_mended(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))  # past every trigger
        _visit_of(session, 7).price_minor = 9900
    with pytest.raises(day_sums.SumsDiffer, match="1 days differed, the first 2026-10-07"):
        day_sums.require_equal()
    assert day_sums.require_equal() == golden.SUMMED
    with unit_of_work(database) as session:
        assert revenue.total(session, WHOLE)[0].booked_minor == 13 * 12000 + 34 * 6000 + 3900


@pytest.mark.parametrize("table", sorted(day_tables.TABLES))
def test_every_sum_is_held_against_what_it_is_of(database: Engine, clinic: Golden, table: str) -> None:
    with unit_of_work(database) as session:
        session.execute(text(f"DELETE FROM {table} WHERE on_date = '2026-10-07'"))
    with pytest.raises(day_sums.SumsDiffer, match="1 days differed, the first 2026-10-07"):
        day_sums.require_equal()
    assert day_sums.require_equal() == golden.SUMMED


def test_days_ahead_are_summed_up_and_read_anew_once_somebody_books(database: Engine, clinic: Golden) -> None:
    december = Scope(date(2026, 12, 1), date(2026, 12, 31))
    with unit_of_work(database) as session:
        assert day_sums.unsummed(session, december.from_on, december.until_on) == []
        assert day_sums.unsummed(session, NOW.date(), NOW.date()) == [NOW.date()]
        before = utilisation.total(session, december)
    with unit_of_work(database) as session:
        replace(clinic, session=session).visit(
            clinic.cast.dr_weiss, at(9, 9, month=12), AppointmentStatus.CONFIRMED
        )
    with unit_of_work(database) as session:
        assert day_sums.unsummed(session, december.from_on, december.until_on) == [date(2026, 12, 9)]
        live = utilisation.total(session, december)
    assert live == HourSums(before.offered_seconds, before.booked_seconds + 30 * 60)
    assert day_sums.sum_up() == 1
    with unit_of_work(database) as session:
        assert utilisation.total(session, december) == live


def test_a_day_that_was_summed_up_ahead_counts_so_until_its_first_change(
    database: Engine, clinic: Golden
) -> None:
    today = NOW.date() + timedelta(days=1)
    with time_is(NOW + timedelta(days=1)):
        with unit_of_work(database) as session:
            assert day_sums.unsummed(session, today, today) == []
            replace(clinic, session=session).visit(clinic.cast.dr_weiss, at(3, 7, month=11))
        assert day_sums.sum_up() >= 1, "yesterday"
        with unit_of_work(database) as session:
            assert day_sums.unsummed(session, today, today) == [today]
            assert revenue.total(session, Scope(today, today))[0].completed == 1
    assert day_sums.require_equal() >= golden.SUMMED - 1


def test_a_change_that_is_noted_and_not_summed_up_yet_is_no_difference(
    database: Engine, clinic: Golden
) -> None:
    with unit_of_work(database) as session:
        _visit_of(session, 7).price_minor = 9900
    assert day_sums.require_equal() == golden.SUMMED


def test_a_clinic_without_visits_has_nothing_to_sum_up(database: Engine) -> None:
    assert day_sums.sum_up() == 0
    with unit_of_work(database) as session:
        make.clinic(session)
    assert day_sums.sum_up() == 0
    assert day_sums.require_equal() == 0


def test_a_search_that_finds_no_time_is_noted_once_and_without_whose_it_was(
    database: Engine, clinic: Golden
) -> None:
    today = Scope(NOW.date(), NOW.date())

    def search(actor: Actor, *, at: timedelta = timedelta(), **wish: object) -> None:
        with time_is(NOW + at), unit_of_work(database) as session:
            doctors.search(session, actor, service_id=clinic.cast.checkup.id, **wish)  # type: ignore[arg-type]

    sunday = date(2026, 11, 8)
    search(clinic.cast.ada, on=sunday)
    search(clinic.cast.ben, on=sunday, at=timedelta(minutes=9))
    search(clinic.cast.ada, on=sunday, at=timedelta(minutes=11))
    search(clinic.cast.ada, within=Within(location_id=clinic.second.id))
    search(clinic.cast.ada, on=sunday, name="Roth")
    search(clinic.cast.desk, on=sunday, at=timedelta(hours=1))
    search(clinic.cast.ada, at=timedelta(hours=2))  # finds some
    with unit_of_work(database) as session:
        assert demand.empty_searches(session, today) == [
            (clinic.cast.checkup.name, None, None, 2),
            (clinic.cast.checkup.name, None, "Second house", 1),
        ]


def test_a_doctor_reads_their_own_figures_and_no_others(database: Engine, clinic: Golden) -> None:
    roth, weiss = clinic.cast.dr_roth, clinic.cast.dr_weiss
    with unit_of_work(database) as session:
        own = figures.read(
            session, clinic.cast.roth, key="revenue-by_doctor", scope=replace(WHOLE, doctor_id=roth.id)
        )
        assert [row[0] for row in own.rows] == ["Dr. Eva Roth"]
        for doctor in (weiss, None):
            other = replace(WHOLE, doctor_id=doctor and doctor.id)
            with pytest.raises(AccessDenied):
                figures.read(session, clinic.cast.roth, key="revenue-by_doctor", scope=other)
        for key in ("messages-by_kind", "demand-empty_searches", "overview-open_now"):
            with pytest.raises(AccessDenied):
                figures.read(session, clinic.cast.roth, key=key, scope=replace(WHOLE, doctor_id=roth.id))
        with pytest.raises(NotFound):
            figures.read(session, clinic.cast.admin, key="revenue-by_moon", scope=WHOLE)


def test_every_figure_can_be_read_and_taken_along(database: Engine, clinic: Golden) -> None:
    with unit_of_work(database) as session:
        account = session.get_one(Doctor, clinic.cast.dr_roth.id).user_id
        session.get_one(User, account).name = "=HYPERLINK(1)"
        session.flush()
        for key, figure in figures.FIGURES.items():
            table = figures.read(session, clinic.cast.admin, key=key, scope=WHOLE)
            written = figures.as_csv(session, clinic.cast.admin, key=key, scope=WHOLE).decode("utf-8-sig")
            assert all(len(row) == len(figure.columns) for row in table.rows)
            assert len(written.splitlines()) == 1 + len(table.rows) + (table.total is not None)
            assert figure.find.__doc__ == figure.definition
        by_doctor = figures.as_csv(session, clinic.cast.admin, key="revenue-by_doctor", scope=WHOLE)
    lines = by_doctor.decode("utf-8-sig").splitlines()
    assert lines[0] == "Doctor,Booked (EUR),Earned (EUR),Received (EUR),Paid back (EUR),Outstanding (EUR)"
    assert "'=HYPERLINK(1),1560.00,1550.00,105.00,0.00,1465.00" in lines
