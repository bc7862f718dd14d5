"""History: what administrators have set up and changed, the latest first."""

import streamlit as st

from core import clinics, setting_changes
from core.i18n import _, day_and_time
from core.setting_changes import Line, Subject
from db.models import Role
from pages.ui import choice, plain, reading, require
from pages.ui.setting_words import SUBJECTS, field_name, field_value, title
from pages.ui.words import plain_lines

actor = require(Role.ADMIN)

SHOWN = 50
SHORT = 60  # signs of a value that stands on one line with what it was


def show(line: Line) -> None:
    """One change: what, when, by whom, and each field that differs."""
    with st.container(border=True):
        st.markdown(f"**{_(SUBJECTS[line.subject])}: {plain(title(line))}**")
        st.caption(plain(f"{day_and_time(line.at, zone)} · {line.by}"))
        for field, value in line.after.items():
            name, after = plain(field_name(field)), field_value(field, value, currency)
            if line.before is None:
                st.markdown(f":gray[{name}:] {_put(after)}")
                continue
            before = field_value(field, line.before.get(field), currency)
            if max(len(before), len(after)) > SHORT or "\n" in before + after:
                st.markdown(f":gray[{name}:]")
                old, new = st.columns(2, gap="medium")
                old.markdown(_put(before))
                new.markdown(f":material/arrow_forward: {_put(after)}")
            else:
                st.markdown(f":gray[{name}:] {_put(before)} :material/arrow_forward: {_put(after)}")


def _put(value: str) -> str:
    return plain(value) if "\n" not in value else plain_lines(value)


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
    zone, currency = clinics.zone(session), clinics.settings(session).currency
    only = Subject(subject) if subject else None
    lines = setting_changes.entries(session, actor, subject=only, limit=shown + 1)
if not lines:
    st.info(_("Nothing has been changed yet."), icon=":material/history:")
for line in lines[:shown]:
    show(line)
if len(lines) > shown:

    def show_more() -> None:
        st.session_state["history_shown"] += SHOWN

    st.button(_("Show more"), on_click=show_more, key="history_more", width="stretch")
