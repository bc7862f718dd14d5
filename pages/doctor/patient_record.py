"""Patient record: find a patient, read the record; another doctor's patient only in an emergency."""

from datetime import timedelta

import streamlit as st

from core import clinics, records
from core.i18n import N_, _, span
from core.records import Found
from db.models import Role
from pages.ui import perform, plain, reading, require
from pages.ui.found import born, named, patient_button, say_if_cut
from pages.ui.records import papers_of, show_head, show_record

actor = require(Role.DOCTOR)


def choose(patient_id: int | None) -> None:
    st.session_state["record_patient"] = patient_id
    st.session_state.pop("record_reason", None)


def break_glass(patient_id: int) -> None:
    perform(
        records.break_glass,
        patient_id=patient_id,
        reason=st.session_state.get("record_reason") or "",
        done=N_("The record is open. An administrator will look at your reason."),
    )


def show_found(found: list[Found]) -> None:
    if not found:
        st.info(_("Nobody fits that. Check the spelling, or try the birth date."))
    for each in found:
        icon = ":material/person:" if each.is_own else ":material/lock:"
        label = named(each.name, each.birth_on)
        patient_button(label, each.patient_id, on_click=choose, key="record", icon=icon)
    say_if_cut(len(found), records.RESULTS)


def ask_for_reason(known: Found) -> None:
    st.title(plain(known.name))
    st.caption(born(known.birth_on))
    st.warning(
        _("You have had no visit with this patient. In an emergency you can open the record all the same."),
        icon=":material/emergency:",
    )
    with st.form("record_emergency"):
        st.text_input(_("What is the emergency?"), max_chars=500, key="record_reason")
        hours = span(int(records.EMERGENCY_LASTS / timedelta(minutes=1)))
        st.caption(
            _(
                "The record opens for {hours}. Your reason is kept, an administrator looks at it, and the "
                "patient can see that you opened the record."
            ).format(hours=hours)
        )
        st.form_submit_button(
            _("Open in an emergency"),
            type="primary",
            on_click=break_glass,
            args=(known.patient_id,),
            key="record_submit",
        )


with reading() as session:
    zone = clinics.zone(session)
chosen: int | None = st.session_state.get("record_patient")
if chosen is None:
    st.title(_("Patient records"))
    wanted = st.text_input(
        _("Find a patient"),
        placeholder=_("Name, or birth date as 1980-12-31"),
        max_chars=100,
        key="record_text",
    )
    if wanted:
        with reading() as session:
            listed = records.search_records(session, actor, text=wanted)
        show_found(listed)
else:
    st.button(
        _("Another patient"),
        icon=":material/arrow_back:",
        on_click=choose,
        args=(None,),
        key="record_another",
    )
    with reading() as session:
        known = records.identify(session, actor, patient_id=chosen)
    if known.is_own:
        with reading() as session:
            record = records.open_record(session, actor, patient_id=chosen)
            papers = papers_of(session, actor, patient_id=chosen)
        show_head(record, zone)
        show_record(actor, record, papers, zone)
    else:
        ask_for_reason(known)
