"""History: what administrators have set up and changed, the latest first."""

from typing import Any

import streamlit as st

from core import clinics, setting_changes
from core.i18n import N_, _, day_and_time
from core.setting_changes import Line, Subject
from db.models import Role
from pages.ui import choice, plain, reading, require

actor = require(Role.ADMIN)

SHOWN = 50
SUBJECTS = {
    Subject.CLINIC: N_("Clinic"),
    Subject.PRICES: N_("Prices and payment"),
    Subject.SERVICE: N_("Service"),
    Subject.PLACE: N_("Place"),
    Subject.ROOM: N_("Room"),
    Subject.CLOSED_DAY: N_("Closed day"),
    Subject.DOCTOR: N_("Doctor"),
    Subject.SPECIALTY: N_("Specialty"),
    Subject.HOURS: N_("Hours"),
}


def said(value: Any) -> str:
    """A value as one reads it."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(said(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(name if each is None else f"{name}: {said(each)}" for name, each in value.items())
    return str(value)


def show(line: Line) -> None:
    """One change: what, when, by whom, and each field that differs."""
    with st.container(border=True):
        st.markdown(f"**{_(SUBJECTS[line.subject])}: {plain(line.title)}**")
        st.caption(plain(f"{day_and_time(line.at, zone)} · {line.by}"))
        for field, value in line.after.items():
            name = plain(field.removesuffix("_minor").removeprefix("is_").replace("_", " "))
            if line.before is None:
                st.markdown(f":gray[{name}:] {plain(said(value))}")
            else:
                before = plain(said(line.before.get(field)))
                st.markdown(f":gray[{name}:] {before} :material/arrow_forward: {plain(said(value))}")


shown = st.session_state.setdefault("history_shown", SHOWN)
st.title(_("History"))
subject = choice(
    _("Of what"),
    {each.value: _(name) for each, name in SUBJECTS.items()},
    index=None,
    placeholder=_("Everything"),
    key="history_subject",
)
with reading() as session:
    zone = clinics.zone(session)
    lines = setting_changes.entries(
        session, actor, subject=Subject(subject) if subject else None, limit=shown + 1
    )
if not lines:
    st.info(_("Nothing has been changed yet."), icon=":material/history:")
for line in lines[:shown]:
    show(line)
if len(lines) > shown:

    def show_more() -> None:
        st.session_state["history_shown"] += SHOWN

    st.button(_("Show more"), on_click=show_more, key="history_more", width="stretch")
