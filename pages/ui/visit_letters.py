"""Letters at a visit: begun from the clinic's words, kept as they are typed, and signed."""

from datetime import tzinfo
from typing import Any

import streamlit as st

from core import clinics, doctor_letters
from core.access import Actor
from core.errors import NotFound
from core.i18n import N_, _, short_date
from core.letter_wordings import NAMES
from db.models import Letter, LetterKind
from pages.ui.actions import form_key, perform
from pages.ui.kept import Kept, begin, field, keep, looked_up, revision, typed
from pages.ui.portions import FEW, show_portion
from pages.ui.words import plain

ICONS = {LetterKind.REFERRAL: ":material/forward_to_inbox:", LetterKind.SICK_NOTE: ":material/sick:"}
TEXTS = ("addressee", "body")
DAYS = ("absent_from", "absent_until")


def letters_section(drafts: list[Letter], signed: list[Letter], visit_id: int, zone: tzinfo) -> None:
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
            _buttons(letter)
    show_portion(
        signed, lambda letter: _show_signed(letter, zone), key=f"visit_letters_{visit_id}", first=FEW
    )


def _begin(visit_id: int, kind: LetterKind, form: str, key: object) -> None:
    perform(doctor_letters.begin, appointment_id=visit_id, kind=kind, request_key=key, done="", form=form)


@st.fragment
def _write(patient_id: int, letter_id: int) -> None:
    name = f"letter_{letter_id}"
    found = looked_up(lambda session, actor: _kept(session, actor, patient_id, letter_id))
    is_sick_note, kept = found if found is not None else (f"{name}_{DAYS[0]}" in st.session_state, None)
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
    keep(name, kept, is_kept, doctor_letters.save, letter_id=letter_id, **now)


def _kept(session: Any, actor: Actor, patient_id: int, letter_id: int) -> tuple[bool, Kept]:
    """Whether it is a sick note, and its draft. Raises `NotFound` once it is signed, dropped or another's."""
    for letter in doctor_letters.drafts(session, actor, patient_id=patient_id):
        if letter.id == letter_id:
            fields = {part: getattr(letter, part) for part in (*TEXTS, *DAYS)}
            kept = Kept(fields, letter.revision, letter.saved_at, clinics.zone(session))
            return letter.kind is LetterKind.SICK_NOTE, kept
    raise NotFound


def _on_screen(name: str, *, is_sick_note: bool) -> dict[str, Any]:
    days = {part: st.session_state.get(f"{name}_{part}") for part in DAYS} if is_sick_note else {}
    return {**typed(name, TEXTS), **days}


def _buttons(letter: Letter) -> None:
    name = f"letter_{letter.id}"
    with st.container(horizontal=True):
        st.button(
            _("Sign the letter"),
            type="primary",
            icon=":material/signature:",
            on_click=_sign,
            args=(letter.id, letter.kind is LetterKind.SICK_NOTE),
            key=f"{name}_sign",
        )
        with st.popover(_("Drop the letter"), icon=":material/delete:"):
            st.write(_("What you have typed into it is gone then."))
            st.button(_("Drop it"), on_click=_drop, args=(letter.id,), key=f"{name}_drop")


def _sign(letter_id: int, is_sick_note: bool) -> None:
    name = f"letter_{letter_id}"
    perform(
        _signed_as_on_screen,
        letter_id=letter_id,
        fields=_on_screen(name, is_sick_note=is_sick_note),
        revision=revision(name),
        done=N_("The letter is signed."),
    )


def _signed_as_on_screen(
    session: Any, actor: Actor, *, letter_id: int, fields: dict[str, Any], revision: int
) -> Letter:
    """Save what is typed and sign just that: what could not be saved is not signed without it."""
    kept = doctor_letters.save(session, actor, letter_id=letter_id, revision=revision, **fields)
    return doctor_letters.sign(session, actor, letter_id=letter_id, revision=kept.revision)


def _drop(letter_id: int) -> None:
    perform(doctor_letters.discard, letter_id=letter_id, done=N_("The letter is dropped."))


def _show_signed(letter: Letter, zone: tzinfo) -> None:
    on = short_date(letter.signed_at.astimezone(zone).date()) if letter.signed_at else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{_(NAMES[letter.kind])}**, {plain(on)} · {plain(letter.doctor.user.name)}", width="content"
        )
        st.link_button(_("PDF"), f"/files/letters/{letter.id}.pdf", icon=":material/picture_as_pdf:")
