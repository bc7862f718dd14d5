"""The words of a message: a template in the language of who gets it, its blanks filled in."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import choice_links, clinics, clock, message_templates
from core.i18n import N_, _, clock_time, day, day_and_time, money, ngettext, speaking
from core.phones import shown
from core.recipients import Recipient
from db.config import config
from db.models import Appointment, AppointmentStatus, Channel, MessageKind, Notification, NotificationStatus

SUBJECTS: dict[str, str] = {
    MessageKind.BOOKED: N_("You are booked: {when}"),
    MessageKind.MOVED: N_("Your visit has moved: {when}"),
    "changed": N_("Your visit has changed: {when}"),
    MessageKind.CANCELLED: N_("Your visit is cancelled: {when}"),
    MessageKind.REMINDER: N_("Your visit at {clinic}: {when}"),
    MessageKind.RUNNING_LATE: N_("{clinic} is running late"),
    MessageKind.OFFER: N_("A time is free: {when}"),
    MessageKind.PAYMENT_LINK: N_("Please pay for your visit at {clinic}"),
    MessageKind.RECEIPT: N_("Your payment to {clinic}"),
    MessageKind.REPLY: N_("From {clinic}"),
    MessageKind.CHOICE: N_("Please choose another time at {clinic}"),
}
_LINKS = {MessageKind.PAYMENT_LINK: "/pay?visit={visit}", MessageKind.RECEIPT: "/payments"}
# Whoever has been sent one of these knows what it says, as far as we can tell.
TOLD = (
    NotificationStatus.SENDING,
    NotificationStatus.SENT,
    NotificationStatus.DELIVERED,
    NotificationStatus.UNDELIVERED,
    NotificationStatus.CARRIED,
)


class Written(NamedTuple):
    """What is sent. `subject` is for emails."""

    subject: str
    body: str


def write(
    session: Session,
    message: Notification,
    visits: Sequence[Appointment],
    told: Recipient,
    *,
    news: str,
) -> Written:
    """What `message` says about `visits`, of one day or series and in order: `news` names its template."""
    settings, zone = clinics.settings(session), clinics.zone(session)
    with speaking(told.locale):
        values = _values(session, message, visits, zone)
        values["clinic"] = settings.name
        subject = _(SUBJECTS[news]).format(**values)
        is_text = told.channel is Channel.SMS
        name = _template_of(news, visits, is_text=is_text)
        if not is_text:
            body = _mail(name, values, visits[0], session)
        else:
            values["clinic"] = settings.text_name or settings.name
            body = message_templates.filled(message_templates.wording(session, name), values)
            body = _with_way_out(session, told.sent_to, body)
    return Written(subject, body)


def _template_of(news: str, visits: Sequence[Appointment], *, is_text: bool) -> str:
    """Who answers to several visits, or by email, could not be understood: no answer is asked for.

    A visit that is not held is not said to be kept until it is paid for.
    """
    if news == MessageKind.REMINDER and (len(visits) > 1 or not is_text):
        return "reminder_of_several"
    if news == MessageKind.PAYMENT_LINK and visits[0].status is not AppointmentStatus.PENDING:
        return "payment_asked"
    return news


def _values(
    session: Session, message: Notification, visits: Sequence[Appointment], zone: ZoneInfo
) -> dict[str, str]:
    """What the blanks of a template are filled with."""
    first, details = visits[0], message.details
    path = _LINKS.get(message.kind, "/my_appointments").format(visit=first.id)
    if message.kind is MessageKind.CHOICE:
        path = choice_links.path(details["link_id"])
    until = message.expires_at or first.starts_at
    amount = details.get("amount_minor")
    return {
        "when": _when(visits, zone),
        "link": config().public_url + path,
        "until": _until(until, zone),
        "minutes": str(details.get("minutes", "")),
        "amount": "" if amount is None else money(amount, details["currency"]),
    }


def _until(at: datetime, zone: ZoneInfo) -> str:
    """A time of today, or with its day."""
    is_today = at.astimezone(zone).date() == clock.now().astimezone(zone).date()
    return clock_time(at, zone) if is_today else day_and_time(at, zone)


def _when(visits: Sequence[Appointment], zone: ZoneInfo) -> str:
    """One day with its time, or with its several times; of a series, from when until when."""
    days = sorted({visit.starts_at.astimezone(zone).date() for visit in visits})
    if len(days) > 1:
        others = len(visits) - 1
        text = ngettext(
            "{first} and {count} more time, {last}", "{first} and {count} more times until {last}", others
        )
        return text.format(first=day_and_time(visits[0].starts_at, zone), count=others, last=day(days[-1]))
    first, *more = [day_and_time(visits[0].starts_at, zone)] + [
        clock_time(visit.starts_at, zone) for visit in visits[1:]
    ]
    if not more:
        return first
    return _("{times} and {last}").format(times=", ".join([first, *more[:-1]]), last=more[-1])


def _mail(name: str, values: dict[str, str], visit: Appointment, session: Session) -> str:
    """The same sentence, with room for where it is and whom to call."""
    lines = [message_templates.wording(session, name).format(**values)]
    if not visit.service.is_video:
        place = _("Where: {place}, {address}")
        lines.append(place.format(place=visit.location.name, address=visit.location.address))
    phone = clinics.settings(session).phone
    if phone:
        lines.append(_("Questions? Please call {phone}.").format(phone=shown(phone)))
    return "\n\n".join(lines)


def _with_way_out(session: Session, number: str, body: str) -> str:
    """`body`, with how to end all texts in the first one to a number."""
    before = select(Notification.id).where(
        Notification.sent_to == number,
        Notification.channel == Channel.SMS,
        Notification.kind != MessageKind.ACCOUNT,
        Notification.status.in_(TOLD),
    )
    if session.scalar(before.limit(1)) is not None:
        return body
    return f"{body} {_(message_templates.OPT_OUT)}"


def reply(session: Session, message: Notification) -> Written:
    """An answer to a text, in the words it was given."""
    settings, details = clinics.settings(session), message.details
    values = {"clinic": settings.text_name or settings.name, **details["values"]}
    with speaking(details["locale"]):
        words = details.get("text") or message_templates.wording(session, details["template"])
        return Written("", message_templates.filled(words, values))
