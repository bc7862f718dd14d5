"""Which pages each role has, the first being where they land."""

import streamlit as st
from streamlit.navigation.page import Page

from core.access import Actor
from core.i18n import _
from db.models import Role

FIND_DOCTOR = "pages/patient/find_doctor.py"
DOCTOR = "pages/patient/doctor.py"
MY_APPOINTMENTS = "pages/patient/my_appointments.py"
TODAY = "pages/doctor/today.py"
BOOK_FOR_PATIENT = "pages/staff/book_for_patient.py"
PATIENT_RECORD = "pages/doctor/patient_record.py"
RECORD_ACCESS = "pages/patient/record_access.py"
MY_DATA = "pages/patient/my_data.py"
AUDIT_TRAIL = "pages/admin/audit_trail.py"
SIGN_IN = "pages/account/sign_in.py"


def pages_for(actor: Actor | None) -> list[Page]:
    """The pages of whoever is here. A menu is no permission: each page has its own guard."""
    if actor is None:
        # Every page, so that a link leads to its guard, which lets one sign in and stay there.
        others = (
            *(FIND_DOCTOR, DOCTOR, MY_APPOINTMENTS, TODAY, BOOK_FOR_PATIENT),
            *(PATIENT_RECORD, RECORD_ACCESS, MY_DATA, AUDIT_TRAIL),
        )
        hidden = [st.Page(page, visibility="hidden") for page in others]
        return [st.Page(SIGN_IN, title=_("Sign in"), default=True), *hidden]
    today = st.Page(TODAY, title=_("Today"), icon=":material/today:", default=actor.role is Role.DOCTOR)
    if actor.role is Role.PATIENT:
        return [
            st.Page(FIND_DOCTOR, title=_("Find a doctor"), icon=":material/search:", default=True),
            st.Page(MY_APPOINTMENTS, title=_("My appointments"), icon=":material/event:"),
            st.Page(RECORD_ACCESS, title=_("Who opened my record"), icon=":material/visibility:"),
            st.Page(MY_DATA, title=_("My data"), icon=":material/folder_shared:"),
            st.Page(DOCTOR, title=_("Book"), visibility="hidden"),
        ]
    if actor.role is Role.DOCTOR:
        return [today, st.Page(PATIENT_RECORD, title=_("Records"), icon=":material/clinical_notes:")]
    admins = [st.Page(AUDIT_TRAIL, title=_("Audit trail"), icon=":material/policy:")]
    return [
        st.Page(
            BOOK_FOR_PATIENT, title=_("Book for a patient"), icon=":material/event_available:", default=True
        ),
        today,
        *(admins if actor.role is Role.ADMIN else []),
    ]
