"""Inviting people to work here, and the invites that wait for an answer."""

import streamlit as st

from core import invites
from core.access import Actor
from core.i18n import N_, _, short_date
from pages.ui.actions import perform
from pages.ui.refusals import reading
from pages.ui.words import ROLE, plain


def _invite() -> None:
    perform(
        invites.invite,
        name=st.session_state.get("invite_name") or "",
        email=st.session_state.get("invite_email") or "",
        role=st.session_state.get("invite_role"),
        done=N_("Invited. The code is on its way by email."),
        clear=("invite_name", "invite_email"),
    )


def _resend(invite_id: int) -> None:
    perform(invites.resend, invite_id=invite_id, done=N_("Sent again with a new code."))


def _withdraw(invite_id: int) -> None:
    perform(invites.withdraw, invite_id=invite_id, done=N_("Withdrawn."))


def show_invites(actor: Actor) -> None:
    """The form to invite somebody, and whoever has not answered yet."""
    with reading() as session:
        waiting = invites.open_invites(session, actor)
    with st.form("invite"):
        st.text_input(_("Full name"), key="invite_name", max_chars=200)
        st.text_input(_("Email"), key="invite_email", max_chars=254)
        st.selectbox(_("Role"), invites.ROLES, format_func=lambda role: _(ROLE[role]), key="invite_role")
        st.form_submit_button(_("Invite"), type="primary", on_click=_invite)
    for each in waiting:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            until = (
                _("has run out")
                if invites.has_run_out(each)
                else _("until {date}").format(date=short_date(each.expires_at.date()))
            )
            st.markdown(
                f"**{plain(each.name)}** · {_(ROLE[each.role])}  \n{plain(each.email)} · {until}",
                width="stretch",
            )
            st.button(_("Send again"), on_click=_resend, args=(each.id,), key=f"invite_resend_{each.id}")
            st.button(_("Withdraw"), on_click=_withdraw, args=(each.id,), key=f"invite_withdraw_{each.id}")
