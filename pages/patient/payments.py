"""Payments: what each visit cost, what was paid and paid back, what is open, and the documents."""

import streamlit as st

from core import clinics, statements
from core.i18n import _
from core.statements import Statement
from core.terms import SMALLEST_ONLINE_MINOR
from db.config import config
from db.models import Role
from db.models.appointments import LIVE_STATUSES
from pages.ui import reading, require
from pages.ui.navigation import PAY
from pages.ui.statements import statement_head

actor = require(Role.PATIENT)


def show_more() -> None:
    st.session_state["payments_shown"] += statements.SHOWN


def can_pay_online(statement: Statement) -> bool:
    is_enough = statement.owed_minor >= SMALLEST_ONLINE_MINOR
    return config().takes_cards_online and is_enough and statement.visit.status in LIVE_STATUSES


limit = st.session_state.setdefault("payments_shown", statements.SHOWN)
with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    visits = statements.of_patients(session, actor, patient_ids=actor.patient_ids, limit=limit + 1)
with_patient = len(actor.patient_ids) > 1

st.title(_("Payments"))
if not visits:
    st.info(_("Nothing to pay, and nothing was paid yet."), icon=":material/payments:")
for statement in visits[:limit]:
    with st.container(border=True):
        statement_head(statement, clinic.currency, zone, with_patient=with_patient)
        if can_pay_online(statement):
            st.page_link(
                PAY,
                label=_("Pay online"),
                icon=":material/credit_card:",
                query_params={"visit": str(statement.visit.id)},
            )
if len(visits) > limit:
    st.button(_("Show more"), on_click=show_more, key="payments_more", width="stretch")
