"""Letters at a visit: begun from the clinic's words, kept as they are typed, and signed."""

from datetime import tzinfo
from typing import Any

import streamlit as st

from core import clinics, doctor_letters, letter_drafts
from core.access import Actor
from core.i18n import N_, _, short_date
from core.letter_wordings import NAMES
from db.models import Letter, LetterKind
from pages.ui.actions import form_key, perform, perform_quietly, say
from pages.ui.kept import Kept, begin, field, keep, looked_up, revision, typed
from pages.ui.portions import FEW, show_portion
from pages.ui.words import plain

ICONS = {LetterKind.REFERRAL: ":material/forward_to_inbox:", LetterKind.SICK_NOTE: ":material/sick:"}
TEXTS = ("addressee", "body")
DAYS = ("absent_from", "absent_until")


def letters_section(drafts: list[Letter], signed: list[Letter], visit_id: int, zone: tzinfo) -> None:
    """The drafts, to be written on, and what was signed.

    What is typed into a draft that another window signs or drops meanwhile goes on as another draft.
    """
    drafts = [*drafts, *_what_went_on(drafts, visit_id)]
    with st.container(horizontal=True):
        for kind, name in NAMES.items():
            form = f"letter_begin_{kind.value}_{visit_id}"
            st.button(
                _("New: {letter}").format(letter=_(name)),
                icon=ICONS[kind],
                on_click=_begin,
                args=(visit_id, kind, form, form_key(form)),
                key=f"{form}_button",
            )
    for letter in drafts:
        with st.container(border=True):
            st.markdown(f"**{_(NAMES[letter.kind])}** :gray-badge[{_('Draft')}]")
            _write(letter.patient_id, letter.id)
            _buttons(letter, visit_id)
    show_portion(
        signed, lambda letter: _show_signed(letter, zone), key=f"visit_letters_{visit_id}", first=FEW
    )


def _begin(visit_id: int, kind: LetterKind, form: str, key: object) -> None:
    perform(letter_drafts.begin, appointment_id=visit_id, kind=kind, request_key=key, done="", form=form)


def _what_went_on(drafts: list[Letter], visit_id: int) -> list[Letter]:
    """New drafts with what was typed here into some that are none any more, and that nothing else holds."""
    begun = []
    here = {letter.id: letter.kind for letter in drafts}
    gone = {number: kind for number, kind in _open(visit_id).items() if number not in here}
    for number, kind in gone.items():
        name = f"letter_{number}"
        is_sick_note = kind is LetterKind.SICK_NOTE
        typed_here = st.session_state.pop(f"{name}_typed", None)
        typed_here = typed_here or _on_screen(name, is_sick_note=is_sick_note)
        is_new = any(typed_here.values()) and typed_here != st.session_state.get(f"{name}_as_kept")
        if not is_new:
            del _open(visit_id)[number]
            continue
        again, came_to = perform_quietly(
            letter_drafts.write_anew,
            appointment_id=visit_id,
            kind=kind,
            request_key=form_key(name),
            **typed_here,
        )
        if again is None:
            st.session_state[f"{name}_typed"] = typed_here
            st.error(plain(_("Not saved: {why}").format(why=came_to.text)), icon=":material/error:")
            st.code(typed_here["body"], language=None, wrap_lines=True)
            continue
        del _open(visit_id)[number]
        begun.append(again)
        say(_("This letter was signed or dropped in another window. What you typed stands in a new draft."))
    _open(visit_id).update(here)
    return [each for each in begun if each.id not in here]


def _open(visit_id: int) -> dict[int, LetterKind]:
    """The drafts that stand on this screen."""
    drawn: dict[int, LetterKind] = st.session_state.setdefault(f"letters_{visit_id}_open", {})
    return drawn


@st.fragment
def _write(patient_id: int, letter_id: int) -> None:
    name = f"letter_{letter_id}"
    found = looked_up(lambda session, actor: _kept(session, actor, patient_id, letter_id))
    is_sick_note, kept = found if found is not None else (f"{name}_{DAYS[0]}" in st.session_state, None)
    if found is not None and kept is None:  # the page as a whole knows what to do with what is typed
        st.session_state[f"{name}_typed"] = _on_screen(name, is_sick_note=is_sick_note)
        st.rerun()
    if not begin(name, kept):
        return
    with st.container(key=f"kept_{name}"):
        label = _("For whom (name and address)")
        st.text_area(label, height=104, **field(name, "addressee", kept))
        st.text_area(_("Text"), height="content", **field(name, "body", kept))
    if is_sick_note:
        first, last = st.columns(2)
        first.date_input(_("Cannot work from"), format="YYYY-MM-DD", **field(name, DAYS[0], kept))
        last.date_input(_("until, this day included"), format="YYYY-MM-DD", **field(name, DAYS[1], kept))
    now = _on_screen(name, is_sick_note=is_sick_note)
    is_kept = kept is not None and all(kept.fields[part] == value for part, value in now.items())
    if keep(name, kept, is_kept, letter_drafts.save, letter_id=letter_id, **now):
        st.session_state[f"{name}_as_kept"] = now


def _kept(session: Any, actor: Actor, patient_id: int, letter_id: int) -> tuple[bool, Kept | None]:
    """Whether it is a sick note, and its draft: None once it was signed or dropped in another window."""
    for letter in letter_drafts.of_patient(session, actor, patient_id=patient_id):
        if letter.id == letter_id:
            fields = {part: getattr(letter, part) for part in (*TEXTS, *DAYS)}
            kept = Kept(fields, letter.revision, letter.saved_at, clinics.zone(session))
            return letter.kind is LetterKind.SICK_NOTE, kept
    return f"letter_{letter_id}_{DAYS[0]}" in st.session_state, None


def _on_screen(name: str, *, is_sick_note: bool) -> dict[str, Any]:
    days = {part: st.session_state.get(f"{name}_{part}") for part in DAYS} if is_sick_note else {}
    return {**typed(name, TEXTS), **days}


def _buttons(letter: Letter, visit_id: int) -> None:
    name = f"letter_{letter.id}"
    with st.container(horizontal=True):
        st.button(
            _("Sign the letter"),
            type="primary",
            icon=":material/signature:",
            on_click=_sign,
            args=(letter.id, letter.kind is LetterKind.SICK_NOTE, visit_id),
            key=f"{name}_sign",
        )
        with st.popover(_("Drop the letter"), icon=":material/delete:"):
            st.write(_("What you have typed into it is gone then."))
            st.button(_("Drop it"), on_click=_drop, args=(letter.id, visit_id), key=f"{name}_drop")


def _sign(letter_id: int, is_sick_note: bool, visit_id: int) -> None:
    name = f"letter_{letter_id}"
    signed = perform(
        doctor_letters.sign_as_typed,
        letter_id=letter_id,
        revision=revision(name),
        done=N_("The letter is signed."),
        **_on_screen(name, is_sick_note=is_sick_note),
    )
    if signed is not None:
        _open(visit_id).pop(letter_id, None)


def _drop(letter_id: int, visit_id: int) -> None:
    dropped = perform(letter_drafts.discard, letter_id=letter_id, done=N_("The letter is dropped."))
    if dropped is not None:
        _open(visit_id).pop(letter_id, None)


def _show_signed(letter: Letter, zone: tzinfo) -> None:
    on = short_date(letter.signed_at.astimezone(zone).date()) if letter.signed_at else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{_(NAMES[letter.kind])}**, {plain(on)} · {plain(letter.doctor.user.name)}", width="content"
        )
        st.link_button(_("PDF"), f"/files/letters/{letter.id}.pdf", icon=":material/picture_as_pdf:")
