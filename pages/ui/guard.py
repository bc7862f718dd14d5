"""The guard with which every page begins."""

import streamlit as st

from core.access import Actor
from core.errors import AccessDenied
from core.i18n import _
from db.models import Role
from pages.ui.refusals import keep_refusal
from pages.ui.sessions import current_actor
from pages.ui.sign_in_form import sign_in_form
from pages.ui.strays import way_on


def require(*roles: Role) -> Actor:
    """The actor, if signed in with one of `roles`; otherwise the page ends here, with a way on."""
    actor = current_actor()
    if actor is None:
        st.warning(_("Please sign in to see this page."))
        sign_in_form()
        st.stop()
    if actor.role not in roles:
        keep_refusal(AccessDenied())
        st.error(_("This page is not for your role."))
        way_on(actor.role)
        st.stop()
    return actor
