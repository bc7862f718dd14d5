"""Payments: what each visit cost, what was paid and paid back, what is open, and the documents."""

import streamlit as st

from core import attempts, clinics, statements
from core.i18n import N_, _
from core.statements import Statement
from core.terms import SMALLEST_ONLINE_MINOR
from db.config import config
from db.models import Role
from pages.ui import perform, reading, require
from pages.ui.actions import Place
from pages.ui.navigation import PAY
from pages.ui.statements import statement_head

actor = require(Role.PATIENT)


def pay(visit_id: int) -> None:
    perform(
        attempts.begin,
        appointment_id=visit_id,
        done=N_("You can pay now."),
        then=lambda begun: Place(PAY, {"visit": str(begun.appointment_id)}),
    )


def show_more() -> None:
    st.session_state["payments_shown"] += statements.SHOWN


def can_pay_online(statement: Statement) -> bool:
    return config().takes_cards_online and statement.owed_minor >= SMALLEST_ONLINE_MINOR


limit = st.session_state.setdefault("payments_shown", statements.SHOWN)
with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    visits = statements.of_patients(session, actor, patient_ids=actor.patient_ids, limit=limit + 1)
with_patient = len(actor.patient_ids) > 1

st.title(_("Payments"))
if not visits:
    st.info(_("You have nothing to pay, and have paid nothing yet."), icon=":material/payments:")
for statement in visits[:limit]:
    with st.container(border=True):
        statement_head(statement, clinic.currency, zone, with_patient=with_patient)
        if can_pay_online(statement):
            st.button(
                _("Pay online"),
                icon=":material/credit_card:",
                on_click=pay,
                args=(statement.visit.id,),
                key=f"payments_pay_{statement.visit.id}",
            )
if len(visits) > limit:
    st.button(_("Show more"), on_click=show_more, key="payments_more", width="stretch")
