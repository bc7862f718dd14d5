"""One's own profile: name, language, text messages, and the email address and phone that the clinic uses."""

from functools import partial

import streamlit as st

from core import clinics, notifications, phones, profiles
from core.i18n import N_, _, short_date
from core.languages import locale_name
from db.models import CodePurpose, Role
from pages.ui import perform, plain, reading, require
from pages.ui.fields import code_field, password_field
from pages.ui.navigation import DEMO_MAILBOX
from pages.ui.words import CONSENT

actor = require(Role.PATIENT, Role.DOCTOR, Role.STAFF, Role.ADMIN)

EMAIL, PHONE = CodePurpose.VERIFY_EMAIL, CodePurpose.VERIFY_PHONE


def save() -> None:
    perform(
        profiles.save,
        name=st.session_state.get("profile_name") or "",
        locale=st.session_state.get("profile_locale") or "",
        has_sms_consent=bool(st.session_state.get("profile_consent")),
        done=N_("Saved."),
    )


def ask(kind: str, current: str) -> None:
    perform(
        profiles.ask_email if kind == "email" else profiles.ask_phone,
        trying=profiles.is_over,
        password=st.session_state.get(f"profile_{kind}_password") or "",
        done=N_("We have sent a code. Please enter it."),
        clear=(f"profile_{kind}", f"profile_{kind}_password"),
        **{kind: st.session_state.get(f"profile_{kind}") or current},
    )


def confirm(kind: str) -> None:
    perform(
        profiles.confirm_email if kind == "email" else profiles.confirm_phone,
        trying=partial(profiles.is_code_over, purpose=EMAIL if kind == "email" else PHONE),
        code=st.session_state.get(f"profile_{kind}_code") or "",
        done=N_("Thank you, that is verified."),
        clear=(f"profile_{kind}_code",),
    )


def reachable(kind: str, label: str, current: str, is_verified: bool, awaited: str | None) -> None:
    """What the clinic has, and the way to another: a code to the new one, and the current password."""
    state = f":green-badge[{_('Verified')}]" if is_verified else f":orange-badge[{_('Not verified')}]"
    st.markdown(f"**{label}**  \n{plain(current)} {state}" if current else f"**{label}**  \n{_('None yet')}")
    if awaited:
        with st.form(f"profile_{kind}_confirm", border=False):
            code_field(_("Code sent to {address}").format(address=awaited), f"profile_{kind}_code")
            st.form_submit_button(_("Confirm"), type="primary", on_click=confirm, args=(kind,))
        if kind == "phone":  # said of every number: whether one has texted STOP is nobody else's business
            st.caption(_("No code has come? To a number that has texted us STOP none is sent: text START."))
    is_begun = bool(st.session_state.get(f"profile_{kind}"))  # a refusal must not fold away what was typed
    with (
        st.expander(_("Change or verify"), expanded=is_begun),
        st.form(f"profile_{kind}_ask", border=False),
    ):
        st.text_input(
            label,
            placeholder=current,
            key=f"profile_{kind}",
            autocomplete="email" if kind == "email" else "tel",
            max_chars=254,
        )
        password_field(_("Your current password"), f"profile_{kind}_password")
        st.form_submit_button(_("Send me a code"), on_click=ask, args=(kind, current))


with reading() as session:
    user = profiles.own(session, actor)
    awaited = {purpose: profiles.awaited(session, actor, purpose) for purpose in (EMAIL, PHONE)}
    has_mailbox, zone = notifications.has_mailbox(session), clinics.zone(session)
    _own, offered = clinics.offered_languages(session)

st.title(_("Profile"))
with st.form("profile"):
    st.text_input(_("Full name"), value=user.name, key="profile_name", autocomplete="name", max_chars=200)
    codes = sorted({*offered, user.locale})
    st.selectbox(
        _("Language"), codes, index=codes.index(user.locale), format_func=locale_name, key="profile_locale"
    )
    st.checkbox(
        _("Send me text messages about my appointments"),
        value=user.sms_consent_at is not None,
        key="profile_consent",
    )
    if user.sms_consent_at is not None:
        how = _(CONSENT.get(user.sms_consent_source or "", N_("at the clinic")))
        since = short_date(user.sms_consent_at.astimezone(zone).date())
        st.caption(_("You agreed on {date}, {how}.").format(date=since, how=how))
    st.form_submit_button(_("Save"), type="primary", on_click=save)
st.header(_("How the clinic reaches you"))
reachable("email", _("Email"), user.email or "", user.email_verified_at is not None, awaited[EMAIL])
number = phones.shown(user.phone) if user.phone else ""
reachable("phone", _("Mobile phone"), number, user.phone_verified_at is not None, awaited[PHONE])
if has_mailbox:
    st.page_link(DEMO_MAILBOX, label=_("Demo mailbox"), icon=":material/mail:")
