"""Letterhead and letters: address, paper and logo of the clinic's documents, and what letters begin with."""

from hashlib import sha256
from uuid import UUID

import streamlit as st

from core import clinics, letterheads
from core.file_kinds import FileKind
from core.i18n import N_, _
from core.letterheads import logo as logo_of
from db.models import Paper, Role
from pages.ui import form_key, perform, reading, require
from pages.ui.letter_words import letter_words_panel
from pages.ui.setting_words import PAPERS
from pages.ui.uploads import GivenFile, ask_for_file

actor = require(Role.ADMIN)

PREFIX = "letterhead_"


def save() -> None:
    perform(
        letterheads.change,
        address=st.session_state.get(f"{PREFIX}address") or "",
        paper=Paper.LETTER if st.session_state.get(f"{PREFIX}paper") == Paper.LETTER else Paper.A4,
        done=N_("Saved."),
    )


def save_logo(given: GivenFile | None, key: UUID) -> None:
    if given is not None:
        perform(
            letterheads.change_logo,
            content=given.content,
            done=N_("The logo is saved."),
            form=f"{PREFIX}logo",
        )


def remove_logo() -> None:
    perform(letterheads.change_logo, content=None, done=N_("There is no logo any more."))


with reading() as session:
    clinic = clinics.settings(session)
    logo = logo_of(session)

st.title(_("Letterhead and letters"))
st.header(_("Letterhead"))
with st.form("letterhead"):
    st.text_area(
        _("Address, as it stands below the clinic's name"),
        value=clinic.address,
        max_chars=letterheads.ADDRESS_LENGTH,
        height=120,
        key=f"{PREFIX}address",
    )
    st.radio(
        _("Paper"),
        list(PAPERS),
        index=list(PAPERS).index(clinic.paper),
        format_func=lambda each: _(PAPERS[each]),
        horizontal=True,
        key=f"{PREFIX}paper",
    )
    st.form_submit_button(_("Save"), type="primary", on_click=save, key=f"{PREFIX}save")

st.header(_("Logo"))
if logo is None:
    st.caption(_("No logo yet: documents begin with the clinic's name."))
else:
    st.markdown(f"![{_('The clinic’s logo')}](/logo?{sha256(logo).hexdigest()[:16]})")
    st.button(_("Take the logo away"), icon=":material/delete:", on_click=remove_logo, key=f"{PREFIX}remove")
key = form_key(f"{PREFIX}logo")
given = ask_for_file(
    _("A logo: PNG or JPEG"),
    kinds=(FileKind.PNG, FileKind.JPEG),
    key=f"{PREFIX}logo_{key}",
    megabytes=1,
)
st.button(
    _("Use this logo"),
    type="primary",
    disabled=given is None,
    on_click=save_logo,
    args=(given, key),
    key=f"{PREFIX}save_logo",
)

st.header(_("What letters begin with"))
letter_words_panel(actor)
