"""Choosing one of the clinic's rows: the session keeps its number, never the row itself."""

from collections.abc import Mapping
from typing import Any, TypeVar

import streamlit as st

Key = TypeVar("Key", int, str)


def choice(label: str, named: Mapping[Key, str], **options: Any) -> Key | None:
    """A select box over rows by number (or code) and name; the one chosen, None when none is."""
    chosen = st.selectbox(label, list(named), format_func=lambda number: named.get(number, ""), **options)
    return chosen if chosen in named else None
