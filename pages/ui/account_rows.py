"""An account as an administrator sees it, and what can be done with it."""

from collections.abc import Callable

import streamlit as st

from core import clinics, second_factors, users
from core.access import Actor
from core.i18n import N_, _
from core.unsettled import Foreseen
from db.models import Role, User
from pages.ui.actions import perform
from pages.ui.affected import NOBODY, foresee, save_button, show_affected
from pages.ui.refusals import reading
from pages.ui.words import ROLE, plain

DEACTIVATED = N_("{about} cannot sign in any more.")


def _change_role(user_id: int, name: str) -> None:
    perform(
        users.change_role,
        user_id=user_id,
        role=st.session_state.get(f"users_role_{user_id}"),
        done=N_("{about} has the new role now."),
        about=name,
    )


def _act(service: Callable[..., object], user_id: int, name: str, done: str) -> None:
    perform(service, user_id=user_id, done=done, about=name)


def _toggle(user_id: int) -> None:
    is_open = st.session_state.get("users_open") == user_id
    st.session_state["users_open"] = None if is_open else user_id


def account_row(actor: Actor, user: User) -> None:
    """Who it is, and once opened what can be done."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            state = "" if user.is_active else f" :gray-badge[{_('Inactive')}]"
            factor = f" :green-badge[{_('Second step')}]" if second_factors.has(user) else ""
            address = f" · {plain(user.email)}" if user.email and user.email != user.username else ""
            st.markdown(
                f"**{plain(user.name)}** · {_(ROLE[user.role])}{state}{factor}  \n"
                f"{plain(user.username)}{address}",
                width="stretch",
            )
            is_open = st.session_state.get("users_open") == user.id
            label = _("Close") if is_open else _("Change")
            st.button(label, on_click=_toggle, args=(user.id,), key=f"users_toggle_{user.id}")
        if is_open:
            _panel(actor, user)


def _panel(actor: Actor, user: User) -> None:
    named = (user.id, user.name)
    _role_choice(actor, user)
    buttons = [(_("End all sessions"), users.end_sessions, N_("{about} is signed out everywhere."))]
    if not user.is_active:
        buttons.append((_("Activate"), users.activate, N_("{about} can sign in again.")))
    if second_factors.has(user):
        told = N_("{about} signs in without a second step until a new one is set up.")
        buttons.append((_("Reset second step"), users.reset_second_factor, told))
    with st.container(horizontal=True):
        for label, service, done in buttons:
            key = f"users_{service.__name__}_{user.id}"
            st.button(label, on_click=_act, args=(service, *named, done), key=key)
        foreseen = foresee(actor, users.deactivate, user_id=user.id) if user.is_active else NOBODY
        if user.is_active and not foreseen.visits:
            arguments = (users.deactivate, *named, DEACTIVATED)
            st.button(_("Deactivate"), on_click=_act, args=arguments, key=f"users_deactivate_{user.id}")
    if foreseen.visits:
        _deactivation(user, foreseen)


def _role_choice(actor: Actor, user: User) -> None:
    """The role, and changing it: a doctor's visits may be without one then, and are listed before."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        role = st.selectbox(
            _("Role"),
            list(Role),
            index=list(Role).index(user.role),
            format_func=lambda role: _(ROLE[role]),
            key=f"users_role_{user.id}",
            width=220,
        )
        change = {"user_id": user.id, "role": role}
        foreseen = NOBODY if role is user.role else foresee(actor, users.change_role, **change)
        key = f"users_change_role_{user.id}"
        if not foreseen.visits:
            st.button(_("Change role"), on_click=_change_role, args=(user.id, user.name), key=key)
            return
    _show(foreseen)
    save_button(
        _("Change role"),
        foreseen,
        users.change_role,
        change,
        done=N_("{about} has the new role now."),
        about=user.name,
        key=key,
        is_main=False,
    )


def _deactivation(user: User, foreseen: Foreseen) -> None:
    """Turning off the account of a doctor whose visits would be left over: their list comes first."""
    with st.expander(_("Deactivate"), icon=":material/event_busy:"):
        _show(foreseen)
        save_button(
            _("Deactivate"),
            foreseen,
            users.deactivate,
            {"user_id": user.id},
            done=DEACTIVATED,
            about=user.name,
            key=f"users_deactivate_{user.id}",
        )


def _show(foreseen: Foreseen) -> None:
    with reading() as session:
        show_affected(foreseen, clinics.zone(session))
