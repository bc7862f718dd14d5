"""Choosing one of the clinic's rows: the session keeps its number, never the row itself."""

from collections.abc import Mapping
from typing import Any

import streamlit as st


def choice(label: str, named: Mapping[int, str], **options: Any) -> int | None:
    """A select box over rows by number and name; the number chosen, None when none is."""
    chosen = st.selectbox(label, list(named), format_func=lambda number: named.get(number, ""), **options)
    return chosen if chosen in named else None
