"""Who opened my record: when, who, and what; for those the person is guardian of too."""

import streamlit as st

from core import clinics, patients, trails
from core.access import Action
from core.i18n import _, clock_time, dated
from core.trails import Line
from db.models import Role
from pages.ui import choice, plain, reading, require
from pages.ui.trail import done_words, who

actor = require(Role.PATIENT)


def turn(to: int) -> None:
    st.session_state["access_page"] = to


def show(line: Line) -> None:
    is_emergency = line.object_kind == "emergency access" and line.action == Action.SEE_RECORD
    with st.container(border=True):
        st.markdown(
            f"**{done_words(line.action)}**"
            + (f" :orange-badge[{_('Emergency')}]" if is_emergency else "")
            + f"  \n{plain(who(line, actor.user_id))}"
        )
        on = line.at.astimezone(zone).date()
        st.caption(f"{dated(on)}, {clock_time(line.at, zone)}")


st.title(_("Who opened my record"))
with reading() as session:
    zone = clinics.zone(session)
    people = patients.own(session, actor)
if not people:
    st.info(_("There is no record of yours yet."))
    st.stop()
patient_id = people[0].id
if len(people) > 1:
    named = {each.id: each.name for each in people}
    patient_id = (
        choice(_("Whose record?"), named, key="access_patient", on_change=turn, args=(0,)) or patient_id
    )
at = st.session_state.setdefault("access_page", 0)
with reading() as session:
    lines, has_more = trails.accesses(session, actor, patient_id=patient_id, page=at)
st.caption(_("Opening the same thing again within ten minutes is listed once."))
if not lines:
    st.info(_("Nobody has opened it yet."), icon=":material/visibility_off:")
for line in lines:
    show(line)
if at or has_more:
    with st.container(horizontal=True):
        st.button(_("Newer"), on_click=turn, args=(at - 1,), disabled=at == 0, key="access_newer")
        st.button(_("Older"), on_click=turn, args=(at + 1,), disabled=not has_more, key="access_older")
