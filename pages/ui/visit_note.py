"""The note of a visit: kept as it is typed, signed, amended, and released to the patient."""

from datetime import tzinfo

import streamlit as st

from core import clinics, note_drafts, notes
from core.i18n import N_, _, clock_time, short_date
from core.note_drafts import AMENDMENT, KEPT
from core.note_fields import PARTS, VITALS
from core.notes import VisitNote
from pages.ui.actions import perform
from pages.ui.kept import Kept, begin, field, forget, keep, looked_up, revision, typed
from pages.ui.note_versions import show_note

SIGN_KEYS = "Ctrl+Shift+Enter"
SHORT = {"systolic": N_("Systolic"), "diastolic": N_("Diastolic"), "temperature": N_("Temp.")}
COLUMNS = (("reason", "findings"), ("assessment", "plan"))
VITAL_WIDTH = 86  # pixels: all of them in one row beside the record


def name_of(visit_id: int) -> str:
    """The form of a visit's note, by which the keys of its fields begin."""
    return f"note_{visit_id}"


def note_section(note: VisitNote, zone: tzinfo) -> None:
    """The note as it stands: to be written, or signed."""
    name = name_of(note.appointment_id)
    writing = f"{name}_writing"
    # Once begun it stays on this screen, also when it is signed elsewhere: something may be typed in it.
    if not note.is_signed or note.is_draft_new or st.session_state.get(writing):
        st.session_state[writing] = True
        if note.is_signed:
            st.info(_("You are amending a signed note. What was signed stays readable."))
        _write(note.appointment_id)
        _sign_buttons(note)
    if note.is_signed:
        with st.container(border=True):
            show_note(note.versions, zone)
            _after_signing(note, zone, is_writing=bool(st.session_state.get(writing)))


@st.fragment
def _write(visit_id: int) -> None:
    """The fields, drawn by themselves whenever they are saved."""
    name = name_of(visit_id)
    found = looked_up(
        lambda session, actor: (
            notes.of_visit(session, actor, appointment_id=visit_id),
            clinics.zone(session),
        )
    )
    kept, is_signed = None, f"{name}_{AMENDMENT}" in st.session_state
    if found is not None:
        (note, zone), is_signed = found, found[0].is_signed
        kept = Kept(note.draft.fields, note.draft.revision, note.draft.saved_at, zone)
    if not begin(name, kept):
        return
    with st.container(key=f"kept_{name}"):
        for column, parts in zip(st.columns(2), COLUMNS, strict=True):
            for part in parts:
                column.text_area(_(PARTS[part]), height="content", **field(name, part, kept))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for vital_name, vital in VITALS.items():
                label = f"{_(SHORT.get(vital_name, vital.label))} ({vital.unit})"
                st.text_input(label, width=VITAL_WIDTH, **field(name, vital_name, kept))
        if is_signed:
            st.text_input(_("Why the note is amended"), max_chars=500, **field(name, AMENDMENT, kept))
    now = typed(name, KEPT)
    is_kept = kept is not None and now == kept.fields
    keep(name, kept, is_kept, note_drafts.save, appointment_id=visit_id, fields=now)


def _sign_buttons(note: VisitNote) -> None:
    name = name_of(note.appointment_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Sign the amendment") if note.is_signed else _("Sign the note"),
            type="primary",
            icon=":material/signature:",
            shortcut=SIGN_KEYS,
            on_click=_sign,
            args=(note.appointment_id,),
            key=f"{name}_sign",
        )
        if note.is_signed:
            with st.popover(_("Drop the amendment"), icon=":material/delete:"):
                st.write(_("What you have typed into the amendment is gone then. The signed note stays."))
                st.button(_("Drop it"), on_click=_drop, args=(note.appointment_id,), key=f"{name}_drop")


def _sign(visit_id: int) -> None:
    name = name_of(visit_id)
    fields = typed(name, KEPT)
    signed = perform(
        notes.sign,
        appointment_id=visit_id,
        fields=fields,
        revision=revision(name),
        amendment=fields[AMENDMENT],
        done=N_("The note is signed."),
    )
    if signed is not None:
        _end_writing(name)


def _drop(visit_id: int) -> None:
    name = name_of(visit_id)
    perform(note_drafts.discard, appointment_id=visit_id, done=N_("The amendment is dropped."))
    _end_writing(name)


def _end_writing(name: str) -> None:
    forget(name)
    st.session_state.pop(f"{name}_writing", None)


def _after_signing(note: VisitNote, zone: tzinfo, *, is_writing: bool) -> None:
    name = name_of(note.appointment_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not is_writing:
            st.button(
                _("Amend"), icon=":material/edit_note:", on_click=_amend, args=(name,), key=f"{name}_amend"
            )
        is_released = note.released_at is not None
        st.button(
            _("Hold back from the patient") if is_released else _("Release to the patient"),
            icon=":material/visibility_off:" if is_released else ":material/visibility:",
            on_click=_hold_back if is_released else _release,
            args=(note.appointment_id,),
            key=f"{name}_release",
        )
        st.link_button(
            _("Visit as PDF"), f"/files/visits/{note.appointment_id}.pdf", icon=":material/picture_as_pdf:"
        )
    if note.released_at is None:
        st.caption(_("The patient cannot read this note."))
    else:
        on = short_date(note.released_at.astimezone(zone).date())
        at = clock_time(note.released_at, zone)
        st.caption(_("The patient can read this note since {date}, {time}.").format(date=on, time=at))


def _amend(name: str) -> None:
    forget(name)
    st.session_state[f"{name}_writing"] = True


def _release(visit_id: int) -> None:
    perform(notes.release, appointment_id=visit_id, done=N_("The patient can read this note now."))


def _hold_back(visit_id: int) -> None:
    perform(notes.hold_back, appointment_id=visit_id, done=N_("The patient can no longer read this note."))
