"""Forms that are kept as they are typed, whatever becomes of the tab.

What stands in the fields is compared with what is kept whenever they are drawn, and saved where it differs.
So it does not matter how it came to differ: typed just now, typed while the database was away, or sent again
by a browser to a portal that was started anew and knows nothing of it. For that last case the revision into
which it was typed stands on the page too, in a field that nobody sees.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from core import clinics
from core.access import Actor
from core.i18n import N_, _, exact_time
from core.note_drafts import DraftChangedElsewhere
from db.session import NoAnswer
from pages.ui.actions import Message, perform_quietly
from pages.ui.refusals import reading
from pages.ui.sessions import current_actor
from pages.ui.words import plain

Result = TypeVar("Result")

FOLLOW_SECONDS = 5
OWN = 20  # savings of its own that a tab remembers: more are never on their way
AWAY = N_("The portal cannot reach its database. Please try again in a minute.")
NOT_YET = N_(
    "Not saved yet. It is saved by itself as soon as the portal can be reached: leave this page open."
)
# The class is set by `pages/front/typing.js`, which knows first when nothing is answered any more.
_STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-base_"]),
html:not(.typing-unsaved) [data-testid="stLayoutWrapper"]:has(> [class*="st-key-unsaved_"]),
.typing-unsaved [data-testid="stLayoutWrapper"]:has(> [class*="st-key-saved_"]) { display: none; }
</style>"""


class Kept(NamedTuple):
    """What is kept of a form: its fields by name, and how often it was saved, 0 where it never was."""

    fields: Mapping[str, Any]
    revision: int
    saved_at: datetime | None
    zone: tzinfo


def looked_up(read: Callable[[Any, Actor], Result]) -> Result | None:
    """What is read for a part of a page that is drawn by itself; None while the database is away."""
    try:
        actor = current_actor()
        if actor is None:
            st.stop()
        with reading() as session:
            return read(session, actor)
    except NoAnswer:
        return None


def forget(name: str) -> None:
    """Have a form show what is kept in place of what was typed, when it is drawn next."""
    st.session_state[f"{name}_anew"] = True
    st.session_state.pop(f"{name}_own", None)


def begin(name: str, kept: Kept | None) -> bool:
    """To be called before the fields of a form are drawn: whether there is anything to draw.

    A browser may send a button of the page together with what was typed, as if the form had it. Then the page
    has to say what came of it.
    """
    if "message" in st.session_state:
        st.rerun()
    if kept is None and f"{name}_base" not in st.session_state:
        st.warning(_(AWAY), icon=":material/cloud_off:")
        return False
    if kept is not None and st.session_state.pop(f"{name}_anew", False):
        for part, value in kept.fields.items():
            st.session_state[f"{name}_{part}"] = value
        st.session_state[f"{name}_base"] = str(kept.revision)
    return True


def field(name: str, part: str, kept: Kept | None) -> dict[str, Any]:
    """The key of a field, and the value with which it begins where the tab has none yet."""
    key = f"{name}_{part}"
    if key in st.session_state or kept is None:
        return {"key": key}
    return {"key": key, "value": kept.fields[part]}


def typed(name: str, parts: Iterable[str]) -> dict[str, Any]:
    """What stands in the fields of a form now."""
    return {part: st.session_state.get(f"{name}_{part}", "") for part in parts}


def revision(name: str) -> int:
    """The revision into which the form on the screen was typed.

    While an answer is on its way a browser still sends the one before. Where this tab itself has saved since,
    it is the last one of its own.
    """
    sent, own = _sent(name), st.session_state.get(f"{name}_own", ())
    return own[-1] if sent in own else sent


def _sent(name: str) -> int:
    text = str(st.session_state.get(f"{name}_base") or "")
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else 0


