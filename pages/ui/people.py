"""Finding a patient at the desk, or writing one down."""

from datetime import date
from uuid import UUID

import streamlit as st

from core import clinics, clock, patients
from core.access import Actor
from core.contact_preferences import BY_PHONE, FROM_DESK, GIVEN_TO_DESK, ON_PAPER
from core.i18n import N_, _
from core.phones import shown
from db.models import Patient
from pages.ui.actions import form_key, perform
from pages.ui.found import named, patient_button, say_if_cut
from pages.ui.guardians import guardian_panel
from pages.ui.refusals import reading
from pages.ui.words import plain

GIVEN = {
    FROM_DESK: N_("Yes, said so at the desk"),
    BY_PHONE: N_("Yes, said so on the phone"),
    ON_PAPER: N_("Yes, on paper"),
}


def choose_patient(actor: Actor) -> Patient | None:
    """The patient whom the desk is serving, found by name, phone or birth date, or newly written down."""
    chosen_id = st.session_state.get("people_chosen")
    if chosen_id is not None:
        with reading() as session:
            chosen = patients.find(session, actor, chosen_id)
        if chosen is not None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(_described(chosen), width="content")
                st.button(_("Another patient"), on_click=_choose, args=(None,), key="people_another")
            guardian_panel(actor, chosen)
            return chosen
    wanted = st.text_input(
        _("Find a patient"),
        placeholder=_("Name, phone, or birth date as 1980-12-31"),
        max_chars=100,
        key="people_text",
    )
    if wanted:
        with reading() as session:
            found = patients.search(session, actor, text=wanted)
        _list(found)
        if not found:
            _suggest_name(wanted)
    with reading() as session:
        zone = clinics.zone(session)
    _new_patient(clock.now().astimezone(zone).date())
    return None


def _described(patient: Patient) -> str:
    phone = f" · {plain(shown(patient.phone))}" if patient.phone else ""
    return named(patient.name, patient.birth_on) + phone


def _choose(patient_id: int | None) -> None:
    st.session_state["people_chosen"] = patient_id
    st.session_state["visits_open"] = None


def _list(found: list[Patient]) -> None:
    if not found:
        st.info(_("Nobody fits that. Check the spelling, or add the person below."))
    for patient in found:
        patient_button(_described(patient), patient.id, on_click=_choose, key="people")
    say_if_cut(len(found), patients.RESULTS)


def _suggest_name(wanted: str) -> None:
    """Put a name that nobody has into the form for somebody new, unless another is typed there already."""
    is_name = not any(sign.isdigit() for sign in wanted)
    suggested = st.session_state.get("people_suggested", "")
    if is_name and (st.session_state.get("people_name") or "") in {"", suggested}:
        st.session_state["people_name"] = st.session_state["people_suggested"] = wanted


def _new_patient(today: date) -> None:
    is_begun = bool(st.session_state.get("people_name"))  # a refusal must not fold away what was typed
    with (
        st.expander(_("New patient"), icon=":material/person_add:", expanded=is_begun),
        st.form("people_new", border=False),
    ):
        st.text_input(_("Full name"), key="people_name")
        st.date_input(
            _("Birth date"),
            value=None,
            min_value=date(1900, 1, 1),
            max_value=today,
            format="YYYY-MM-DD",
            key="people_birth",
        )
        st.text_input(_("Mobile phone"), max_chars=40, key="people_phone")
        st.selectbox(
            _("Agrees to texts about visits"),
            [None, *GIVEN_TO_DESK],
            format_func=lambda given: _(GIVEN[given]) if given else _("No, or not asked"),
            help=_("Without an agreement no text is sent. It can also be given later, under Messages."),
            key="people_texts",
        )
        st.checkbox(
            _("It is really somebody new, even if the name and birth date are known"), key="people_sure"
        )
        st.form_submit_button(
            _("Add patient"), on_click=_register, args=(form_key("people"),), key="people_submit"
        )


def _register(key: UUID) -> None:
    written = perform(
        patients.register,
        name=st.session_state.get("people_name") or "",
        birth_on=st.session_state.get("people_birth"),
        phone=st.session_state.get("people_phone") or "",
        texts_agreed=st.session_state.get("people_texts"),
        is_surely_new=bool(st.session_state.get("people_sure")),
        request_key=key,
        done=N_("Patient added."),
        form="people",
    )
    message = st.session_state.get("message")
    if written is not None:
        _choose(written.id)
    elif message is not None and message.error is patients.PerhapsKnown:
        st.session_state["people_text"] = st.session_state["people_birth"].isoformat()  # lists who it may be
