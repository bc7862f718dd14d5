"""Book for a patient: find or write down the person, then choose doctor, service and time."""

import streamlit as st

from core import availability, clinics, clock, doctors, rooms, terms
from core.i18n import _, full_time, money, span
from db.models import Role
from pages.ui import choice, form_key, pick_time, reading, require
from pages.ui.bookings import book
from pages.ui.overbooking import overbooked_time
from pages.ui.patient_cards import patient_card
from pages.ui.people import choose_patient
from pages.ui.series import series_form
from pages.ui.terms import show_terms

actor = require(Role.STAFF, Role.ADMIN)


st.title(_("Book for a patient"))
patient = choose_patient(actor)
if patient is None:
    st.stop()

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    colleagues = doctors.all_active(session, actor)
    free_rooms = rooms.all_active(session, actor)
today = clock.now().astimezone(zone).date()
coming, booking = st.columns([2, 3], gap="large")
with coming:
    patient_card(actor, patient, clinic, zone)
with booking:
    st.header(_("New visit"))
    if not colleagues:
        st.info(_("There is no doctor yet."))
        st.stop()
    named = {each.id: each.user.name for each in colleagues}
    doctor_id = choice(_("Doctor"), named, key="desk_doctor") or next(iter(named))
    with reading() as session:
        offered = doctors.offered_services(session, actor, doctor_id)
    if not offered:
        st.info(_("This doctor offers no service yet."))
        st.stop()
    labels = {
        each.id: f"{each.name} · {span(each.duration_minutes)} · {money(price, clinic.currency)}"
        for each, price in offered
    }
    service_id = choice(_("Service"), labels, key="desk_service") or next(iter(labels))
    named = {room.id: f"{room.location.name}, {room.name}" for room in free_rooms}
    room_id = choice(_("Room"), named, index=None, placeholder=_("None set"), key="desk_room")
    is_overbooking = st.toggle(_("Overbook: a time that is already taken"), key="desk_overbook")
    if is_overbooking:
        starts_at = overbooked_time(zone, today)
    else:
        with reading() as session:
            free = availability.all_free(session, doctor_id=doctor_id, service_id=service_id, by_staff=True)
        starts_at = pick_time("desk", free, zone)
    if starts_at is not None:
        with reading() as session:
            who = {"patient_id": patient.id, "doctor_id": doctor_id, "service_id": service_id}
            agreed = terms.offered(session, actor, **who)
        st.caption(full_time(starts_at, zone))
        show_terms(agreed, starts_at, zone, clinic.currency)
    repeats = not is_overbooking and st.toggle(_("Repeat it every few weeks"), key="desk_repeat")
    if repeats and starts_at is not None:
        series_form(actor, **who, starts_at=starts_at, zone=zone)
        st.stop()
    what = {"doctor_id": doctor_id, "service_id": service_id, "starts_at": starts_at, "room_id": room_id}
    st.button(
        _("Overbook") if is_overbooking else _("Book"),
        type="primary",
        disabled=starts_at is None or repeats,
        on_click=book,
        args=(patient.id, patient.name, form_key("desk"), "desk", is_overbooking, what, "desk"),
        key="desk_submit",
        width="stretch",
    )
