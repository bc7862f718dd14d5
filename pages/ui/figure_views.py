"""What somebody looks at while they choose a bar of it: a click answers what was shown, not what came since.

To Streamlit a chart with other values is another chart, and what was chosen in the one before is forgotten.
"""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from core.analytics.scopes import Scope
from core.figures import Table

_SHOWN, _CHOSEN = "figures_shown", "figures_chosen"


class _Shown(NamedTuple):
    name: str
    scope: Scope
    tables: list[Table]


def keep_shown() -> None:
    """Show the same figures once more: something in them has just been chosen."""
    st.session_state[_CHOSEN] = True


def shown(name: str, scope: Scope, read: Callable[[], list[Table]]) -> list[Table]:
    """The figures of a page: read anew, but for a click in them, which is of those that it was made in."""
    is_chosen = st.session_state.pop(_CHOSEN, False)
    last: _Shown | None = st.session_state.get(_SHOWN)
    if is_chosen and last is not None and (last.name, last.scope) == (name, scope):
        return last.tables
    tables = read()
    st.session_state[_SHOWN] = _Shown(name, scope, tables)
    return tables
