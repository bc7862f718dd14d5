"""Who acts for a patient, at the desk: see it, link a guardian, end it."""

import streamlit as st

from core import guardians, patients
from core.access import Actor
from core.i18n import N_, _
from db.models import Patient
from pages.ui.actions import perform
from pages.ui.found import named, patient_button
from pages.ui.refusals import reading
from pages.ui.words import plain


def guardian_panel(actor: Actor, patient: Patient) -> None:
    """The patient's guardian and dependants, folded away; a guardian is found as any patient is."""
    with reading() as session:
        family = guardians.family(session, actor, patient_id=patient.id)
    is_begun = bool(st.session_state.get("guardian_text"))
    with st.expander(_summary(family), icon=":material/family_restroom:", expanded=is_begun):
        if family.guardian is not None:
            st.button(_("End the guardianship"), on_click=_unlink, args=(patient.id,), key="guardian_unlink")
        elif family.dependants:
            st.caption(_("Whoever is a guardian cannot have one."))
        else:
            _find(actor, patient)


def _summary(family: guardians.Family) -> str:
    if family.guardian is not None:
        return _("Guardian: {name}").format(name=plain(family.guardian.name))
    if family.dependants:
        names = ", ".join(plain(each.name) for each in family.dependants)
        return _("Guardian of {names}").format(names=names)
    return _("No guardian")


def _find(actor: Actor, patient: Patient) -> None:
    wanted = st.text_input(
        _("Who may act for this patient?"),
        placeholder=_("Name, phone, or birth date as 1980-12-31"),
        max_chars=100,
        key="guardian_text",
    )
    if not wanted:
        return
    with reading() as session:
        found = [each for each in patients.search(session, actor, text=wanted) if each.id != patient.id]
    if not found:
        st.info(_("Nobody fits that. A guardian has to be written down as a patient first."))
    for each in found:
        patient_button(named(each.name, each.birth_on), each.id, on_click=_choose, key="guardian")
        if st.session_state.get("guardian_chosen") == each.id:
            _confirm(patient, each)


def _choose(guardian_id: int) -> None:
    st.session_state["guardian_chosen"] = guardian_id


def _confirm(patient: Patient, guardian: Patient) -> None:
    """Ask once more: a slip among namesakes would show somebody's record to a stranger."""
    with st.container(border=True):
        st.warning(
            _(
                "{guardian} will see the record of {patient}, and book and cancel for them. "
                "Have you seen that this may be?"
            ).format(
                guardian=named(guardian.name, guardian.birth_on),
                patient=named(patient.name, patient.birth_on),
            )
        )
        st.button(
            _("Link the guardian"),
            type="primary",
            on_click=_link,
            args=(patient.id, guardian.id),
            key="guardian_link",
        )


def _link(patient_id: int, guardian_id: int) -> None:
    if perform(
        guardians.link_guardian,
        patient_id=patient_id,
        guardian_id=guardian_id,
        done=N_("From now on the guardian can book, read and download for this patient."),
    ):
        st.session_state["guardian_text"], st.session_state["guardian_chosen"] = "", None


def _unlink(patient_id: int) -> None:
    perform(
        guardians.unlink_guardian,
        patient_id=patient_id,
        done=N_("The guardian can no longer act for this patient."),
    )
