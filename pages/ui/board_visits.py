"""A visit of the board, opened: its steps, its ticket and its money, and to move or cancel it."""

from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from core import clock, desk_messages, statements
from core.access import Actor
from core.i18n import N_, _
from core.phones import shown
from db.models import Channel, ClinicSettings
from pages.ui.actions import form_key, perform, say
from pages.ui.arrivals import step_buttons
from pages.ui.downloads import download
from pages.ui.navigation import BOOK_FOR_PATIENT
from pages.ui.refusals import reading
from pages.ui.statements import statement_head
from pages.ui.tills import take_panel
from pages.ui.visits import visit_actions


def visit_panel(actor: Actor, visit_id: int, clinic: ClinicSettings, zone: ZoneInfo) -> None:
    """All that the desk does about one visit, on the board itself."""
    with reading() as session:
        statement = statements.of_visit(session, actor, appointment_id=visit_id)
    visit = statement.visit
    statement_head(statement, clinic.currency, zone, with_patient=True)
    is_today = visit.starts_at.astimezone(zone).date() == clock.now().astimezone(zone).date()
    step_buttons(visit, actor, is_today=is_today, place="board")
    if statement.owed_minor and not visit.is_offered:
        take_panel(statement, clinic.currency, zone)
    if visit.status in desk_messages.WITH_TICKET:
        with st.container(horizontal=True):
            download(_("Print the ticket"), f"/files/tickets/{visit_id}.pdf")
            if visit.starts_at > clock.now():
                st.button(
                    _("Send the ticket"),
                    icon=":material/send:",
                    on_click=_send_ticket,
                    args=(visit_id, form_key(f"ticket_{visit_id}")),
                    key=f"board_ticket_{visit_id}",
                )
    visit_actions(visit, actor, clinic, zone)
    if st.button(_("Open the patient"), icon=":material/person:", type="tertiary", key="board_patient"):
        st.session_state["people_chosen"] = visit.patient_id
        st.switch_page(BOOK_FOR_PATIENT)


def _send_ticket(visit_id: int, key: UUID) -> None:
    told = perform(
        desk_messages.send_ticket,
        appointment_id=visit_id,
        request_key=key,
        done=N_("The ticket is sent."),
        form=f"ticket_{visit_id}",
    )
    if told is not None:
        is_text = told.channel is Channel.SMS
        said = (
            _("The ticket goes to {name}, by text to {place}.")
            if is_text
            else _("The ticket goes to {name}, by email to {place}.")
        )
        say(said.format(name=told.name, place=shown(told.sent_to) if is_text else told.sent_to))
