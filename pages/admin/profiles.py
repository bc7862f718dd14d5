"""Doctors' profiles: what doctors have written of themselves, to publish or to send back."""

from datetime import datetime

import streamlit as st

from core import profile_drafts
from core.i18n import N_, _, ngettext
from core.profile_drafts import Profile
from db.models import Role
from pages.ui import perform, plain, reading, require
from pages.ui.portions import show_portion
from pages.ui.profiles import proposed, published

actor = require(Role.ADMIN)

PREFIX = "profiles_"
FIRST = 5


def publish(doctor_id: int, seen: datetime | None) -> None:
    perform(profile_drafts.publish, doctor_id=doctor_id, seen=seen, done=N_("Published."))


def send_back(doctor_id: int, seen: datetime | None) -> None:
    field = f"{PREFIX}remark_{doctor_id}"
    perform(
        profile_drafts.send_back,
        doctor_id=doctor_id,
        seen=seen,
        remark=st.session_state.get(field) or "",
        done=N_("Sent back. The doctor reads why."),
        clear=[field],
    )


def show(profile: Profile) -> None:
    number, name = profile.doctor.id, profile.doctor.user.name
    with st.container(border=True):
        st.header(plain(name))
        new, old = st.columns(2, gap="large")
        with new:
            st.subheader(_("To be published"))
            proposed(profile)
        with old:
            st.subheader(_("What patients see now"))
            published(profile)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                _("Publish"),
                type="primary",
                on_click=publish,
                args=(number, profile.seen),
                key=f"{PREFIX}publish_{number}",
            )
            with st.popover(_("Send back"), icon=":material/undo:", key=f"{PREFIX}back_{number}"):
                st.text_area(
                    _("What should be changed?"),
                    max_chars=profile_drafts.REMARK_LENGTH,
                    key=f"{PREFIX}remark_{number}",
                )
                st.button(
                    _("Send back"),
                    on_click=send_back,
                    args=(number, profile.seen),
                    key=f"{PREFIX}send_back_{number}",
                )


with reading() as session:
    profiles = profile_drafts.waiting(session, actor)
st.title(_("Doctors' profiles"))
if not profiles:
    st.info(_("No profile waits to be published."), icon=":material/check_circle:")
else:
    waiting = ngettext("{count} profile waits.", "{count} profiles wait.", len(profiles))
    st.caption(waiting.format(count=len(profiles)))
show_portion(profiles, show, key="profiles", first=FIRST)
