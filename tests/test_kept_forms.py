"""A form that is kept as it is typed, while there is no database: its text stays, and it says so."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.test_pages import said

pytestmark = pytest.mark.usefixtures("noon_without_cookies")


def form() -> None:
    """A form of one field, as the page of a visit draws its own."""
    from zoneinfo import ZoneInfo

    import streamlit as st

    from core import clinics, note_drafts
    from pages.ui.kept import Kept, begin, field, follow, keep, looked_up

    zone = looked_up(lambda session, _actor: clinics.zone(session))
    kept = Kept({"plan": "Rest"}, 3, None, zone) if isinstance(zone, ZoneInfo) else None
    if begin("note_1", kept):
        st.text_area("Plan", **field("note_1", "plan", kept))
        keep("note_1", kept, False, note_drafts.save)
        follow("note_1")


def opened() -> AppTest:
    """The form, for somebody whose session nobody can be asked about."""
    app = AppTest.from_function(form)
    app.session_state["sign_in_token"] = "whoever"
    return app


def test_what_was_typed_stays_on_the_screen_and_is_said_not_to_be_saved() -> None:
    app = opened()
    app.session_state["note_1_base"] = "3"
    app.session_state["note_1_plan"] = "Rest, and tea"
    app.run()
    assert not app.exception
    assert app.text_area(key="note_1_plan").value == "Rest, and tea"
    assert "Not saved yet." in said(app.warning)[0]
    assert app.session_state["note_1_away"] is True
    app.text_area(key="note_1_plan").set_value("Rest, tea and honey").run()
    assert app.text_area(key="note_1_plan").value == "Rest, tea and honey"
    assert app.session_state["note_1_base"] == "3"


def test_a_form_that_was_never_drawn_says_why_it_is_not_there() -> None:
    app = opened().run()
    assert not app.exception
    assert said(app.warning) == ["The portal cannot reach its database. Please try again in a minute."]
    assert not app.text_area
