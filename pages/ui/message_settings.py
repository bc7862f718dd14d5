"""When the clinic reminds, and when it keeps quiet, as a form."""

from datetime import time

import streamlit as st

from core import message_settings
from core.i18n import N_, _, span
from db.models import ClinicSettings
from pages.ui.actions import perform

PREFIX = "messages_"
OFFERED = (60, 120, 180, 360, 720, 1440, 2880, 4320, 10080)


def settings_form(clinic: ClinicSettings) -> None:
    """The clinic's short name, its reminders and its night."""
    with st.form("messages_settings"):
        st.text_input(
            _("Name in texts"),
            value=clinic.text_name,
            placeholder=clinic.name,
            max_chars=message_settings.NAME_LENGTH,
            help=_("A short one leaves more room. Empty: the clinic's whole name."),
            key=f"{PREFIX}text_name",
        )
        st.multiselect(
            _("Reminders so long before a visit"),
            sorted({*OFFERED, *clinic.reminder_minutes}, reverse=True),
            default=clinic.reminder_minutes,
            format_func=span,
            max_selections=message_settings.REMINDERS,
            placeholder=_("None"),
            key=f"{PREFIX}reminders",
        )
        evening, morning = st.columns(2)
        evening.time_input(_("Nothing is sent from"), value=clinic.quiet_from, key=f"{PREFIX}quiet_from")
        morning.time_input(_("Nothing is sent until"), value=clinic.quiet_until, key=f"{PREFIX}quiet_until")
        st.number_input(
            _("A time from the waitlist is kept for so many minutes"),
            value=clinic.waitlist_offer_minutes,
            min_value=message_settings.OFFER_MINUTES.start,
            max_value=message_settings.OFFER_MINUTES.stop - 1,
            key=f"{PREFIX}offer",
        )
        st.caption(_("The night is meant where the patient is. Codes and answers are sent at any hour."))
        st.form_submit_button(_("Save"), type="primary", on_click=_save)


def _save() -> None:
    state = st.session_state
    perform(
        message_settings.change,
        text_name=state.get(f"{PREFIX}text_name") or "",
        reminder_minutes=state.get(f"{PREFIX}reminders") or [],
        quiet_from=state.get(f"{PREFIX}quiet_from") or time(20),
        quiet_until=state.get(f"{PREFIX}quiet_until") or time(8),
        waitlist_offer_minutes=state.get(f"{PREFIX}offer") or 0,
        done=N_("Saved."),
    )
