"""A clinic of sixty visits in the autumn of 2026, small enough that its figures can be worked out by hand.

Check-ups take half an hour and cost 60.00, long visits an hour with ten minutes afterwards and cost 120.00.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from core import ledger
from core.access import Actor
from db.models import (
    Appointment,
    AppointmentStatus,
    Doctor,
    Location,
    Patient,
    Payment,
    PaymentMethod,
    PaymentState,
    Refund,
    RefundState,
    Service,
    Source,
)
from tests import make
from tests.cast import BERLIN, Cast, assemble, time_is

NOW = datetime(2026, 11, 2, 8, tzinfo=BERLIN)  # the Monday after
OVER, AHEAD = 218, 366  # days from 29 March to 1 November, and from 3 November on
SUMMED = OVER + AHEAD + OVER  # of visits, and of patients those that are over
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
# The weekdays of October: the 1st is a Thursday.
WEEKDAYS = tuple(day for day in range(1, 32) if date(2026, 10, day).isoweekday() <= 5)
COMPLETED, MISSED, CANCELLED = (
    AppointmentStatus.COMPLETED,
    AppointmentStatus.NO_SHOW,
    AppointmentStatus.CANCELLED,
)
CASH, TERMINAL, ONLINE = PaymentMethod.CASH, PaymentMethod.TERMINAL, PaymentMethod.ONLINE


def at(day: int, hour: int, minute: int = 0, *, month: int = 10) -> datetime:
    """A wall time of autumn 2026 in Berlin."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@dataclass
class Golden:
    """The clinic and what is asked of it; `patients` come again and again, in turn."""

    session: Session
    cast: Cast
    long: Service
    second: Location
    patients: Sequence[Patient]
    visits: int = 0

    @property
    def desk(self) -> Actor:
        return self.cast.desk

    def visit(
        self,
        doctor: Doctor,
        starts_at: datetime,
        status: AppointmentStatus = COMPLETED,
        service: Service | None = None,
        **changes: object,
    ) -> Appointment:
        """A visit, booked ten days ahead unless told otherwise."""
        self.visits += 1
        patient = self.patients[self.visits % len(self.patients)]
        booked = {"created_at": starts_at - timedelta(days=10), "patient_id": patient.id}
        return make.appointment(
            self.session,
            doctor,
            service or self.cast.checkup,
            starts_at,
            status=status,
            **booked | changes,
        )

    def pays(self, visit: Appointment, amount_minor: int, when: datetime, method: PaymentMethod) -> Payment:
        """Money for a visit, entered as the till and the card processor's answer enter it."""
        by = {} if method is ONLINE else {"taken_by_id": self.desk.user_id}
        with time_is(when):
            paid = make.payment(
                self.session,
                visit,
                amount_minor,
                method=method,
                state=PaymentState.PAID,
                paid_at=when.astimezone(UTC),
                **by,
            )
            ledger.receive(self.session, self.desk, visit, paid)
        return paid

    def goes_back(self, visit: Appointment, payment: Payment, amount_minor: int, when: datetime) -> Refund:
        with time_is(when):
            made = make.refund(self.session, payment, amount_minor, state=RefundState.DONE)
            ledger.pay_back(self.session, self.desk, visit, made)
        return made

    def owes(self, visit: Appointment, amount_minor: int, when: datetime) -> None:
        """What is invoiced for a visit from now on."""
        with time_is(when):
            ledger.owe(self.session, self.desk, visit, amount_minor)


def clinic(session: Session) -> Golden:
    """The whole clinic, as it stands at `NOW`."""
    cast = assemble(session)
    long = make.service(session, name="Long", duration_minutes=60, buffer_after_minutes=10, price_minor=12000)
    for doctor in (cast.dr_roth, cast.dr_weiss):
        make.offer(session, doctor, long)
    second = make.location(session, name="Second house")
    made = Golden(session, cast, long, second, [make.patient(session) for _ in range(12)])
    _ordinary(made)
    _called_off(made)
    _parts_and_refunds(made)
    _moved(made)
    _nights_on_which_clocks_change(made)
    _beside_the_calendar(made)
    make.time_off(session, cast.dr_roth, at(20, 13), at(20, 15))
    session.flush()
    return made


