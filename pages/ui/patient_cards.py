"""A patient as the desk needs them: visits of today and ahead, what is owed, and how they are told."""

from zoneinfo import ZoneInfo

import streamlit as st

from core import agendas, statements
from core.access import Actor
from core.i18n import _
from db.models import ClinicSettings, Patient
from pages.ui.contacts import preferences_form
from pages.ui.money import shown
from pages.ui.refusals import reading
from pages.ui.statements import statement_head
from pages.ui.tills import take_panel
from pages.ui.visits import visit_actions, visit_card


def patient_card(actor: Actor, patient: Patient, clinic: ClinicSettings, zone: ZoneInfo) -> None:
    """What stands beside a new booking."""
    with reading() as session:
        upcoming = agendas.upcoming(session, actor, patient_ids=[patient.id])
        with_money = statements.of_patients(session, actor, patient_ids=[patient.id])
    owed = {each.visit.id: each for each in with_money if each.owed_minor}
    st.header(_("Coming visits"))
    if not upcoming:
        st.caption(_("None."))
    for visit in upcoming:
        with st.container(border=True):
            visit_card(visit, zone, with_patient=False)
            if statement := owed.pop(visit.id, None):
                amount = shown(statement.owed_minor, clinic.currency)
                st.markdown(_("**To pay {amount}**").format(amount=amount))
                take_panel(statement, clinic.currency, zone)
            visit_actions(visit, actor, clinic, zone)
    if owed:
        st.header(_("To pay"))
    for statement in owed.values():
        with st.container(border=True):
            statement_head(statement, clinic.currency, zone, with_patient=False)
            take_panel(statement, clinic.currency, zone)
    if st.toggle(_("How messages reach them"), key=f"card_contact_{patient.id}"):
        preferences_form(actor, patient.id)
