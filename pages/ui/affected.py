"""What a change of hours would leave without hours, said beside the button that makes it."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

import streamlit as st

from core import unsettled
from core.access import Actor
from core.i18n import _, day_and_time, ngettext
from core.slot_previews import Wanted
from core.unsettled import Foreseen
from db.models import Appointment
from pages.ui.actions import Place, perform
from pages.ui.navigation import UNSETTLED
from pages.ui.refusals import reading
from pages.ui.words import plain

FEW = 8


def foresee(
    actor: Actor, change: Callable[..., object], *, wanted: Wanted | None = None, **arguments: Any
) -> Foreseen:
    """What a change would come to; nothing is saved by asking."""
    with reading() as session:
        return unsettled.foreseen(session, actor, change, wanted=wanted, **arguments)


def show_affected(foreseen: Foreseen, zone: tzinfo) -> None:
    """Why a change cannot be made, or whom it leaves without hours; nothing where it leaves nobody."""
    if foreseen.refusal:
        st.error(plain(foreseen.refusal), icon=":material/error:")
        return
    count = len(foreseen.visits)
    if not count:
        return
    told = ngettext(
        "This leaves {count} visit without hours:", "This leaves {count} visits without hours:", count
    )
    lines = [f"- {_line(each, zone)}" for each in foreseen.visits[:FEW]]
    if count > FEW:
        lines.append("- " + _("and {count} more").format(count=count - FEW))
    st.warning("\n".join([told.format(count=count), "", *lines]), icon=":material/event_busy:")


def _line(visit: Appointment, zone: tzinfo) -> str:
    return plain(
        f"{day_and_time(visit.starts_at, zone)}, {visit.patient.name}, {visit.service.name}"
        f" ({visit.doctor.user.name})"
    )


def save_button(
    label: str,
    foreseen: Foreseen,
    change: Callable[..., object],
    arguments: Mapping[str, Any],
    *,
    done: str,
    key: str,
    after: Callable[[], None] | None = None,
) -> None:
    """The button that makes the change. Where it leaves visits without hours, their list comes next."""
    count = len(foreseen.visits)
    with_visits = ngettext("{label}, then settle {count} visit", "{label}, then settle {count} visits", count)
    st.button(
        with_visits.format(label=label, count=count) if count else label,
        type="primary",
        disabled=bool(foreseen.refusal),
        on_click=_save,
        args=(change, dict(arguments), [each.id for each in foreseen.visits], done, after),
        key=key,
    )


def _save(
    change: Callable[..., object],
    arguments: dict[str, Any],
    accepting: list[int],
    done: str,
    after: Callable[[], None] | None,
) -> None:
    then: str | Callable[[Any], Place] = UNSETTLED if accepting else ""
    perform(change, **arguments, accepting=accepting, done=done, then=then)
    if after is not None and st.session_state["message"].is_good:
        after()
        if accepting and (doctor_id := arguments.get("doctor_id")):
            st.session_state["unsettled_doctor"] = doctor_id
