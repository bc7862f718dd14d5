"""Policies: when people are signed out, who needs a second step, and how long records are kept."""

import streamlit as st

from core import clinics, policies
from core.i18n import N_, _
from db.models import Role
from pages.ui import perform, reading, require

actor = require(Role.ADMIN)

PREFIX = "policies_"


def save() -> None:
    perform(
        policies.change,
        **{name: st.session_state.get(f"{PREFIX}{name}") for name in NUMBERS},
        requires_second_factor=bool(st.session_state.get(f"{PREFIX}requires_second_factor")),
        done=N_("Saved."),
    )


NUMBERS = {
    "staff_idle_minutes": (
        N_("People who work here are signed out after so many minutes"),
        policies.IDLE_MINUTES,
    ),
    "patient_idle_minutes": (N_("Patients are signed out after so many minutes"), policies.IDLE_MINUTES),
    "record_retention_years": (
        N_("Records are kept for so many years after the last visit"),
        policies.RETENTION_YEARS,
    ),
}

with reading() as session:
    clinic = clinics.settings(session)

st.title(_("Policies"))
with st.form("policies"):
    st.checkbox(
        _("People who work here give a code of their phone after the password"),
        value=clinic.requires_second_factor,
        key=f"{PREFIX}requires_second_factor",
    )
    for name, (label, bounds) in NUMBERS.items():
        st.number_input(
            _(label),
            value=getattr(clinic, name),
            min_value=bounds.start,
            max_value=bounds.stop - 1,
            key=f"{PREFIX}{name}",
        )
    st.caption(
        _(
            "Without use, that is: a page that is only open does not count. Germany asks for ten years of "
            "records; other countries for others."
        )
    )
    st.form_submit_button(_("Save"), type="primary", on_click=save)
