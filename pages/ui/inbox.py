"""The desk's inbox on the screen: a text with what can be done about it, and a message that was lost."""

from datetime import tzinfo
from uuid import UUID

import streamlit as st

from core import access, inbox, unreached
from core.access import Action, Actor
from core.i18n import N_, _, clock_time, dated, day_and_time, ngettext
from core.inbox import Waiting
from core.phones import shown
from core.unreached import Unreached
from db.models import Answer, Appointment, Channel
from pages.ui.actions import form_key, perform
from pages.ui.messages import KIND, why
from pages.ui.navigation import BOOK_FOR_PATIENT, INBOX
from pages.ui.refusals import reading
from pages.ui.words import plain

WHY_HERE = {
    "unknown number": N_("Nobody here has that number."),
    "several visits": N_("They have several visits ahead."),
    "several offers": N_("They are offered several times."),
    "perhaps an offer was meant": N_("Perhaps they meant a time that they were offered, and no visit."),
    "our answer did not arrive": N_("Our answer to this did not arrive."),
    "no visit ahead": N_("They have no visit ahead."),
    "unclear": N_("It is not clear what they mean."),
    "wants another time": N_("They want another time. Please call them."),
    "perhaps the visit was meant": N_("Texts to them are stopped now. Perhaps they meant the visit."),
}
MEANT = {
    Answer.CONFIRM: N_("They seem to confirm."),
    Answer.MOVE: N_("They seem to want another time."),
    Answer.CANCEL: N_("They seem to call off."),
    Answer.ACCEPT: N_("They seem to accept a time."),
}


def flag_texts(actor: Actor) -> None:
    """Say on the desk's pages that somebody waits for an answer; nothing where nobody does, or to others."""
    if not access.may(actor, Action.ANSWER_MESSAGES):
        return
    with reading() as session:
        waiting = inbox.count(session, actor)
    if waiting:
        told = ngettext("{count} text to answer", "{count} texts to answer", waiting)
        st.page_link(INBOX, label=told.format(count=waiting), icon=":material/inbox:")


def how_many_more(shown: int, count: int) -> None:
    """Say above a list that it is not the whole one."""
    if count > shown:
        st.caption(
            _("{shown} of {count}. The others come up as these are dealt with.").format(
                shown=shown, count=count
            )
        )


def text_panel(waiting: Waiting, zone: tzinfo) -> None:
    """One text: who wrote what, which visits it may be about, and what to do."""
    inbound = waiting.inbound
    who = ", ".join(patient.name for patient in waiting.patients) or _("Unknown")
    at = day_and_time(inbound.received_at, zone)
    st.markdown(f"**{plain(who)}** · {plain(shown(inbound.sender))} · {plain(at)}")
    st.markdown(f":material/sms: {plain(inbound.body) or _('(no words)')}")
    said = [WHY_HERE.get(inbound.why), MEANT.get(inbound.suggestion) if inbound.suggestion else None]
    st.caption(" ".join(_(each) for each in said if each))
    for visit in waiting.visits:
        _visit_line(waiting, visit, zone)
    _answer_form(waiting)


def _visit_line(waiting: Waiting, visit: Appointment, zone: tzinfo) -> None:
    inbound = waiting.inbound
    with st.container(horizontal=True, vertical_alignment="center"):
        on = dated(visit.starts_at.astimezone(zone).date())
        st.markdown(
            f"{plain(on)}, {plain(clock_time(visit.starts_at, zone))} · {plain(visit.patient.name)} · "
            f"{plain(visit.doctor.user.name)}",
            width="content",
        )
        if visit.attending_at is None and inbound.suggestion is Answer.CONFIRM:
            st.button(
                _("Confirm this one"),
                icon=":material/check:",
                key=f"inbox_confirm_{inbound.id}_{visit.id}",
                on_click=_confirm,
                args=(inbound.id, visit.id),
            )
        st.button(
            _("Move or cancel"),
            icon=":material/event_repeat:",
            key=f"inbox_open_{inbound.id}_{visit.id}",
            on_click=_serve,
            args=(visit.patient_id,),
        )


def _serve(patient_id: int) -> None:
    """Go on at the desk with that patient."""
    st.session_state["people_chosen"] = patient_id
    st.session_state["inbox_leave"] = True


def leave_if_asked() -> None:
    """Follow a button of the last run to the desk: from within a callback nothing can be followed."""
    if st.session_state.pop("inbox_leave", False):
        st.switch_page(BOOK_FOR_PATIENT)


def _answer_form(waiting: Waiting) -> None:
    inbound = waiting.inbound
    if waiting.takes_texts:
        key = f"inbox_text_{inbound.id}"
        st.session_state.setdefault(key, inbox.suggested_answer(waiting))
        st.text_area(_("Answer by text"), key=key, max_chars=inbox.LONGEST, height=80)
    else:
        st.caption(f":material/call: {_('No text can be sent there. Please call.')}")
    with st.container(horizontal=True):
        if waiting.takes_texts:
            st.button(
                _("Send"),
                type="primary",
                icon=":material/send:",
                key=f"inbox_send_{inbound.id}",
                on_click=_send,
                args=(inbound.id, form_key(f"inbox_{inbound.id}")),
            )
        st.button(
            _("Done without an answer"),
            key=f"inbox_done_{inbound.id}",
            on_click=_settle,
            args=(inbound.id,),
        )


def _send(inbound_id: int, key: UUID) -> None:
    text = st.session_state.get(f"inbox_text_{inbound_id}") or ""
    perform(inbox.answer, inbound_id=inbound_id, text=text, request_key=key, done=N_("The answer is sent."))


def _settle(inbound_id: int) -> None:
    perform(inbox.settle, inbound_id=inbound_id, done=N_("Noted."))


def _confirm(inbound_id: int, visit_id: int) -> None:
    perform(
        inbox.confirm, inbound_id=inbound_id, appointment_id=visit_id, done=N_("Noted that they will come.")
    )


def unreached_panel(lost: Unreached, zone: tzinfo) -> None:
    """One message that did not arrive: whom to call about what."""
    message, visit = lost.message, lost.visit
    on = dated(visit.starts_at.astimezone(zone).date())
    told = _("{kind}: visit on {day}, {time}").format(
        kind=_(KIND[message.kind]), day=on, time=clock_time(visit.starts_at, zone)
    )
    st.markdown(f"**{plain(lost.patient.name)}** · {plain(told)}")
    to = shown(message.sent_to) if message.channel is Channel.SMS else message.sent_to
    said = [plain(to), why(message.error, message.error_code)]
    st.caption(" · ".join(filter(None, said)))
    with st.container(horizontal=True):
        st.button(
            _("I have reached them"),
            icon=":material/call:",
            key=f"inbox_reached_{message.id}",
            on_click=_settle_unreached,
            args=(message.id,),
        )
        st.button(
            _("Open the patient"),
            key=f"inbox_patient_{message.id}",
            on_click=_serve,
            args=(lost.patient.id,),
        )


def _settle_unreached(notification_id: int) -> None:
    perform(unreached.settle, notification_id=notification_id, done=N_("Noted."))
