"""What the guard has to cover and not all pages have: fragments, dialogs, files, fields that are locked.

Nothing here checks who is there once it is drawn, so that what stops a click is the guard.
"""

import os
from pathlib import Path
from uuid import uuid4

import streamlit as st

from core import appointments
from core.file_kinds import FileKind
from db.models import Role
from pages.ui import perform, require, show_messages
from pages.ui.uploads import ask_for_file

require(Role.PATIENT)


def note(what: str) -> None:
    """Write down that something ran."""
    with Path(os.environ["WORKBENCH_NOTES"]).open("a") as notes:
        notes.write(f"{what}\n")


def cancel() -> None:
    perform(
        appointments.cancel,
        appointment_id=int(st.session_state["bench_visit"]),
        reason=st.session_state["bench_reason"],
        done="Cancelled.",
    )


@st.fragment(run_every=60)
def refreshing() -> None:
    note("fragment ran")
    st.button("In the fragment", on_click=note, args=("fragment button",))


@st.dialog("A dialog")
def dialog() -> None:
    st.button("In the dialog", on_click=note, args=("dialog button",))


@st.cache_data
def cached() -> str:
    return f"cached {uuid4()}"


note("page ran")
show_messages()
st.write(cached())
st.button("On the page", on_click=note, args=("page button",))
refreshing()
if st.button("Open the dialog"):
    dialog()
st.text_input("Visit", "0", key="bench_visit", disabled=True)
st.selectbox("Reason", ["I am better", "Another reason"], key="bench_reason")
st.button("Cancel the visit", on_click=cancel)
if st.checkbox("Send a file"):
    given = ask_for_file("A file", kinds=[FileKind.PDF, FileKind.PNG], key="bench_file")
    if given is not None:
        st.write(f"Given {given.kind}, {len(given.content)} bytes")
