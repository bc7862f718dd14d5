"""The waitlist on the screen: what somebody waits for, what is offered, and the answers to that."""

from collections.abc import Sequence
from datetime import timedelta, tzinfo

import streamlit as st

from core import clock, terms, waitlist_answers, waitlists
from core.access import Actor
from core.i18n import N_, _, dated, day_and_time, short_date, span, wall_clock, weekday
from core.terms import Terms
from core.waitlist_wishes import WEEK
from core.waitlists import Line
from db.models import Appointment, ClinicSettings, WaitlistEntry
from pages.ui.actions import perform
from pages.ui.navigation import MY_WAITLIST
from pages.ui.refusals import reading
from pages.ui.terms import show_terms, where_next
from pages.ui.visits import visit_card
from pages.ui.words import plain

_MINUTE = timedelta(minutes=1)


def earlier_link(
    *, service_id: int | None, doctor_id: int | None = None, specialty_id: int | None = None
) -> None:
    """The way to the waitlist for who finds no time, or none early enough."""
    wanted = {"service": service_id, "doctor": doctor_id, "specialty": specialty_id}
    st.page_link(
        MY_WAITLIST,
        label=_("Tell me when an earlier time is free"),
        icon=":material/hourglass_top:",
        query_params={name: str(number) for name, number in wanted.items() if number},
    )


def show_offers(
    actor: Actor, lines: Sequence[Line], visits: Sequence[Appointment], clinic: ClinicSettings, zone: tzinfo
) -> None:
    """What is offered now, with its terms and the two answers. `visits` are the patients' coming ones."""
    for line in lines:
        if line.offer is not None and line.offer.expires_at > clock.now():
            with st.container(border=True):
                _offer(actor, line, waitlists.replaced(line, visits), clinic, zone)


def show_line(actor: Actor, line: Line, *, with_patient: bool) -> None:
    """A wish with its place in the line, and the way off the list."""
    entry = line.entry
    with st.container(border=True):
        st.markdown(described(entry, with_patient=with_patient))
        st.caption(_place(line))
        st.button(
            _("Take off the waitlist"),
            icon=":material/close:",
            on_click=_withdraw,
            args=(entry.id,),
            key=f"waitlist_withdraw_{entry.id}",
        )


def described(entry: WaitlistEntry, *, with_patient: bool) -> str:
    """What is wished for, of whom and when, in Markdown."""
    said = f"**{plain(entry.service.name)}** · {plain(_of_whom(entry))}"
    if with_patient:
        said = f"**{plain(entry.patient.name)}**  \n{said}"
    return f"{said}  \n{plain(_when(entry))}"


def _offer(actor: Actor, line: Line, later: Appointment | None, clinic: ClinicSettings, zone: tzinfo) -> None:
    offer = line.offer
    if offer is None:
        return
    visit, seen = offer.appointment, None
    minutes = -(-(offer.expires_at - clock.now()) // _MINUTE)
    st.markdown(
        _("**A time is free for {patient}.** It is held for another **{span}**.").format(
            patient=plain(line.entry.patient.name), span=span(minutes)
        )
    )
    visit_card(visit, zone, with_patient=False)
    if not actor.is_desk:
        with reading() as session:
            seen = terms.offered(
                session,
                actor,
                patient_id=visit.patient_id,
                doctor_id=visit.doctor_id,
                service_id=visit.service_id,
            )
        show_terms(seen, visit.starts_at, zone, clinic.currency)
    if later is not None:
        already = _("There is a later visit for this: {time}. It stays, and can be cancelled afterwards.")
        st.markdown(plain(already.format(time=day_and_time(later.starts_at, zone))))
    st.button(
        _("Accept for the patient") if actor.is_desk else _("Yes, I take it"),
        type="primary",
        icon=":material/check:",
        on_click=_accept,
        args=(offer.id, seen, later and later.id, actor.is_desk),
        key=f"waitlist_accept_{offer.id}",
        width="stretch",
    )
    st.button(
        _("Decline for the patient") if actor.is_desk else _("No, offer it to somebody else"),
        on_click=_decline,
        args=(offer.id,),
        key=f"waitlist_decline_{offer.id}",
        width="stretch",
    )


def _accept(offer_id: int, seen: Terms | None, later_id: int | None, is_desk: bool) -> None:
    """Take the time; of a visit that it makes needless, the way to cancel it is opened."""
    done = N_("The time is booked.")
    if later_id is not None:
        done = N_("The time is booked. The later visit is still there: cancel it if it is not needed.")
    accepted = perform(
        waitlist_answers.accept,
        offer_id=offer_id,
        seen=seen,
        done="" if seen is not None and seen.due_minor else done,
        then="" if is_desk else where_next,
    )
    if accepted is not None and later_id is not None:
        st.session_state["visits_open"] = ("cancel", later_id)


def _decline(offer_id: int) -> None:
    perform(
        waitlist_answers.decline,
        offer_id=offer_id,
        done=N_("Declined. The wish stays on the waitlist for another time."),
    )


def _withdraw(entry_id: int) -> None:
    perform(waitlists.withdraw, entry_id=entry_id, done=N_("Taken off the waitlist."))


def _of_whom(entry: WaitlistEntry) -> str:
    if entry.specialty is not None:
        return anybody_of(entry.specialty.name)
    return "" if entry.doctor is None else entry.doctor.user.name


def anybody_of(specialty: str) -> str:
    return _("Anybody of {specialty}").format(specialty=specialty)


def _when(entry: WaitlistEntry) -> str:
    """Days, weekdays and times of a wish, in one line."""
    is_all_week = set(entry.weekdays) == set(WEEK)
    named = _("any day") if is_all_week else ", ".join(weekday(number) for number in entry.weekdays)
    days = _("{first} to {last} · {weekdays}").format(
        first=short_date(entry.from_on), last=short_date(entry.until_on), weekdays=named
    )
    return _("{days} · {earliest}–{latest}").format(
        days=dated(entry.from_on) if entry.from_on == entry.until_on else days,
        earliest=wall_clock(entry.from_time),
        latest=wall_clock(entry.until_time),
    )


def _place(line: Line) -> str:
    if line.offer is not None:
        return _("A time is being offered.")
    if line.position == 1:
        return _("First in line.")
    return _("Number {position} in line.").format(position=line.position)
