"""Refunds that wait for the desk, wherever the desk is."""

import streamlit as st

from core import access, waiting_refunds
from core.access import Action, Actor
from core.i18n import ngettext
from pages.ui.navigation import TILL
from pages.ui.refusals import reading


def flag_refunds(actor: Actor) -> None:
    """Say how many have failed and how many are to be handed over; nothing where none are, or to others."""
    if not access.may(actor, Action.REFUND):
        return
    with reading() as session:
        waiting = waiting_refunds.counted(session, actor)
    if waiting.failed:
        told = ngettext(
            "{count} failed refund",
            "{count} failed refunds",
            waiting.failed,
        )
        st.page_link(TILL, label=told.format(count=waiting.failed), icon=":material/error:")
    if waiting.to_hand_over:
        told = ngettext(
            "{count} refund to hand over",
            "{count} refunds to hand over",
            waiting.to_hand_over,
        )
        st.page_link(TILL, label=told.format(count=waiting.to_hand_over), icon=":material/payments:")
