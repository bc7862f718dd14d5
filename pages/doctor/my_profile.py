"""My profile: what patients read of a doctor, written by the doctor and published by an administrator."""

from datetime import datetime
from uuid import UUID

import streamlit as st

from core import photos, profile_drafts
from core.i18n import N_, _
from core.languages import language_codes, language_in_both, language_name
from db.models import Role
from pages.ui import form_key, perform, plain, reading, require
from pages.ui.profiles import proposed, published
from pages.ui.uploads import GivenFile, ask_for_file
from pages.ui.words import plain_lines

actor = require(Role.DOCTOR)

PREFIX = "my_profile_"
SENT = N_("It is sent: patients see it once an administrator has published it.")


def save(given: GivenFile | None, seen: datetime | None, key: UUID, is_submitted: bool) -> None:
    chosen = st.session_state
    perform(
        profile_drafts.save,
        doctor_id=actor.doctor_id,
        bio=chosen.get(f"{PREFIX}bio_{key}") or "",
        languages=chosen.get(f"{PREFIX}languages_{key}") or [],
        photo=given.content if given else None,
        removes_photo=bool(chosen.get(f"{PREFIX}removes_{key}")),
        seen=seen,
        is_submitted=is_submitted,
        done=SENT if is_submitted else N_("Your draft is kept. Patients do not see it yet."),
        form=f"{PREFIX}form",
    )


def discard(seen: datetime | None) -> None:
    perform(
        profile_drafts.discard,
        doctor_id=actor.doctor_id,
        seen=seen,
        done=N_("The draft is thrown away."),
        form=f"{PREFIX}form",
    )


st.title(_("My profile"))
if actor.doctor_id is None:
    st.info(_("An administrator has to set you up as a doctor first."))
    st.stop()
with reading() as session:
    profile = profile_drafts.of_doctor(session, actor, doctor_id=actor.doctor_id)
draft, key = profile.draft, form_key(f"{PREFIX}form")
if draft and draft.submitted_at:
    st.info(_("It waits for an administrator. You may still change it."), icon=":material/hourglass_top:")
elif draft and draft.remark:
    st.warning(_("An administrator has sent it back:"), icon=":material/undo:")
    st.markdown(plain_lines(draft.remark))
elif draft:
    st.info(_("This is a draft. Send it to have it published."), icon=":material/edit_note:")

write, see = st.columns([3, 2], gap="large")
with write:
    st.text_area(
        _("About you, as patients read it"),
        value=draft.bio if draft else profile.doctor.bio,
        max_chars=profile_drafts.BIO_LENGTH,
        height=220,
        key=f"{PREFIX}bio_{key}",
    )
    st.multiselect(
        _("Languages in which you see patients"),
        sorted(language_codes(), key=language_name),
        default=draft.languages if draft else profile.doctor.languages,
        format_func=language_in_both,
        placeholder=_("Write a language, such as German or Deutsch"),
        max_selections=profile_drafts.MOST_LANGUAGES,
        wrap=True,
        key=f"{PREFIX}languages_{key}",
    )
    st.caption(_("A language is found by its name in yours, or by the one that it has for itself."))
    given = ask_for_file(
        _("A photo: PNG or JPEG"),
        kinds=photos.KINDS,
        key=f"{PREFIX}photo_{key}",
        megabytes=photos.LARGEST // 1024**2,
    )
    if profile.has_photo or profile.has_new_photo:
        is_gone = bool(draft and draft.removes_photo)
        st.checkbox(
            _("Show no photo"), value=is_gone, disabled=given is not None, key=f"{PREFIX}removes_{key}"
        )
    with st.container(horizontal=True):
        ways = ((_("Send to be published"), True, "send"), (_("Keep as a draft"), False, "save"))
        for label, is_submitted, name in ways:
            st.button(
                label,
                type="primary" if is_submitted else "secondary",
                on_click=save,
                args=(given, profile.seen, key, is_submitted),
                key=f"{PREFIX}{name}",
            )
        if draft:
            st.button(
                _("Throw the draft away"),
                icon=":material/delete:",
                on_click=discard,
                args=(profile.seen,),
                key=f"{PREFIX}discard",
            )
with see:
    if draft:
        st.header(_("The draft"))
        proposed(profile)
    st.header(_("What patients see now"))
    published(profile)
st.caption(plain(_("Your specialties, services and prices are set by an administrator.")))
