"""What services leave in the trail: one entry a change, one a look, and what was refused."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import (
    agendas,
    appointments,
    audit,
    calendars,
    contact_preferences,
    days,
    holds,
    overbookings,
    patients,
)
from core.access import Action
from core.audit import READ_AGAIN
from core.offers import SlotTaken
from db.models import Appointment, AppointmentStatus, AuditEntry, Outcome
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    ada = session.get_one(make.Patient, cast.ada.patient_ids[0])
    return make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)


def entries(session: Session) -> list[AuditEntry]:
    return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def told(session: Session) -> list[tuple[str, int | None, str, int | None, int | None]]:
    """Who did what to which object of whom, in order."""
    return [
        (entry.action, entry.user_id, entry.object_kind, entry.object_id, entry.patient_id)
        for entry in entries(session)
    ]


def test_booking_moving_and_cancelling_leave_one_entry_each(session: Session, cast: Cast) -> None:
    (ada,) = cast.ada.patient_ids
    booked = appointments.book(
        session,
        cast.ada,
        patient_id=ada,
        doctor_id=cast.dr_roth.id,
        service_id=cast.checkup.id,
        starts_at=on(3, 10),
    )
    appointments.reschedule(session, cast.desk, appointment_id=booked.id, starts_at=on(3, 11))
    appointments.cancel(session, cast.ada, appointment_id=booked.id, reason="I am better")
    assert told(session) == [
        (Action.BOOK, cast.ada.user_id, "appointment", booked.id, ada),
        (Action.MOVE, cast.desk.user_id, "appointment", booked.id, ada),
        (Action.CANCEL, cast.ada.user_id, "appointment", booked.id, ada),
    ]
    assert entries(session)[0].detail == {"doctor_id": cast.dr_roth.id}


def test_overbooking_is_told_apart_and_a_guardian_acts_for_another(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    wish = {"doctor_id": cast.dr_roth.id, "service_id": cast.checkup.id}
    overbookings.overbook(
        session,
        cast.desk,
        patient_id=cast.ben.patient_ids[0],
        starts_at=on(3, 10),
        reason="In pain",
        **wish,
    )
    appointments.book(session, cast.guardian, patient_id=cast.child_id, starts_at=on(3, 11), **wish)
    assert [(entry.action, entry.for_another) for entry in entries(session)] == [
        (Action.OVERBOOK, False),
        (Action.BOOK, True),
    ]


def test_a_booking_that_is_refused_leaves_no_entry(session: Session, cast: Cast, visit: Appointment) -> None:
    with pytest.raises(SlotTaken):
        appointments.book(
            session,
            cast.ben,
            patient_id=cast.ben.patient_ids[0],
            doctor_id=visit.doctor_id,
            service_id=visit.service_id,
            starts_at=visit.starts_at,
        )
    assert entries(session) == []


def test_a_hold_that_runs_out_is_nobodys_doing(session: Session, cast: Cast, visit: Appointment) -> None:
    visit.status, visit.hold_expires_at = AppointmentStatus.PENDING, NOW
    session.flush()
    assert holds.release(session) == 1
    assert holds.release(session) == 0
    [entry] = entries(session)
    assert (entry.action, entry.user_id, entry.object_id, entry.patient_id, entry.outcome) == (
        audit.Event.HOLD_EXPIRED,
        None,
        visit.id,
        visit.patient_id,
        Outcome.DONE,
    )


def test_writing_a_patient_down_and_opening_the_contact_are_told(session: Session, cast: Cast) -> None:
    written = patients.register(session, cast.desk, name="Zoë Übel", birth_on=date(1990, 2, 15))
    patients.find(session, cast.desk, written.id)
    patients.find(session, cast.desk, written.id)
    patients.find(session, cast.desk, 0)
    assert told(session) == [
        (Action.REGISTER_PATIENT, cast.desk.user_id, "patient", written.id, written.id),
        (Action.SEE_CONTACT, cast.desk.user_id, "patient", written.id, written.id),
    ]


def test_a_consent_to_texts_is_told_alike_wherever_the_desk_notes_it(session: Session, cast: Cast) -> None:
    new = {"birth_on": date(1990, 2, 15), "phone": "+49 151 23456789"}
    at_once = patients.register(session, cast.desk, name="Zoë Übel", **new, texts_agreed="at the desk")
    later = patients.register(session, cast.desk, name="Anna Meier", **new)
    wishes = {"contact_by": None, "wants_reminders": True, "time_zone": None}
    contact_preferences.save(session, cast.desk, patient_id=later.id, wants_texts=True, **wishes)
    first, second = [entry for entry in entries(session) if entry.action == Action.SET_CONTACT]
    assert (first.patient_id, second.patient_id) == (at_once.id, later.id)
    assert first.detail == second.detail
    assert at_once.sms_consent_source == later.sms_consent_source == "at the desk"
    assert at_once.sms_consent_at == later.sms_consent_at == NOW


def test_a_look_is_one_entry_until_it_is_a_new_one(session: Session, cast: Cast, visit: Appointment) -> None:
    def look() -> None:
        days.timeline(session, cast.roth, doctor_id=cast.dr_roth.id, on=on(3, 0).date())

    look()
    look()
    with time_is(NOW + READ_AGAIN):
        look()
    assert told(session) == [(Action.SEE_DAY, cast.roth.user_id, "doctor", cast.dr_roth.id, None)] * 2


def test_downloading_a_visit_is_told_and_listing_ones_own_is_not(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    agendas.upcoming(session, cast.ada, patient_ids=cast.ada.patient_ids)
    agendas.past(session, cast.ada, patient_ids=cast.ada.patient_ids)
    assert told(session) == []
    calendars.visit_ics(session, cast.ada, appointment_id=visit.id, public_url="https://portal.example.org")
    assert told(session) == [
        (Action.SEE_APPOINTMENT, cast.ada.user_id, "appointment", visit.id, visit.patient_id)
    ]
