"""The entry page: who is here, and the pages for their role."""

from pathlib import Path

import streamlit as st

from core import clinics
from core.i18n import _
from db.config import config
from db.models import Role
from pages.ui import reading, show_messages
from pages.ui.contrast import make_legible
from pages.ui.navigation import pages_for
from pages.ui.notices import not_real, notices
from pages.ui.other_sites import offer_link
from pages.ui.patient_search import go_where_asked, search_field
from pages.ui.sessions import current_actor, sign_out
from pages.ui.strays import with_asked
from pages.ui.words import ROLE, plain

ICON = str(Path(__file__).parent / "pages" / "ui" / "clinic.svg")

with reading() as session:
    clinic = clinics.settings(session)
actor = current_actor()
is_wide = actor is not None and actor.role is not Role.PATIENT
st.set_page_config(page_title=clinic.name, page_icon=ICON, layout="wide" if is_wide else "centered")

make_legible()
pages = with_asked(pages_for(actor), actor and actor.role)
page = st.navigation(pages, position="top" if actor else "hidden")
with st.container(
    horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="xsmall"
):
    with st.container(key="home_clinic", width="content"):
        st.markdown(f"**:primary[:material/local_hospital: {plain(clinic.name)}]**", width="content")
    if actor is not None and actor.is_desk:
        search_field()
    if actor is not None:
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.caption(f"{plain(actor.name)} · {_(ROLE[actor.role])}", width="content")
            st.button(
                _("Sign out"),
                icon=":material/logout:",
                type="tertiary",
                on_click=sign_out,
                key="home_sign_out",
            )
if config().is_plain_http:
    st.warning(
        _(
            "This portal is reached without encryption: anybody on the network can read what you type. "
            "Ask the administrator to set up HTTPS."
        ),
        icon=":material/no_encryption:",
    )
not_real(clinic)
if actor is not None:
    go_where_asked(actor)
    offer_link()
    notices(actor)
show_messages()
page.run()
