"""Wishes that wait no more, on the screen: how each ended, and the way to ask again."""

from collections.abc import Sequence
from datetime import date, tzinfo
from uuid import UUID

import streamlit as st

from core import clock, waitlists
from core.access import Actor
from core.i18n import N_, _, day_and_time, ngettext, short_date
from core.waitlist_endings import MOST, SHOWN_FOR, Ended, Ending
from core.waitlist_wishes import Wish
from pages.ui.actions import form_key, perform
from pages.ui.waitlists import described
from pages.ui.words import plain

_TOLD = {
    Ending.BOOKED: N_("Booked: {time}."),
    Ending.TO_PAY: N_("Accepted: {time}. It is held until it is paid for."),
    Ending.UNPAID: N_("Not paid in time: {time} is held no longer and goes to the next in line."),
    Ending.CANCELLED: N_("Booked for {time}, and cancelled since."),
    Ending.WITHDRAWN: N_("Taken off the waitlist."),
    Ending.UNANSWERED: N_("Its days are over. The last offer, {time}, was not answered in time."),
    Ending.DECLINED: N_("Its days are over. The last offer, {time}, was declined."),
    Ending.LAPSED: N_("Its days are over, and nothing that fits became free."),
}
_UNPAID = N_("You did not pay in time: {time} is held no longer and goes to the next in line.")


def show_ended(actor: Actor, ended: Sequence[Ended], zone: tzinfo, *, with_patient: bool) -> None:
    """The wishes that ended, the latest first. Of more than can be shown that is said."""
    today = clock.now().astimezone(zone).date()
    days = SHOWN_FOR.days
    if not ended:
        told = ngettext("None has in the last {count} day.", "None has in the last {count} days.", days)
        st.caption(told.format(count=days))
        return
    for each in ended[:MOST]:
        with st.container(border=True):
            _show(actor, each, zone, today, with_patient=with_patient)
    if len(ended) > MOST:
        told = ngettext("Only the last {count} is shown.", "Only the last {count} are shown.", MOST)
        st.caption(told.format(count=MOST))
    told = ngettext("From the last {count} day.", "From the last {count} days.", days)
    st.caption(told.format(count=days))


def _show(actor: Actor, ended: Ended, zone: tzinfo, today: date, *, with_patient: bool) -> None:
    entry, ending = ended.entry, ended.ending
    st.markdown(described(entry, with_patient=with_patient))
    is_own = not actor.is_desk and ending is Ending.UNPAID
    words = _(_UNPAID if is_own else _TOLD[ending])
    time = day_and_time(ended.offer.appointment.starts_at, zone) if ended.offer else ""
    on = short_date(entry.ended_at.astimezone(zone).date()) if entry.ended_at else ""
    st.markdown(f"{plain(words.format(time=time))} :gray[{plain(on)}]")
    if wish := ended.asked_again(today):
        form = f"waitlist_again_{entry.id}"
        st.button(
            _("Ask again"),
            icon=":material/redo:",
            on_click=_ask_again,
            args=(entry.patient_id, wish, form_key(form), form),
            key=form,
        )


def _ask_again(patient_id: int, wish: Wish, key: UUID, form: str) -> None:
    perform(
        waitlists.join,
        patient_id=patient_id,
        wish=wish,
        request_key=key,
        done=N_("On the waitlist again."),
        form=form,
    )
