"""Colours that the theme cannot give: its primary one is behind white words and the colour of others."""

import streamlit as st

# Browsers older than light-dark() keep the theme's colour, which is legible too.
_STYLE = """<style>
[data-variant="segmented_control"][data-selected="true"],
[data-variant="segmented_control"][data-selected="true"] *,
[data-variant="pills"][data-selected="true"], [data-variant="pills"][data-selected="true"] *,
[data-testid="stTab"][aria-selected="true"], [data-testid="stTab"][aria-selected="true"] *,
.st-key-home_clinic span { color: light-dark(#0b6e75, #6fc3ca) !important; }
</style>"""


def make_legible() -> None:
    """To be called on every page: what is chosen stands out from its ground by 4.5 to 1 (WCAG 1.4.3)."""
    st.html(_STYLE)
