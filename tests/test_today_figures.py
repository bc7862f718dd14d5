"""What reception counts of today: visits as they stand, and takings."""

from sqlalchemy.orm import Session

from core import payouts, tills, today_figures
from core.today_figures import Taking
from db.models import AppointmentStatus, Patient, PaymentMethod
from tests import make
from tests.cast import NOW, assemble, on, time_is


def test_today_has_its_visits_by_how_they_stand_and_its_takings_by_method(session: Session) -> None:
    with time_is(NOW):
        cast = assemble(session)
        ada = session.get_one(Patient, cast.ada.patient_ids[0])
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(1, 9), patient=ada)
        for doctor, day, hour, status in (
            (cast.dr_weiss, 1, 9, AppointmentStatus.CANCELLED),
            (cast.dr_weiss, 1, 10, AppointmentStatus.EXPIRED),
            (cast.dr_roth, 2, 9, AppointmentStatus.CONFIRMED),
        ):
            make.appointment(session, doctor, cast.checkup, on(day, hour), status=status)
        paid = tills.take(
            session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=3000
        )
        payouts.pay_back(session, cast.desk, payment_id=paid.id, amount_minor=1000, reason="Ill")
        today = today_figures.read(session, cast.desk)
    assert today.on == NOW.date()
    assert today.visits == {AppointmentStatus.CONFIRMED: 1, AppointmentStatus.CANCELLED: 1}
    assert today.currency == "EUR"
    assert today.takings == [Taking(PaymentMethod.CASH, 3000, 1000)]