def _save(
    name: str, service: Callable[..., Result], arguments: Mapping[str, Any]
) -> tuple[Result | None, Message]:
    """Save a form, and remember the revision as this tab's own.

    It is noted before the transaction ends: another run of the page may break in as soon as it has.
    """
    own: list[int] = st.session_state.setdefault(f"{name}_own", [])
    sent, before = _sent(name), revision(name)
    came_from = own[-OWN:] if sent in own else [sent]

    def remembered(session: Any, actor: Actor, **given: Any) -> Result:
        saved: Any = service(session, actor, **given)
        own[:] = [*came_from, saved.revision]
        return saved  # type: ignore[no-any-return]

    try:
        return perform_quietly(remembered, revision=before, **arguments)
    except Exception:  # it was not saved after all, or nobody knows
        own[:] = came_from
        raise


def keep(name: str, kept: Kept | None, is_kept: bool, service: Callable[..., Any], **arguments: Any) -> bool:
    """Save a form that was just drawn unless it `is_kept` as it is, and say what is true; whether it is kept.

    `service` takes `revision` and gives something that has one.
    """
    base, saved_at = f"{name}_base", kept.saved_at if kept else None
    if kept is None:
        _say_away(name)
        return False
    if base not in st.session_state:  # a new tab, or an old one at a new portal: which, its own field tells
        _draw_base(name, kept.revision)
        if not is_kept:
            st.rerun()
        _say_saved(name, kept, saved_at)
        return True
    refused = None
    if is_kept:
        st.session_state[base] = str(kept.revision)
    else:
        try:
            saved, came_to = _save(name, service, arguments)
        except NoAnswer:
            _draw_base(name, kept.revision)
            _say_away(name)
            return False
        if saved is None:
            refused = came_to
        else:
            st.session_state[base], saved_at = str(saved.revision), getattr(saved, "saved_at", None)
    _draw_base(name, kept.revision)
    st.session_state[f"{name}_away"] = False
    if refused is None:
        _say_saved(name, kept, saved_at)
    else:
        _say_refused(name, refused)
    return refused is None


def hide_what_is_not_true() -> None:
    """To be called before the forms of a page: what they say of being saved is shown when it is so."""
    st.html(_STYLE)


def follow(*names: str) -> None:
    """Try again by itself once a database that was away is back.

    While something on a page is drawn again by itself, browsers also ask for the page once they have found
    the portal again: with all that was typed meanwhile.
    """

    @st.fragment(run_every=FOLLOW_SECONDS)
    def look() -> None:
        is_away = any(st.session_state.get(f"{name}_away") for name in names)
        if is_away and looked_up(lambda session, _actor: clinics.zone(session)) is not None:
            st.rerun()

    look()


def _draw_base(name: str, kept_revision: int) -> None:
    key = f"{name}_base"
    with st.container(key=f"base_{name}"):
        begun = {} if key in st.session_state else {"value": str(kept_revision)}
        st.text_input(_("Revision"), key=key, **begun)


def _say_saved(name: str, kept: Kept, saved_at: datetime | None) -> None:
    with st.container(key=f"saved_{name}"):
        if saved_at is not None:
            said = _("Saved {time}").format(time=exact_time(saved_at, kept.zone))
        elif revision(name):
            said = _("Saved")
        else:
            said = _("What you type is saved by itself.")
        st.caption(f":material/cloud_done: {said}")
    _draw_unsaved(name)


def _say_refused(name: str, refused: Message) -> None:
    with st.container(key=f"saved_{name}"):
        st.error(plain(_("Not saved: {why}").format(why=refused.text)), icon=":material/error:")
        if refused.error is DraftChangedElsewhere:
            label = _("Load the other text")
            st.button(label, icon=":material/sync:", on_click=forget, args=(name,), key=f"{name}_other")
    _draw_unsaved(name)


def _say_away(name: str) -> None:
    st.session_state[f"{name}_away"] = True
    st.warning(_(NOT_YET), icon=":material/cloud_off:")


def _draw_unsaved(name: str) -> None:
    with st.container(key=f"unsaved_{name}"):
        st.warning(_(NOT_YET), icon=":material/cloud_off:")
