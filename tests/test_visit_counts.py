"""Visits of a month and its money: what counts as when, and that the parts come to the whole."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core import payouts, tills, visit_counts
from core.analytics import revenue, steps, sums
from core.analytics.sums import MoneySums
from db.models import AppointmentStatus, Patient, PaymentMethod
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

JUNE, JULY = (visit_counts.month(date(2026, month, 1)) for month in (6, 7))
CASH = PaymentMethod.CASH


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.mark.parametrize(
    ("first_on", "begins", "ends"),
    [
        (JUNE.from_on, datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (date(2026, 10, 1), datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)),
        (date(2026, 12, 1), datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_month_is_the_clinic_s_own(
    session: Session, cast: Cast, first_on: date, begins: datetime, ends: datetime
) -> None:
    assert steps.bounds(session, visit_counts.month(first_on)) == (begins, ends)


def test_visits_count_where_they_begin_and_as_they_stand_now(session: Session, cast: Cast) -> None:
    first, last = on(1, 0), on(1, 0, month=7) - timedelta(minutes=30)
    made = [
        (first, AppointmentStatus.COMPLETED, cast.dr_roth),
        (on(2, 10), AppointmentStatus.NO_SHOW, cast.dr_roth),
        (on(2, 11), AppointmentStatus.CANCELLED, cast.dr_weiss),
        (last, AppointmentStatus.CONFIRMED, cast.dr_weiss),
        (on(2, 12), AppointmentStatus.EXPIRED, cast.dr_weiss),
        (first - timedelta(minutes=30), AppointmentStatus.COMPLETED, cast.dr_roth),
        (last + timedelta(minutes=30), AppointmentStatus.CONFIRMED, cast.dr_weiss),
    ]
    for starts_at, status, doctor in made:
        make.appointment(session, doctor, cast.checkup, starts_at, status=status)
    by_status = visit_counts.visits_by_status(session, JUNE)
    assert by_status == {
        AppointmentStatus.COMPLETED: 1,
        AppointmentStatus.NO_SHOW: 1,
        AppointmentStatus.CANCELLED: 1,
        AppointmentStatus.CONFIRMED: 1,
    }
    by_doctor = visit_counts.visits_by_doctor(session, JUNE)
    assert by_doctor == [("Dr. Eva Roth", 1, 1, 2), ("Dr. Jonas Weiß", 0, 0, 2)]
    assert sum(each[-1] for each in by_doctor) == sum(by_status.values())


def test_money_counts_when_it_was_written_down_and_by_the_doctor_of_the_visit(
    session: Session, cast: Cast
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)
    other = make.appointment(session, cast.dr_weiss, cast.checkup, on(2, 10, month=7), patient=ada)
    paid = tills.take(session, cast.desk, appointment_id=visit.id, method=CASH, amount_minor=3000)
    payouts.pay_back(session, cast.desk, payment_id=paid.id, amount_minor=1000, reason="Ill")
    tills.take(session, cast.desk, appointment_id=other.id, method=CASH, amount_minor=6000)
    with time_is(NOW + timedelta(days=40)):
        tills.take(session, cast.desk, appointment_id=visit.id, method=CASH, amount_minor=500)
    by_doctor = sums.added(sums.money(session, JUNE).by_group, lambda group: group.doctor_id)
    assert by_doctor == {
        cast.dr_roth.id: MoneySums(5000, received_cash_minor=3000, refunded_cash_minor=1000),
        cast.dr_weiss.id: MoneySums(6000, received_cash_minor=6000),
    }
    whole = MoneySums(11000, received_cash_minor=9000, refunded_cash_minor=1000)
    assert revenue.total(session, JUNE)[1] == whole
    assert revenue.total(session, JULY)[1].received_minor == 500
    assert revenue.total(session, visit_counts.month(date(2025, 1, 1)))[1] == MoneySums()
