"""Patients that a search has found, as buttons: the same at the desk, for guardians and for records."""

from collections.abc import Callable
from datetime import date

import streamlit as st

from core.i18n import _, short_date
from pages.ui.words import plain


def named(name: str, birth_on: date) -> str:
    """A patient's name and birth date, by which namesakes are told apart, in Markdown."""
    return f"**{plain(name)}** · {born(birth_on)}"


def born(birth_on: date) -> str:
    return _("born {date}").format(date=short_date(birth_on))


def patient_button(
    label: str, patient_id: int, *, on_click: Callable[[int], None], key: str, icon: str | None = None
) -> None:
    """One patient of a list; pressing it calls `on_click` with the patient's number."""
    st.button(
        label,
        icon=icon,
        on_click=on_click,
        args=(patient_id,),
        key=f"{key}_{patient_id}",
        width="stretch",
        wrap=True,
    )


def say_if_cut(count: int, most: int) -> None:
    """Say that a list which is as long as it may be is perhaps not all there is."""
    if count == most:
        st.caption(_("Only the first {count} are shown. Write more of the name.").format(count=most))
