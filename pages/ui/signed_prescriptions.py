"""A patient's signed prescriptions at a visit: read, repeated, and withdrawn with a reason."""

from datetime import tzinfo

import streamlit as st

from core import prescription_drafts, prescriptions
from core.access import Actor
from core.i18n import N_, _, short_date
from db.models import Prescription
from pages.ui.actions import perform
from pages.ui.kept import forget, revision
from pages.ui.portions import FEW, show_portion
from pages.ui.visit_prescription import lines, name_of
from pages.ui.words import plain, plain_lines


def signed_prescriptions(found: list[Prescription], visit_id: int, actor: Actor, zone: tzinfo) -> None:
    def draw(prescription: Prescription) -> None:
        with st.container(border=True):
            _show(prescription, zone)
            with st.container(horizontal=True):
                _buttons(prescription, visit_id, actor)

    key, nothing = f"visit_prescriptions_{visit_id}", _("Nothing prescribed yet.")
    show_portion(found, draw, key=key, nothing=nothing, first=FEW)


def _show(prescription: Prescription, zone: tzinfo) -> None:
    on = short_date(prescription.signed_at.astimezone(zone).date()) if prescription.signed_at else ""
    withdrawn = f" :red-badge[{_('Withdrawn')}]" if prescription.withdrawn_at else ""
    # no caption: that makes the badge too pale
    st.markdown(f":small[{plain(on)} · {plain(prescription.doctor.user.name)}]{withdrawn}")
    if prescription.withdrawn_at:
        st.markdown(plain(_("Why: {why}").format(why=prescription.withdrawal_reason)))
    for item in prescription.items:
        what = " ".join(each for each in (item.strength, item.form) if each)
        how = " · ".join(each for each in (item.dose, item.frequency, item.duration, item.quantity) if each)
        st.markdown(f"**{plain(item.drug)}** {plain(what)}  \n{plain(how)}")
        if item.instructions:
            st.caption(plain_lines(item.instructions))


def _buttons(prescription: Prescription, visit_id: int, actor: Actor) -> None:
    key = f"visit_prescription_{prescription.id}"
    st.button(
        _("Repeat"),
        icon=":material/replay:",
        on_click=_repeat,
        args=(prescription.id, visit_id, prescription.patient_id),
        key=f"{key}_repeat",
    )
    st.link_button(_("PDF"), f"/files/prescriptions/{prescription.id}.pdf", icon=":material/picture_as_pdf:")
    if prescription.withdrawn_at is None and prescription.doctor_id == actor.doctor_id:
        with st.popover(_("Withdraw"), icon=":material/block:"):
            st.text_input(_("Why it is not to be used"), max_chars=500, key=f"{key}_why")
            st.button(
                _("Withdraw the prescription"),
                on_click=_withdraw,
                args=(prescription.id, f"{key}_why"),
                key=f"{key}_withdraw",
            )


def _repeat(prescription_id: int, visit_id: int, patient_id: int) -> None:
    """What is typed and not saved yet stands on the prescription too, before what is repeated."""
    name = name_of(patient_id)
    repeated = perform(
        prescription_drafts.repeat,
        prescription_id=prescription_id,
        appointment_id=visit_id,
        items=lines(name),
        revision=revision(name),
        done=N_("The drugs stand on the new prescription. It is not signed yet."),
    )
    if repeated is not None:
        forget(name)


def _withdraw(prescription_id: int, why: str) -> None:
    perform(
        prescriptions.withdraw,
        prescription_id=prescription_id,
        reason=st.session_state.get(why) or "",
        done=N_("The prescription is withdrawn."),
    )
