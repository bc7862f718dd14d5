"""Sums on the screen: fields in which they are typed, and documents that can be taken along."""

from collections.abc import Iterable

import streamlit as st

from core import clinics, documents
from core.i18n import money
from db.models import LedgerEntry
from pages.ui.sessions import has_cookie
from pages.ui.words import plain


def amount_field(
    label: str, currency: str, *, key: str, value_minor: int | None = None, is_clearable: bool = False
) -> None:
    """A sum as people write it, with the decimals that the currency has.

    It has no bounds: a browser would keep the old sum where it refuses a new one, and the service would never
    hear of it. One that is `is_clearable` stays empty once it is emptied, or else shows `value_minor` again.
    """
    places = clinics.decimals(currency)
    kind: type[float] | type[int] = float if places else int
    value = None if value_minor is None else kind(clinics.typed_amount(value_minor, currency))
    if is_clearable and key not in st.session_state:
        st.session_state[key] = value
    st.number_input(
        f"{label} ({currency})",
        value=None if is_clearable else value,
        step=kind(1),
        format=f"%.{places}f" if places else "%d",
        key=key,
        width=320,
    )


def typed_minor(key: str, currency: str) -> int | None:
    """What was typed into `amount_field`, in minor units; None where nothing was."""
    typed = st.session_state.get(key)
    return None if typed is None else clinics.minor_units(typed, currency)


def shown(amount_minor: int, currency: str) -> str:
    """A sum, to stand in Markdown."""
    return plain(money(amount_minor, currency))


def document_links(entries: Iterable[LedgerEntry]) -> None:
    """Each document by its name, to open; without a cookie there is nobody to whom it could be given."""
    if not has_cookie():
        return
    with st.container(horizontal=True):
        for entry in entries:
            st.link_button(
                documents.name(entry),
                f"/files/documents/{entry.id}.pdf",
                type="tertiary",
                icon=":material/description:",
            )
