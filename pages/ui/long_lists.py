"""Lists that begin short: their first few entries, and the others when they are asked for."""

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from core.i18n import ngettext

Each = TypeVar("Each")
FEW = 3


def first_of(entries: Sequence[Each], key: str, few: int = FEW) -> Sequence[Each]:
    """The entries to draw; a switch under `key` asks for those that are left out."""
    more = len(entries) - few
    if more <= 0:
        return entries
    label = ngettext("Show {count} more", "Show {count} more", more).format(count=more)
    return entries if st.toggle(label, key=f"{key}_all") else entries[:few]
