"""Finding a patient from wherever the desk is: a field at the head of every page."""

import streamlit as st

from core.access import Actor
from core.i18n import _
from pages.ui.navigation import BOOK_FOR_PATIENT

FIELD = "search_text"
ASKED = "search_asked"


def search_field() -> None:
    """By name, phone or birth date; what is found is on the patient's page."""
    st.text_input(
        _("Search for a patient"),
        placeholder=_("Patient: name, phone or birth date (1980-12-31)"),
        icon=":material/search:",
        label_visibility="collapsed",
        max_chars=100,
        on_change=_search,
        width=360,
        key=FIELD,
    )


def _search() -> None:
    wanted = (st.session_state.get(FIELD) or "").strip()
    if wanted:
        st.session_state.update(
            {FIELD: "", ASKED: True, "people_text": wanted, "people_chosen": None, "visits_open": None}
        )


def go_where_asked(actor: Actor) -> None:
    """Follow a search of the last click to the page that answers it: a callback cannot be followed."""
    if st.session_state.pop(ASKED, False) and actor.is_desk:
        st.switch_page(BOOK_FOR_PATIENT)
