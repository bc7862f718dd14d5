"""Waitlist: who waits for what and in which place, what is offered to whom, and answers by telephone."""

import streamlit as st

from core import agendas, clinics, doctors, waitlist_endings, waitlists
from core.i18n import _
from db.models import Role
from pages.ui import choice, reading, require
from pages.ui.people import choose_patient
from pages.ui.waitlist_endings import show_ended
from pages.ui.waitlists import show_line, show_offers
from pages.ui.wishes import wish_form

actor = require(Role.STAFF, Role.ADMIN)


def show_more() -> None:
    st.session_state["waiting_shown"] += waitlists.SHOWN


limit = st.session_state.setdefault("waiting_shown", waitlists.SHOWN)
with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    colleagues = {each.id: each.user.name for each in doctors.all_active(session, actor)}
    specialties = {each.id: each.name for each in doctors.specialties(session, actor)}
    services = {each.id: each.name for each in doctors.bookable_services(session, actor)}

st.title(_("Waitlist"))
waiting, adding = st.columns([3, 2], gap="large")
with waiting:
    any_of = {"index": None, "placeholder": _("Any")}
    with st.container(horizontal=True):
        doctor_id = choice(_("Doctor"), colleagues, key="waiting_doctor", width=190, **any_of)
        specialty_id = choice(_("Specialty"), specialties, key="waiting_specialty", width=190, **any_of)
        service_id = choice(_("Service"), services, key="waiting_service", width=190, **any_of)
    with reading() as session:
        wished = {"doctor_id": doctor_id, "specialty_id": specialty_id, "service_id": service_id}
        lines = waitlists.waiting(session, actor, **wished, limit=limit + 1)
        count = len(lines) if len(lines) <= limit else waitlists.how_many_wait(session, actor, **wished)
        offered_to = sorted({line.entry.patient_id for line in lines if line.offer is not None})
        coming = agendas.upcoming(session, actor, patient_ids=offered_to)
    if not lines:
        is_filtered = doctor_id or specialty_id or service_id
        st.info(
            _("Nobody waits for that.") if is_filtered else _("Nobody is on the waitlist."),
            icon=":material/hourglass_empty:",
        )
    show_offers(actor, lines[:limit], coming, clinic, zone)
    for line in lines[:limit]:
        show_line(actor, line, with_patient=True)
    if count > limit:
        st.caption(_("{shown} of {count} are shown.").format(shown=limit, count=count))
        st.button(_("Show more"), on_click=show_more, key="waiting_more", width="stretch")
    if st.toggle(_("Wishes that have ended"), key="waiting_ended"):
        with reading() as session:
            ended = waitlist_endings.at_clinic(session, actor, limit=waitlist_endings.MOST + 1)
        show_ended(actor, ended, zone, with_patient=True)
with adding:
    st.header(_("Put a patient on it"))
    patient = choose_patient(actor)
    if patient is not None:
        wish_form(actor, patient_id=patient.id, form="waiting_wish")
