"""What a change would leave without hours, doctor or room, said beside the button that makes it."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

import streamlit as st

from core import clinics, unsettled
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
NOBODY = Foreseen([])


class _Known(NamedTuple):
    """The visits that are listed, in numbers, as a click carries them."""

    visit_ids: list[int]
    doctor_ids: set[int]


def foresee(
    actor: Actor, change: Callable[..., object], *, previewing: Wanted | None = None, **arguments: Any
) -> Foreseen:
    """What a change would come to; nothing is saved by asking."""
    with reading() as session:
        return unsettled.foreseen(session, actor, change, previewing=previewing, **arguments)


def show_affected(foreseen: Foreseen, zone: tzinfo) -> None:
    """Why a change cannot be made, or whom it leaves without hours; nothing where it leaves nobody."""
    if foreseen.refusal:
        st.error(plain(foreseen.refusal), icon=":material/error:")
        return
    count = len(foreseen.visits)
    if not count:
        return
    told = _("This leaves {visits}:").format(visits=unsettled.visits_without(foreseen.lacking, count))
    of_several = len({each.doctor_id for each in foreseen.visits}) > 1
    lines = [f"- {_line(each, zone, of_several=of_several)}" for each in foreseen.visits[:FEW]]
    if count > FEW:
        lines.append("- " + _("and {count} more").format(count=count - FEW))
    st.warning("\n".join([told, "", *lines]), icon=":material/event_busy:")


def _line(visit: Appointment, zone: tzinfo, *, of_several: bool) -> str:
    told = f"{day_and_time(visit.starts_at, zone)}, {visit.patient.name}, {visit.service.name}"
    return plain(f"{told} ({visit.doctor.user.name})" if of_several else told)


def settling_button(
    actor: Actor,
    label: str,
    change: Callable[..., object],
    arguments: Mapping[str, Any],
    *,
    may_strand: bool,
    done: str,
    key: str,
    about: str = "",
    is_main: bool = True,
) -> None:
    """The button that makes a change of settings, below the visits that it `may_strand`."""
    foreseen = foresee(actor, change, **arguments) if may_strand else NOBODY
    if may_strand:
        with reading() as session:
            show_affected(foreseen, clinics.zone(session))
        if not foreseen.visits and not foreseen.refusal:
            st.caption(_("No visit that is booked is left over by this."))
    save_button(label, foreseen, change, arguments, done=done, key=key, about=about, is_main=is_main)


def save_button(
    label: str,
    foreseen: Foreseen,
    change: Callable[..., object],
    arguments: Mapping[str, Any],
    *,
    done: str,
    key: str,
    about: str = "",
    is_main: bool = True,
    after: Callable[[], None] | None = None,
) -> None:
    """The button that makes the change. Where it leaves visits over, their list comes next."""
    count = len(foreseen.visits)
    with_visits = ngettext("{label}, then settle {count} visit", "{label}, then settle {count} visits", count)
    st.button(
        with_visits.format(label=label, count=count) if count else label,
        type="primary" if is_main else "secondary",
        disabled=bool(foreseen.refusal),
        on_click=_save,
        args=(change, dict(arguments), _known(foreseen), done, about, after),
        key=key,
    )


def _known(foreseen: Foreseen) -> _Known:
    return _Known([each.id for each in foreseen.visits], {each.doctor_id for each in foreseen.visits})


def _save(
    change: Callable[..., object],
    arguments: dict[str, Any],
    known: _Known,
    done: str,
    about: str,
    after: Callable[[], None] | None,
) -> None:
    then: str | Callable[[Any], Place] = UNSETTLED if known.visit_ids else ""
    perform(change, **arguments, accepting=known.visit_ids, done=done, about=about, then=then)
    if not st.session_state["message"].is_good:
        return
    if after is not None:
        after()
    if len(known.doctor_ids) == 1:
        [st.session_state["unsettled_doctor"]] = known.doctor_ids
