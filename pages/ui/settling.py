"""A visit without hours on the screen: why it is here, and what can become of it."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple

import streamlit as st

from core import choices, strandings
from core.i18n import N_, _, day_and_time, ngettext
from core.strandings import Stranding
from core.suggestions import Suggested, Time
from db.models import Appointment, AppointmentStatus
from pages.ui.actions import form_key, perform
from pages.ui.found import born
from pages.ui.settled import Asked, Key, settle
from pages.ui.words import plain

WHY = {
    "doctor": N_("The doctor no longer works here."),
    "service": N_("The doctor no longer offers this."),
    "room": N_("The room is no longer in use."),
    "closed": N_("The place is closed that day."),
    "hours": N_("The doctor does not work then."),
    "away": N_("The doctor is away then."),
}


class Row(NamedTuple):
    """A visit of the list with the times for it, and the one that is chosen."""

    stranding: Stranding
    suggested: Suggested
    chosen: Time | None
    zone: tzinfo

    @property
    def visit(self) -> Appointment:
        return self.stranding.visit

    @property
    def is_booked(self) -> bool:
        return self.visit.status is AppointmentStatus.CONFIRMED


def stranding_row(stranding: Stranding, suggested: Suggested, zone: tzinfo, *, prefers_others: bool) -> Row:
    """Draw one visit: when, who and why on the left, what can become of it on the right."""
    visit = stranding.visit
    with st.container(border=True):
        told, act = st.columns([3, 4], vertical_alignment="center")
        with told:
            _what(stranding, zone)
        with act:
            chosen = _time_choice(visit, suggested, zone, prefers_others=prefers_others)
            row = Row(stranding, suggested, chosen, zone)
            _buttons(row)
    return row


def _what(stranding: Stranding, zone: tzinfo) -> None:
    visit = stranding.visit
    why = " ".join(_(WHY[kind]) for kind in stranding.kinds)
    st.markdown(
        f"**{plain(day_and_time(visit.starts_at, zone))}** · {plain(visit.patient.name)}, "
        f"{plain(born(visit.patient.birth_on))}  \n"
        f"{plain(visit.service.name)} · {plain(visit.doctor.user.name)}  \n:gray[{plain(why)}]"
    )
    if stranding.choice is not None:
        ends = day_and_time(stranding.choice.expires_at, zone)
        told = _("They can choose another time themselves until {time}.").format(time=ends)
        st.markdown(f":violet-badge[:material/link: {plain(told)}]")
    elif visit.status is AppointmentStatus.ARRIVED:
        st.markdown(f":green-badge[:material/person: {_('Is here')}]")
    elif visit.status is AppointmentStatus.PENDING:
        st.markdown(f":orange-badge[{_('Offered') if visit.is_offered else _('Waiting for payment')}]")


def _time_choice(
    visit: Appointment, suggested: Suggested, zone: tzinfo, *, prefers_others: bool
) -> Time | None:
    if visit.is_offered:
        st.caption(_("This time is only offered from the waitlist: call it off, and the offer ends."))
        return None
    lists = [suggested.own, suggested.others]
    times = {_key(each): each for of in (reversed(lists) if prefers_others else lists) for each in of}
    if not times:
        st.caption(_("There is no free time with this doctor or a colleague in the next weeks."))
        return None
    field = f"unsettled_time_{visit.id}_{prefers_others}"
    if st.session_state.get(field) not in times:
        st.session_state.pop(field, None)
    chosen = st.selectbox(
        _("Another time"),
        list(times),
        format_func=lambda key: (
            _named(times[key], visit, zone, says_whose=prefers_others) if key in times else ""
        ),
        key=field,
    )
    if prefers_others and not suggested.others:
        st.caption(_("No colleague is free: with the same doctor."))
    return times.get(chosen)


def _named(time: Time, visit: Appointment, zone: tzinfo, *, says_whose: bool = False) -> str:
    when = day_and_time(time.starts_at, zone)
    if _key(time) == (visit.doctor_id, visit.starts_at):
        return _("{time}, in another room").format(time=when)
    if time.doctor_id == visit.doctor_id:
        return _("{time} with the same doctor").format(time=when) if says_whose else when
    return _("{time} with {doctor}").format(time=when, doctor=time.doctor)


def _key(time: Time) -> Key:
    return time.doctor_id, time.starts_at


def _buttons(row: Row) -> None:
    number = row.visit.id
    key = form_key(f"unsettled_{number}")
    with st.container(horizontal=True):
        st.button(
            _("Move"),
            disabled=row.chosen is None,
            on_click=settle,
            args=("move", [_ask(row)], key),
            key=f"unsettled_move_{number}",
        )
        st.button(
            _("Let them choose"),
            disabled=not (row.is_booked and _times(row)),
            on_click=settle,
            args=("choose", [_ask(row)], key),
            key=f"unsettled_choose_{number}",
        )
        with st.popover(_("More")):
            st.button(
                _("Call off and pay back"),
                on_click=settle,
                args=("cancel", [_ask(row)], key),
                key=f"unsettled_cancel_{number}",
            )
            st.text_input(
                _("It takes place all the same, because"), max_chars=500, key=f"unsettled_why_{number}"
            )
            st.button(
                _("Keep it"),
                on_click=_keep,
                args=(number, row.stranding.causes),
                key=f"unsettled_keep_{number}",
            )


def _ask(row: Row) -> Asked:
    visit, to = row.visit, row.chosen
    named = f"{day_and_time(visit.starts_at, row.zone)}, {visit.patient.name}"
    return Asked(visit.id, named, to and _key(to), _named(to, visit, row.zone) if to else "", _times(row))


def _times(row: Row) -> list[Key]:
    """What a patient is offered: the chosen time and the nearest of both lists, but not the one they have."""
    listed = [row.chosen, *row.suggested.own, *row.suggested.others]
    keys = dict.fromkeys(_key(each) for each in listed if each is not None)
    keys.pop((row.visit.doctor_id, row.visit.starts_at), None)
    return list(keys)[: choices.MOST_TIMES]


def settle_all_buttons(rows: Sequence[Row]) -> None:
    """The same for every visit that is shown, each in a transaction of its own."""
    key = form_key("unsettled_all")
    movable = [_ask(row) for row in rows if row.chosen is not None]
    asking = [_ask(row) for row in rows if row.is_booked and _times(row)]
    with st.container(horizontal=True):
        st.button(
            ngettext("Move {count} visit as shown", "Move all {count} as shown", len(movable)).format(
                count=len(movable)
            ),
            type="primary",
            icon=":material/event_repeat:",
            disabled=not movable,
            on_click=settle,
            args=("move", movable, key),
            key="unsettled_all_move",
        )
        st.button(
            ngettext("Let {count} patient choose", "Let all {count} choose", len(asking)).format(
                count=len(asking)
            ),
            icon=":material/sms:",
            disabled=not asking,
            on_click=settle,
            args=("choose", asking, key),
            key="unsettled_all_choose",
        )
        with st.popover(_("Call all off"), icon=":material/event_busy:"):
            st.write(_("All that was paid goes back. The patients are told."))
            st.button(
                ngettext("Call {count} visit off", "Call {count} visits off", len(rows)).format(
                    count=len(rows)
                ),
                on_click=settle,
                args=("cancel", [_ask(row) for row in rows], key),
                key="unsettled_all_cancel",
            )


def _keep(visit_id: int, causes: tuple[str, ...]) -> None:
    perform(
        strandings.keep,
        appointment_id=visit_id,
        reason=st.session_state.get(f"unsettled_why_{visit_id}") or "",
        causes=causes,
        done=N_("Kept: it takes place as booked."),
    )
