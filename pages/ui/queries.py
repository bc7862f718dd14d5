"""What the address asks for: anybody may write anything there."""

from datetime import date

import streamlit as st

DIGITS = 9  # the most that any of our numbers has


def asked_number(name: str) -> int:
    """The number behind `?name=`, 0 where there is none that could be a row's."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0


def asked_day(name: str) -> date | None:
    """The day behind `?name=` as 2026-11-30, None where there is none."""
    try:
        return date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        return None
