"""What a page does when the clinic says no while it reads: keep the refusal, say the sentence, end there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from core import audit
from core.errors import AccessDenied, ClinicError, NotFound
from db.session import unit_of_work
from pages.ui.sessions import acting
from pages.ui.words import plain


@contextmanager
def reading(*, is_by_address: bool = False) -> Iterator[Any]:
    """One transaction in which a page looks things up, and the trail notes that it did.

    What cannot be shown is said in one sentence, and the page ends there. A refusal is kept in the trail.
    Where the address says what to show, `is_by_address`, what is another's is said not to be there: who tries
    numbers does not learn which there are.
    """
    try:
        with unit_of_work() as session:
            yield session
    except ClinicError as error:
        if isinstance(error, AccessDenied):
            keep_refusal(error)
        is_hidden = is_by_address and isinstance(error, AccessDenied)
        st.error(plain(str(NotFound() if is_hidden else error)), icon=":material/error:")
        st.stop()


def keep_refusal(denied: AccessDenied) -> None:
    """Note in the trail what whoever is signed in was refused; what they had begun is rolled back by now."""
    with unit_of_work() as session:
        actor = acting(session)
        if actor is not None:
            audit.record_refusal(session, actor, denied)
