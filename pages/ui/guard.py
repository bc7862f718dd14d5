"""The guard with which every page begins."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.access import Actor
from core.errors import AccessDenied
from core.i18n import _
from db.models import Role
from pages.ui.refusals import keep_refusal
from pages.ui.sessions import current_actor
from pages.ui.sign_in_form import sign_in_form
from pages.ui.strays import way_on

_REFUSED = "guard_refused"


def require(*roles: Role) -> Actor:
    """The actor, if signed in with one of `roles`; otherwise the page ends here, with a way on."""
    actor = current_actor()
    if actor is None:
        st.warning(_("Please sign in to see this page."))
        sign_in_form()
        st.stop()
    if actor.role not in roles:
        _keep_once(actor)
        st.error(_("This page is not for your role."))
        way_on(actor.role)
        st.stop()
    st.session_state.pop(_REFUSED, None)
    return actor


def _keep_once(actor: Actor) -> None:
    """Note the refusal, but not again when the page draws itself again, as after a lost connection."""
    context = get_script_run_ctx()
    refused = (actor.user_id, context and context.page_script_hash)
    if st.session_state.get(_REFUSED) != refused:
        keep_refusal(AccessDenied())
        st.session_state[_REFUSED] = refused
