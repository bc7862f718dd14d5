"""A doctor's profile and free times: choose a service, a day and a time, then confirm."""

from datetime import datetime
from uuid import UUID

import streamlit as st

from core import appointments, availability, clinics, doctors, intakes, patients, terms
from core.i18n import _, clock_time, long_day, money, span
from core.phones import shown
from core.terms import Terms
from db.models import Role
from pages.ui import choice, form_key, perform, pick_time, plain, reading, require
from pages.ui.navigation import FIND_DOCTOR
from pages.ui.profiles import introduce
from pages.ui.queries import asked_day, asked_number
from pages.ui.terms import book_label, booked_words, show_terms, where_next
from pages.ui.waitlists import earlier_link

actor = require(Role.PATIENT)


def book(patient_id: int, service_id: int, starts_at: datetime, seen: Terms, done: str, key: UUID) -> None:
    perform(
        appointments.book,
        patient_id=patient_id,
        doctor_id=doctor_id,
        service_id=service_id,
        starts_at=starts_at,
        seen=seen,
        request_key=key,
        done=done,
        form="book",
        picker=f"book_{doctor_id}_{service_id}",
        then=where_next,
    )


if "doctor" not in st.query_params:
    st.switch_page(FIND_DOCTOR)
st.page_link(FIND_DOCTOR, label=_("All doctors"), icon=":material/arrow_back:")
doctor_id = asked_number("doctor")
with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    doctor = doctors.find(session, actor, doctor_id)
    offered = doctors.offered_services(session, actor, doctor_id)
    family = patients.own(session, actor)
    has_photo = bool(doctors.with_photo(session, actor, doctor_ids=[doctor_id]))
if doctor is None or not family:
    st.info(_("This doctor is not here any more. Please choose another."))
    st.stop()

introduce(doctor, offered, clinic.currency, has_photo=has_photo)
if not doctor.is_accepting_patients or not offered:
    st.info(
        _("This doctor takes bookings through reception only. Please call {phone}.").format(
            phone=shown(clinic.phone)
        )
    )
    st.stop()

services = {service.id: service for service, _price in offered}
prices = {service.id: money(price, clinic.currency) for service, price in offered}
wanted = next((index for index, number in enumerate(services) if number == asked_number("service")), 0)
service_id = choice(
    _("Service"),
    {
        number: f"{each.name} · {span(each.duration_minutes)} · {prices[number]}"
        for number, each in services.items()
    },
    index=wanted,
    key="book_service",
)
service = services[service_id or next(iter(services))]
patient = family[0]
if len(family) > 1:
    named = {each.id: each for each in family}
    chosen = st.segmented_control(
        _("For whom?"),
        list(named),
        format_func=lambda number: named[number].name,
        default=patient.id,
        required=True,
        key="book_patient",
    )
    patient = named.get(chosen, patient)
with reading() as session:
    free = availability.all_free(session, doctor_id=doctor_id, service_id=service.id)
picker = f"book_{doctor_id}_{service.id}"
wished = asked_day("on")
if wished and f"{picker}_from" not in st.session_state:
    st.session_state[f"{picker}_from"] = st.session_state[f"{picker}_day"] = wished
start = pick_time(picker, free, zone)
earlier_link(service_id=service.id, doctor_id=doctor_id)
if start is not None:
    with reading() as session:
        wanted_by = {"patient_id": patient.id, "doctor_id": doctor_id, "service_id": service.id}
        agreed = terms.offered(session, actor, **wanted_by)
        done = booked_words(agreed, is_asked=intakes.are_asked(session, service_id=service.id))
    with st.container(border=True):
        st.markdown(
            _("**{day}, {time}** · {service} with {doctor} for {patient}").format(
                day=long_day(start.astimezone(zone).date()),
                time=clock_time(start, zone),
                service=plain(service.name),
                doctor=plain(doctor.user.name),
                patient=plain(patient.name),
            )
        )
        show_terms(agreed, start, zone, clinic.currency)
        st.button(
            book_label(agreed, clinic.currency),
            type="primary",
            on_click=book,
            args=(patient.id, service.id, start, agreed, done, form_key("book")),
            key="book_submit",
            width="stretch",
        )
