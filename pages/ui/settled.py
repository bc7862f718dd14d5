"""What is done with visits without hours: one after the other, each by itself, and what became of each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import streamlit as st

from core import choices, settlements
from core.i18n import N_, _, ngettext
from core.strandings import NotStranded
from pages.ui.actions import perform_quietly, say
from pages.ui.words import plain

OUTCOMES = "unsettled_outcomes"
Key = tuple[int, datetime]  # of a time: whose and when


class Asked(NamedTuple):
    """What is asked for one visit, as a click carries it, and in words, to tell what became of it."""

    visit_id: int
    named: str
    chosen: Key | None
    chosen_named: str
    times: list[Key]


class _Way(NamedTuple):
    service: Callable[..., object]
    done: str


_WAYS = {
    "move": _Way(settlements.move, N_("moved to {time}; the patient is told")),
    "choose": _Way(choices.offer_choice, N_("asked to choose another time")),
    "cancel": _Way(settlements.call_off, N_("called off; the patient is told")),
}


def settle(way: str, asked: list[Asked], key: UUID) -> None:
    """Do it for one visit after the other, and keep what became of each."""
    outcomes, done = [], 0
    for each in asked:
        _result, message = perform_quietly(
            _WAYS[way].service,
            appointment_id=each.visit_id,
            **_arguments(way, each, uuid5(key, str(each.visit_id))),
        )
        if message.is_good:
            done += 1
            outcomes.append(f"{each.named}: {_(_WAYS[way].done).format(time=each.chosen_named)}")
        elif message.error is NotStranded:
            outcomes.append(f"{each.named}: {_('settled already')}")
        else:
            outcomes.append(f"{each.named}: {message.text}")
    st.session_state[OUTCOMES] = outcomes if len(asked) > 1 or done < len(asked) else []
    st.session_state.pop("unsettled_all_form_key", None)
    if done:
        told = ngettext(
            "{done} of {count} visit is settled.", "{done} of {count} visits are settled.", len(asked)
        )
        if way == "choose":
            told = ngettext(
                "{done} of {count} patient is asked.", "{done} of {count} patients are asked.", len(asked)
            )
        say(told.format(done=done, count=len(asked)))


def _arguments(way: str, asked: Asked, key: UUID) -> dict[str, Any]:
    if way == "choose":
        return {"times": asked.times}
    if way == "move" and asked.chosen is not None:
        return {"doctor_id": asked.chosen[0], "starts_at": asked.chosen[1], "request_key": key}
    return {"request_key": key}


def show_outcomes() -> None:
    """What became of each visit at the last press, until the next."""
    outcomes = st.session_state.get(OUTCOMES)
    if not outcomes:
        return
    with st.expander(_("What became of each"), expanded=True):
        st.markdown("\n".join(f"- {plain(line)}" for line in outcomes))
