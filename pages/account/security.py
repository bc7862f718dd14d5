"""One's own security: where one is signed in, the password, and the second step of signing in."""

import streamlit as st

from core import clinics, profiles, safeguards, second_factors
from core.i18n import N_, _, day_and_time
from db.models import Role
from pages.ui import perform, plain, reading, require
from pages.ui.browsers import browser_name
from pages.ui.enrolment import show_enrolment, show_recovery_codes
from pages.ui.fields import code_field, password_field
from pages.ui.other_sites import links

actor = require(Role.PATIENT, Role.DOCTOR, Role.STAFF, Role.ADMIN)


def end(sign_in_id: int) -> None:
    perform(safeguards.end_session, sign_in_id=sign_in_id, done=N_("That browser is signed out."))


def change_password() -> None:
    perform(
        safeguards.change_password,
        trying=profiles.is_over,
        current=st.session_state.get("security_current") or "",
        new=st.session_state.get("security_new") or "",
        done=N_("Your password is changed. Please sign in with it."),
        clear=("security_current", "security_new"),
    )


def begin() -> None:
    perform(
        safeguards.begin_second_factor,
        trying=profiles.is_over,
        password=st.session_state.get("security_begin_password") or "",
        done=N_("Please scan the code with your phone."),
        clear=("security_begin_password",),
    )


def confirm() -> None:
    codes = perform(
        safeguards.confirm_second_factor,
        code=st.session_state.get("security_code") or "",
        done=N_("From now on you will be asked for a code when you sign in."),
        clear=("security_code",),
    )
    # A second click is refused, and must not hide what the first has brought.
    st.session_state["security_recovery_codes"] = codes or st.session_state.get("security_recovery_codes")


def forget_codes() -> None:
    st.session_state["security_recovery_codes"] = None


def turn_off() -> None:
    perform(
        safeguards.turn_off_second_factor,
        trying=profiles.is_over,
        password=st.session_state.get("security_begin_password") or "",
        done=N_("The second step is off."),
        clear=("security_begin_password",),
    )


with reading() as session:
    zone, clinic = clinics.zone(session), clinics.settings(session)
    user, begun = profiles.own(session, actor), safeguards.begun_second_factor(session, actor)
    browsers = safeguards.sessions(session, actor)

st.title(_("Security"))
st.header(_("Second step of signing in"))
has_factor, recovery_codes = second_factors.has(user), st.session_state.get("security_recovery_codes")
if recovery_codes:
    show_recovery_codes(recovery_codes)
    st.button(_("I have kept them"), type="primary", on_click=forget_codes, key="security_codes_kept")
elif begun is not None:
    show_enrolment(begun)
    with st.form("security_confirm", border=False):
        code_field(_("Code that the app shows"), "security_code")
        with st.container(horizontal=True):
            st.form_submit_button(_("Turn on"), type="primary", on_click=confirm)
            st.form_submit_button(
                _("Not now"),
                on_click=perform,
                args=(safeguards.drop_second_factor,),
                kwargs={"done": N_("Nothing was changed.")},
            )
else:
    is_required = second_factors.is_required(clinic, actor.role)
    on, off = _("On: you give a code of an app on your phone."), _("Off: the password is enough.")
    told = on if has_factor else off
    st.write(told if has_factor or not is_required else _("This clinic asks for it: please set it up now."))
    with st.form("security_begin", border=False):
        password_field(_("Your current password"), "security_begin_password")
        with st.container(horizontal=True):
            label = _("Use another phone") if has_factor else _("Set it up")
            st.form_submit_button(label, on_click=begin, key="security_begin_submit")
            if has_factor and not is_required:
                st.form_submit_button(_("Turn off"), on_click=turn_off, key="security_off_submit")
st.header(_("Password"))
with st.form("security_password", border=False):
    password_field(_("Current password"), "security_current")
    password_field(_("New password"), "security_new", is_new=True)
    st.caption(_("You will be signed out in every browser, this one too, and sign in with the new password."))
    st.form_submit_button(_("Change password"), on_click=change_password)
links(actor)
st.header(_("Where you are signed in"))
for each in browsers:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        here = f" :green-badge[{_('This browser')}]" if each.id == actor.sign_in_id else ""
        seen = _("last used {time}").format(time=day_and_time(each.last_seen_at, zone))
        name, where = browser_name(each.browser) or _("A browser"), each.address or _("unknown address")
        st.markdown(f"**{plain(name)}**{here}  \n{plain(where)} · {seen}", width="stretch")
        st.button(_("End"), on_click=end, args=(each.id,), key=f"security_end_{each.id}")
if len(browsers) > 1:
    told = {"done": N_("Every other browser is signed out.")}
    others = (safeguards.end_other_sessions,)
    st.button(_("End all others"), on_click=perform, args=others, kwargs=told, key="security_end_others")
