"""Prescribing at a visit: lines that are kept as they are typed, compared with the allergies, and signed."""

from typing import Any
from zlib import crc32

import streamlit as st

from core import clinics, prescription_drafts, prescriptions
from core.access import Actor
from core.i18n import N_, _
from core.prescription_drafts import ITEMS, PARTS, Match
from pages.ui.actions import perform
from pages.ui.kept import Kept, begin, field, forget, keep, looked_up, revision
from pages.ui.words import plain

WIDTHS = {"drug": 4, "strength": 2, "form": 2, "dose": 2, "frequency": 3, "duration": 2, "quantity": 2}
ROWS = (("drug", "strength", "form"), ("dose", "frequency", "duration", "quantity"))
NEEDED = ("drug", *prescriptions.REQUIRED)


def name_of(patient_id: int) -> str:
    """The form of a patient's unsigned prescription, by which the keys of its fields begin."""
    return f"rx_{patient_id}"


def prescribe(visit_id: int, patient_id: int) -> None:
    """The lines of the prescription, and the button that signs it."""
    _write(visit_id, patient_id)
    st.button(
        _("Sign the prescription"),
        icon=":material/signature:",
        on_click=_sign,
        args=(visit_id, patient_id),
        key=f"{name_of(patient_id)}_sign",
    )


@st.fragment
def _write(visit_id: int, patient_id: int) -> None:
    name = name_of(patient_id)
    found = looked_up(lambda session, actor: _kept(session, actor, patient_id))
    items, kept = found if found is not None else ([], None)
    if not begin(name, kept):
        return
    with st.container(key=f"kept_{name}"):
        for line in range(1, min(max(len(items), _last_line(name)) + 1, ITEMS) + 1):
            _line(name, line, kept)
    now = lines(name)
    keep(name, kept, now == items, prescription_drafts.save, appointment_id=visit_id, items=now)
    _warn_of_allergies(name, patient_id)


def _kept(session: Any, actor: Actor, patient_id: int) -> tuple[list[dict[str, str]], Kept]:
    """The lines of the draft, and the same as the fields of as many lines as there can be."""
    draft = prescription_drafts.of_patient(session, actor, patient_id=patient_id)
    items = [prescription_drafts.parts(item) for item in draft.items] if draft else []
    lines = [*items, *({} for _line in range(ITEMS - len(items)))]
    fields = {
        f"{number}_{part}": line.get(part, "") for number, line in enumerate(lines, start=1) for part in PARTS
    }
    return items, Kept(fields, draft.revision if draft else 0, None, clinics.zone(session))


def _line(name: str, line: int, kept: Kept | None) -> None:
    with st.container(border=True):
        for row in ROWS:
            for column, part in zip(st.columns([WIDTHS[each] for each in row]), row, strict=True):
                label = f"{line}. {_(PARTS[part])}" if part == "drug" else _(PARTS[part])
                marked = f"{label} *" if part in NEEDED else label
                column.text_input(marked, **field(name, f"{line}_{part}", kept))
        words, away = st.columns([8, 3], vertical_alignment="bottom")
        words.text_area(_(PARTS["instructions"]), height=68, **field(name, f"{line}_instructions", kept))
        if any(_typed_line(name, line).values()):
            away.button(
                _("Take away"),
                icon=":material/delete:",
                type="tertiary",
                on_click=_take_away,
                args=(name, line),
                key=f"{name}_{line}_away",
            )


def _typed_line(name: str, line: int) -> dict[str, str]:
    return {part: st.session_state.get(f"{name}_{line}_{part}", "") for part in PARTS}


def lines(name: str) -> list[dict[str, str]]:
    """The lines on the screen that have something in them."""
    lines = [_typed_line(name, line) for line in range(1, ITEMS + 1)]
    return [line for line in lines if any(words.strip() for words in line.values())]


def _last_line(name: str) -> int:
    """The number of the last line with something in it, 0 where there is none."""
    return max((line for line in range(1, ITEMS + 1) if any(_typed_line(name, line).values())), default=0)


def _take_away(name: str, line: int) -> None:
    """Move the lines below up by one."""
    for number in range(line, ITEMS + 1):
        below = _typed_line(name, number + 1)
        for part, words in below.items():
            st.session_state[f"{name}_{number}_{part}"] = words


def _warn_of_allergies(name: str, patient_id: int) -> None:
    """Ask to look at the drugs that share a word with an allergy, and anew when it is about others."""

    def same_words(session: Any, actor: Actor) -> list[Match]:
        draft = prescription_drafts.of_patient(session, actor, patient_id=patient_id)
        return prescription_drafts.matches(session, draft) if draft else []

    found = looked_up(same_words) or []
    about = "\n".join(sorted(f"{number} {drug}" for number, drug in (each.pair for each in found)))
    key = f"{name}_looked_{crc32(about.encode())}"
    st.session_state[f"{name}_shown"] = key, frozenset(each.pair for each in found)
    if not found:
        return
    with st.container(border=True):
        pairs = "; ".join(sorted({f"{each.drug} – {each.allergy.name}" for each in found}))
        st.error(
            plain(_("The same word stands among the allergies: {pairs}").format(pairs=pairs)),
            icon=":material/warning:",
        )
        st.caption(_("This is a comparison of words, not a clinical check: it finds no related drugs."))
        st.checkbox(_("I have looked at it, and prescribe it all the same"), key=key)


def _sign(visit_id: int, patient_id: int) -> None:
    name = name_of(patient_id)
    key, shown = st.session_state.get(f"{name}_shown", ("", frozenset()))
    signed = perform(
        prescriptions.sign_as_typed,
        appointment_id=visit_id,
        items=lines(name),
        revision=revision(name),
        looked_at=shown if st.session_state.get(key) else frozenset(),
        done=N_("The prescription is signed."),
    )
    if signed is not None:
        forget(name)
