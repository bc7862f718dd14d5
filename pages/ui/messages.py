"""Messages on the screen: what was sent to whom about a visit, how it fared, and what was answered."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from core import message_logs
from core.access import Actor
from core.i18n import N_, _, day_and_time, ngettext
from core.message_logs import Line
from core.phones import shown
from db.models import Channel, MessageKind, NotificationStatus
from pages.ui.refusals import reading
from pages.ui.words import plain

KIND = {
    MessageKind.ACCOUNT: N_("Account"),
    MessageKind.BOOKED: N_("Booked"),
    MessageKind.MOVED: N_("Moved"),
    MessageKind.CANCELLED: N_("Cancelled"),
    MessageKind.REMINDER: N_("Reminder"),
    MessageKind.RUNNING_LATE: N_("Running late"),
    MessageKind.OFFER: N_("Offer from the waitlist"),
    MessageKind.PAYMENT_LINK: N_("Way to pay"),
    MessageKind.RECEIPT: N_("Receipt"),
    MessageKind.REPLY: N_("Answer"),
    MessageKind.CHOICE: N_("Choice of another time"),
}
STATUS = {
    NotificationStatus.PENDING: (N_("Waits"), "gray"),
    NotificationStatus.SENDING: (N_("Being sent"), "gray"),
    NotificationStatus.SENT: (N_("Sent"), "blue"),
    NotificationStatus.DELIVERED: (N_("Delivered"), "green"),
    NotificationStatus.UNDELIVERED: (N_("Not delivered"), "red"),
    NotificationStatus.FAILED: (N_("Could not be sent"), "red"),
    NotificationStatus.CANCELLED: (N_("Not needed"), "gray"),
    NotificationStatus.CARRIED: (N_("In another message"), "gray"),
}
# What the outbox notes, in words for people; the rest are states of machines.
WHY = {
    "no number": N_("There is no phone number."),
    "no address": N_("There is no phone number and no email address."),
    "no consent": N_("They have not agreed to texts."),
    "opted out": N_("That number wants no texts."),
    "unproven": N_("The person has not confirmed that number yet."),
    "unreachable": N_("Texts do not arrive at that number."),
    "bad number": N_("That number does not exist."),
    "not mobile": N_("That number takes no texts."),
    "no route": N_("Texts cannot be sent to that country or network."),
    "the visit has moved": N_("The visit had moved by then."),
    "the visit does not take place": N_("The visit was off by then."),
    "nobody was told of the visit": N_("Nobody had been told of the visit yet."),
    "the link is over": N_("They had chosen by then, or the choice had ended."),
    "its patient is asked to choose another time": N_("They had been asked to choose another time."),
    "no reminders are wanted": N_("No reminders are wanted."),
    "not sent in time": N_("It came too late to be of use."),
    "kept in the demo's mailbox": N_("Kept in the demo's mailbox."),
    "undelivered": N_("The phone company could not deliver it."),
    "failed": N_("The phone company did not send it."),
}


def status_words(status: NotificationStatus) -> str:
    """The state of a message as a coloured word, in Markdown."""
    word, color = STATUS[status]
    return f":{color}-badge[{_(word)}]"


def why(error: str | None, code: int | None) -> str:
    """What was in the way of a message, "" where nothing was."""
    if not error and not code:
        return ""
    words = _(WHY[error]) if error in WHY else ""
    return f"{words} ({code})".strip() if code else words


def show_lines(lines: Sequence[Line], zone: tzinfo) -> None:
    """The messages, the latest first."""
    if not lines:
        st.caption(_("No message yet."))
    for line in lines:
        with st.container(border=True):
            _show(line, zone)


def _show(line: Line, zone: tzinfo) -> None:
    at = day_and_time(line.at, zone)
    if line.kind is None or line.status is None:
        st.markdown(f"**{_('Text from the patient')}** · {plain(at)} · {plain(shown(line.address))}")
        st.markdown(plain(line.body) or _("(no words)"))
        return
    to = shown(line.address) if line.channel is Channel.SMS else line.address
    whom = f" · {plain(to)}" if to else ""
    parts = ""
    if line.channel is Channel.SMS and line.segments:
        told = ngettext("{count} segment", "{count} segments", line.segments)
        parts = f" · {told.format(count=line.segments)}"
    st.markdown(f"**{_(KIND[line.kind])}** {status_words(line.status)} {plain(at)}{whom}{parts}")
    if line.was_carried:
        st.caption(_("Told in one message with another visit of that day."))
    if line.body:
        st.markdown(plain(line.body))
    if said := why(line.error, line.error_code):
        st.caption(said)


def visit_messages(actor: Actor, appointment_id: int, zone: tzinfo) -> None:
    """The messages about one visit, behind a button, read when they are asked for."""
    key = f"messages_of_{appointment_id}"
    if st.toggle(_("Messages"), key=key):
        with reading() as session:
            lines = message_logs.of_visit(session, actor, appointment_id=appointment_id)
        show_lines(lines, zone)
