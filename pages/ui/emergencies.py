"""Emergency access to records that no administrator has looked at yet, wherever an administrator is."""

import streamlit as st

from core import access, emergencies
from core.access import Action, Actor
from core.i18n import ngettext
from pages.ui.navigation import AUDIT_TRAIL
from pages.ui.refusals import reading


def flag_emergencies(actor: Actor) -> None:
    """Say how many there are, with a way to them; nothing where there are none, or to others."""
    if not access.may(actor, Action.REVIEW_ACCESS):
        return
    with reading() as session:
        count = emergencies.unreviewed(session, actor)
    if count:
        told = ngettext(
            "{count} emergency access to review",
            "{count} emergency accesses to review",
            count,
        )
        st.page_link(AUDIT_TRAIL, label=told.format(count=count), icon=":material/emergency:")
