"""My data: take all of it along, or have it erased as far as the law allows."""

import streamlit as st

from core import patients, privacy
from core.i18n import N_, _
from db.models import Role
from pages.ui import choice, perform, plain, reading, require, say
from pages.ui.sessions import has_cookie

actor = require(Role.PATIENT)


def erase(patient_id: int) -> None:
    erased = perform(
        privacy.erase,
        patient_id=patient_id,
        confirm_name=st.session_state.get("data_name") or "",
        done=N_("Erased."),
    )
    if erased is not None:
        say(str(erased))
        st.session_state["data_name"] = ""


st.title(_("My data"))
with reading() as session:
    people = patients.own(session, actor)
if not people:
    st.info(_("There is nothing about you yet."))
    st.stop()
named = {each.id: each.name for each in people}
patient_id = people[0].id
if len(people) > 1:
    patient_id = choice(_("Whose data?"), named, key="data_patient") or patient_id

st.header(_("Take it along"))
st.write(_("Everything the clinic holds: a summary to read, and a file with all of it for another program."))
if has_cookie():
    address = f"/files/my-data/{patient_id}.zip"
    st.link_button(_("Download everything"), address, icon=":material/download:", type="primary")
else:
    st.caption(_("Downloads need the clinic's own address. Please ask reception."))

st.header(_("Erase it"))
st.write(
    _(
        "This erases the account, phone and email at once, and cannot be undone. The law makes a clinic keep "
        "the record of treatments for some years after the last visit; it is erased by itself after that."
    )
)
with st.form("data_erase"):
    asked = _("To confirm, write the name: {name}").format(name=plain(named[patient_id]))
    st.text_input(asked, max_chars=200, key="data_name")
    st.form_submit_button(_("Erase for good"), on_click=erase, args=(patient_id,), key="data_erase_submit")
