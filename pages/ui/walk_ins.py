"""Who comes or calls for a visit of today: found or written down, and given a free time in one click."""

from datetime import tzinfo
from typing import Any
from uuid import UUID

import streamlit as st

from core import arrivals, clock, doctors, walk_ins
from core.access import Actor
from core.i18n import _, clock_time
from db.models import AppointmentStatus, Patient
from pages.ui import tills
from pages.ui.actions import form_key, perform
from pages.ui.boards import OPEN
from pages.ui.bookings import book
from pages.ui.choices import choice
from pages.ui.navigation import BOOK_FOR_PATIENT
from pages.ui.overbooking import overbooked_time
from pages.ui.people import choose_patient
from pages.ui.refusals import reading

FORM = "walk_in"


def walk_in_panel(actor: Actor, zone: tzinfo) -> None:
    """Patient, service, and then each doctor's next free time of today as a button that books it."""
    patient = choose_patient(actor)
    if patient is None:
        return
    with reading() as session:
        services = doctors.bookable_services(session, actor)
    if not services:
        st.info(_("No doctor offers a service yet."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {each.id: each.name for each in services}
        service_id = choice(_("Service"), named, key="walk_in_service", width=320) or services[0].id
        st.toggle(_("The patient is here"), value=True, key="walk_in_here")
    with reading() as session:
        free = walk_ins.next_times(session, actor, service_id=service_id)
    if not free:
        st.info(_("No doctor has a free time left today for this."), icon=":material/event_busy:")
    else:
        st.caption(_("The next free time today: one click books it."))
    key = form_key(FORM)
    with st.container(horizontal=True):
        for each in free:
            what = {"doctor_id": each.doctor_id, "service_id": service_id, "starts_at": each.starts_at}
            st.button(
                f"{clock_time(each.starts_at, zone)} · {each.doctor}",
                on_click=_book,
                args=(patient.id, patient.name, key, False, what),
                key=f"walk_in_{each.doctor_id}",
            )
    st.page_link(BOOK_FOR_PATIENT, label=_("Another day or doctor"), icon=":material/event_available:")
    _overbook_form(actor, patient, service_id, zone)


def _book(patient_id: int, name: str, key: UUID, is_overbooked: bool, what: dict[str, Any]) -> None:
    """Show what was booked, with its ticket and its payment; whoever is here is marked as here."""
    booked = book(patient_id, name, key, FORM, is_overbooked, what)
    if booked is None:
        return
    if st.session_state.get("walk_in_here") and booked.status is AppointmentStatus.CONFIRMED:
        message = st.session_state.get("message")
        perform(arrivals.check_in, appointment_id=booked.id, done="")
        st.session_state["message"] = message
    st.session_state.update({OPEN: booked.id, tills.OPEN: booked.id})
    st.session_state.update({"people_chosen": None, "people_text": ""})


def _overbook_form(actor: Actor, patient: Patient, service_id: int, zone: tzinfo) -> None:
    """A time that others fill already, for a reason."""
    if not st.toggle(_("Overbook: a time that is already taken"), key="walk_in_overbook"):
        return
    with reading() as session:
        named = {each.id: each.user.name for each in doctors.offering(session, actor, service_id=service_id)}
    doctor_id = choice(_("Doctor"), named, key="walk_in_overbook_doctor", width=320)
    starts_at = overbooked_time(zone, clock.now().astimezone(zone).date())
    what = {"doctor_id": doctor_id, "service_id": service_id, "starts_at": starts_at}
    st.button(
        _("Overbook"),
        type="primary",
        disabled=starts_at is None or doctor_id is None,
        on_click=_book,
        args=(patient.id, patient.name, form_key(FORM), True, what),
        key="walk_in_overbook_submit",
    )
