"""A doctor's drafts that nobody can sign any more: read, copied out and dropped."""

from datetime import tzinfo

import streamlit as st

from core import left_drafts
from core.access import Actor
from core.i18n import N_, _, day_and_time, ngettext
from core.left_drafts import Left, LeftDraft
from pages.ui.actions import perform
from pages.ui.portions import show_portion
from pages.ui.refusals import reading
from pages.ui.words import plain

KIND = {Left.NOTE: N_("Note"), Left.PRESCRIPTION: N_("Prescription"), Left.LETTER: N_("Letter")}
OPEN = "today_left_draft"  # the one that is being read


def left_section(actor: Actor, zone: tzinfo) -> None:
    """Folded away under how many there are; nothing where there is none."""
    with reading() as session:
        found = left_drafts.own(session, actor)
    if not found:
        return
    label = ngettext("{count} draft that is left", "{count} drafts that are left", len(found))
    with st.expander(label.format(count=len(found)), icon=":material/edit_note:", key="today_left"):
        st.caption(
            _(
                "Their visits were called off, or are another doctor's now. Nobody but you can read them. "
                "Please copy out what you need."
            )
        )
        show_portion(found, lambda draft: _show(draft, actor, zone), key="today_left")


def _show(draft: LeftDraft, actor: Actor, zone: tzinfo) -> None:
    key = f"{draft.kind}_{draft.number}"
    at = day_and_time(draft.starts_at, zone)
    st.markdown(f"**{_(KIND[draft.kind])}** · {plain(draft.patient)} · {plain(at)}")
    with st.container(horizontal=True):
        if st.session_state.get(OPEN) != key:
            st.button(_("Read"), on_click=_open, args=(key,), key=f"today_left_read_{key}")
        with st.popover(_("Drop"), icon=":material/delete:"):
            st.write(_("What you have typed is gone then."))
            st.button(
                _("Drop it"), on_click=_drop, args=(draft.kind, draft.number), key=f"today_left_drop_{key}"
            )
    if st.session_state.get(OPEN) == key:
        with reading() as session:
            words = left_drafts.read(session, actor, kind=draft.kind, number=draft.number)
        st.code(words, language=None, wrap_lines=True)


def _open(key: str) -> None:
    st.session_state[OPEN] = key


def _drop(kind: Left, number: int) -> None:
    perform(left_drafts.drop, kind=kind, number=number, done=N_("The draft is dropped."))