def _ordinary(made: Golden) -> None:
    """20 check-ups nobody has paid, 12 long visits paid at once, 7 to which nobody came. 39 visits."""
    roth, weiss = made.cast.dr_roth, made.cast.dr_weiss
    for number, day in enumerate(WEEKDAYS[:20]):  # 1 to 28 October
        waited = {"arrived_at": at(day, 8, 50), "in_room_at": at(day, 9, 10 * number)} if number < 2 else {}
        made.visit(roth, at(day, 9), **waited)
    for day in WEEKDAYS[:12]:  # 1 to 16 October
        visit = made.visit(weiss, at(day, 10), service=made.long, location_id=made.second.id)
        made.pays(visit, 12000, at(day, 11), CASH)
    for day in WEEKDAYS[2:8]:  # 5 to 12 October
        made.visit(weiss, at(day, 14), MISSED, attending_at=at(4, 10) if day < 7 else None)
    charged = made.visit(roth, at(5, 14), MISSED, created_at=at(5, 9))
    made.owes(charged, 2000, at(6, 9))


def _called_off(made: Golden) -> None:
    """In good time, late with a fee, paid and all of it gone back, never paid in time, and held. 5 visits."""
    roth, weiss = made.cast.dr_roth, made.cast.dr_weiss
    made.visit(roth, at(7, 15), CANCELLED)
    late = made.visit(roth, at(8, 15), CANCELLED)
    made.owes(late, 3000, at(8, 10))
    paid = made.visit(weiss, at(9, 15), AppointmentStatus.CONFIRMED)
    payment = made.pays(paid, 6000, at(3, 12), ONLINE)
    paid.status = CANCELLED
    made.owes(paid, 0, at(4, 12))
    made.goes_back(paid, payment, 6000, at(4, 12))
    made.visit(weiss, at(13, 15), AppointmentStatus.EXPIRED)
    held = {"hold_expires_at": at(20, 12, month=12)}
    made.visit(weiss, at(14, 15), AppointmentStatus.PENDING, **held)


def _parts_and_refunds(made: Golden) -> None:
    """Paid in part; paid and partly back a month later; paid, and a refund that failed. 3 visits."""
    roth, weiss = made.cast.dr_roth, made.cast.dr_weiss
    part = made.visit(roth, at(12, 10))
    made.pays(part, 2500, at(12, 11), TERMINAL)
    kind = made.visit(weiss, at(6, 15))
    payment = made.pays(kind, 6000, at(6, 16), ONLINE)
    made.owes(kind, 4500, at(1, 12, month=11))
    made.goes_back(kind, payment, 1500, at(1, 12, month=11))
    failed = made.visit(weiss, at(7, 15))
    payment = made.pays(failed, 6000, at(7, 16), ONLINE)
    refund = made.goes_back(failed, payment, 1000, at(8, 12))
    with time_is(at(9, 12)):
        ledger.take_back(made.session, failed, refund)


def _moved(made: Golden) -> None:
    """From September into October, on into November with a deposit, and to the other doctor. 3 visits."""
    roth, weiss = made.cast.dr_roth, made.cast.dr_weiss
    made.visit(roth, at(29, 11), created_at=at(1, 9, month=9))
    ahead = made.visit(roth, at(10, 11, month=11), AppointmentStatus.CONFIRMED)
    made.pays(ahead, 2000, at(20, 9), ONLINE)
    handed = made.visit(roth, at(2, 15))
    made.pays(handed, 6000, at(2, 16), CASH)
    handed.doctor_id = weiss.id


def _nights_on_which_clocks_change(made: Golden) -> None:
    """A night of each: hours of one date, and a visit in each. 2 visits, of which one in March."""
    roth = made.cast.dr_roth
    make.override(made.session, roth, date(2026, 3, 29), "01:00-04:00")
    made.visit(roth, datetime(2026, 3, 29, 3, 15, tzinfo=BERLIN))
    make.override(made.session, roth, date(2026, 10, 25), "00:00-06:00")
    made.visit(roth, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), service=made.long)


def _beside_the_calendar(made: Golden) -> None:
    """Overbooked and paid, walked in, and 6 that are ahead: 8 visits."""
    roth, weiss = made.cast.dr_roth, made.cast.dr_weiss
    squeezed = made.visit(roth, at(1, 9), overbook_reason="An old patient in pain")
    made.pays(squeezed, 6000, at(1, 9, 30), TERMINAL)
    made.visit(weiss, at(19, 16), created_at=at(19, 16), source=Source.DESK)
    for day in (3, 4, 5, 6):
        made.visit(weiss, at(day, 9, month=11), AppointmentStatus.CONFIRMED)
    for day in (3, 4):
        made.visit(roth, at(day, 9, month=12), AppointmentStatus.CONFIRMED)
