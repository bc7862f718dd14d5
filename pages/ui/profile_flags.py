"""Doctors' profiles that wait to be published, wherever an administrator is."""

import streamlit as st

from core import access, profile_drafts
from core.access import Action, Actor
from core.i18n import ngettext
from pages.ui.navigation import PROFILES
from pages.ui.refusals import reading


def flag_profiles(actor: Actor) -> None:
    """Say how many wait; nothing where none do, or to others."""
    if not access.may(actor, Action.PUBLISH_PROFILE):
        return
    with reading() as session:
        count = profile_drafts.count_waiting(session, actor)
    if count:
        told = ngettext(
            "{count} profile to publish",
            "{count} profiles to publish",
            count,
        )
        st.page_link(PROFILES, label=told.format(count=count), icon=":material/badge:")
