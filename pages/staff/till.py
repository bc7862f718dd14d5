"""Till: find the patient, take what is owed for a visit or a part of it, invoice it, or pay back by hand."""

import streamlit as st

from core import clinics, clock, documents, statements
from core.i18n import _
from db.models import Role
from pages.ui import reading, require
from pages.ui.money import document_links
from pages.ui.people import choose_patient
from pages.ui.statements import statement_head
from pages.ui.tills import give_panel, take_panel
from pages.ui.waiting_refunds import show_waiting

actor = require(Role.STAFF, Role.ADMIN)


def show_more() -> None:
    st.session_state["till_shown"] += statements.SHOWN


limit = st.session_state.setdefault("till_shown", statements.SHOWN)
st.title(_("Till"))
show_waiting(actor)
patient = choose_patient(actor)
if patient is None:
    st.stop()

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    visits = statements.of_patients(session, actor, patient_ids=[patient.id], limit=limit + 1)
    written = documents.listed(session, actor, patient_id=patient.id)

now = clock.now()
st.header(_("Visits and what is owed"))
if not visits:
    st.info(_("No visit of this patient costs anything."), icon=":material/payments:")
for statement in sorted(visits[:limit], key=lambda each: abs(each.visit.starts_at - now)):  # today's first
    with st.container(border=True):
        statement_head(statement, clinic.currency, zone, with_patient=False)
        if statement.owed_minor:
            take_panel(statement, clinic.currency, zone)
        give_panel(statement, clinic.currency)
if len(visits) > limit:
    st.button(_("Show more"), on_click=show_more, key="till_more", width="stretch")
if written:
    with st.expander(_("All documents"), icon=":material/folder:"):
        document_links(written)
