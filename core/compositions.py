"""A message as it is sent: whether it is still true, who gets it, and which others it carries along."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from core import choice_links, clinics, clock, ledger, message_texts, recipients
from core.agendas import WITH_PEOPLE
from core.announcements import GRACE
from core.message_texts import TOLD, Written
from core.recipients import Recipient
from db.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    Channel,
    EventKind,
    MessageKind,
    Notification,
    NotificationStatus,
    OfferState,
    Patient,
    PaymentStatus,
    Role,
    User,
    WaitlistOffer,
)

_TELLING = (MessageKind.BOOKED, MessageKind.MOVED, MessageKind.REMINDER)
_JOINED = frozenset({*_TELLING, MessageKind.CANCELLED, MessageKind.RUNNING_LATE})
_SUITS = {MessageKind.RECEIPT: Channel.EMAIL}
_AT_ANY_HOUR = frozenset({MessageKind.REPLY, MessageKind.OFFER})
TO_ACT = timedelta(hours=2)  # what somebody needs to take in that a visit is off, or at another time


class Void(NamedTuple):
    """There is nothing to send: what it would tell is no longer so."""

    why: str


class Unreachable(NamedTuple):
    """Nothing reaches the person; `why` is for the desk."""

    why: str


class Later(NamedTuple):
    """It is night where the person is: not before `at` (UTC)."""

    at: datetime


class Composed(NamedTuple):
    """The message, and those of the same day that it carries along."""

    channel: Channel
    sent_to: str
    locale: str
    written: Written
    visits: list[Appointment]
    carried: list[Notification]


def compose(session: Session, message: Notification) -> Composed | Void | Unreachable | Later:
    """What to send for `message`, which is locked; the others it carries are locked too.

    The visit is held against changes until the claim is committed: what is sent was true then.
    """
    if message.kind is MessageKind.REPLY:
        written = message_texts.reply(session, message)
        to, locale = message.details["to"], message.details["locale"]
        return Composed(Channel.SMS, to, locale, written, [], [])
    visit = _visit(session, message.appointment_id)
    if visit is None or not _is_of_its_time(message, visit):
        return Void("the visit has moved")
    if why := _untrue(session, message, visit):
        return Void(why)
    told = recipients.of(session, visit.patient_id, rather=_SUITS.get(message.kind))
    if told is None or told.channel is None:
        return Unreachable("no such person" if told is None else told.why)
    if message.kind is MessageKind.REMINDER and not told.wants_reminders:
        return Void("no reminders are wanted")
    if later := _later(session, message, told):
        return Later(later)
    others = _others(session, message, visit, told) if message.kind in _JOINED else []
    its_visits = {each.id: each for each in [visit, *(its for _other, its in others)]}
    visits = sorted(its_visits.values(), key=lambda each: each.starts_at)
    written = message_texts.write(session, message, visits, told, news=_news(session, message, visit))
    return Composed(told.channel, told.sent_to, told.locale, written, visits, [each for each, _its in others])


def _news(session: Session, message: Notification, visit: Appointment) -> str:
    """What a message is to whoever knows what they were told before: the name of its template."""
    if message.kind is not MessageKind.MOVED:
        return message.kind.value
    before = _last_told(session, visit.id, but=message.id)
    if before is None:
        return "booked"
    return "changed" if before["starts_at"] == visit.starts_at.isoformat() else "moved"


def told_of(visit: Appointment) -> dict[str, Any]:
    """What whoever is told of a visit knows of it then, as the message's `details` keep it."""
    return {
        "starts_at": visit.starts_at.isoformat(),
        "doctor_id": visit.doctor_id,
        "location_id": visit.location_id,
    }


def _is_of_its_time(message: Notification, visit: Appointment) -> bool:
    """Whether a message is about the visit as it is now; what was paid stays paid wherever it moves."""
    return message.kind is MessageKind.RECEIPT or message.time_version == visit.time_version


def _visit(session: Session, appointment_id: int | None) -> Appointment | None:
    return session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id)
        .options(*WITH_PEOPLE)
        .with_for_update(read=True, of=Appointment)
        .execution_options(populate_existing=True)
    )


def _untrue(session: Session, message: Notification, visit: Appointment) -> str:
    """Why a message about `visit` would not be true, or of no use, "" where it is."""
    now, kind = clock.now(), message.kind
    if kind is MessageKind.RECEIPT:
        return ""
    if kind is MessageKind.PAYMENT_LINK and message.details.get("is_asked_by_desk"):
        return "" if ledger.owed(session, visit) else "there is nothing to pay"
    if visit.starts_at <= now:
        return "the visit has begun"
    if kind is MessageKind.CANCELLED:
        if visit.status is not AppointmentStatus.CANCELLED:
            return "the visit takes place"
        was_told = _last_told(session, visit.id, but=message.id) is not None
        is_news = was_told or not _was_taken_back(session, visit)
        return "" if is_news else "nobody was told of the visit"
    if kind is MessageKind.OFFER:
        offer = select(WaitlistOffer.state).where(WaitlistOffer.appointment_id == visit.id)
        return "" if session.scalar(offer) is OfferState.OPEN else "the offer is over"
    if kind is MessageKind.PAYMENT_LINK:
        is_unpaid = visit.payment_status in {PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID}
        is_held = visit.status is AppointmentStatus.PENDING
        return "" if is_held and is_unpaid else "there is nothing to pay"
    is_here = visit.status is AppointmentStatus.ARRIVED and message.details.get("is_answer")
    if visit.status is not AppointmentStatus.CONFIRMED and not is_here:
        return "the visit does not take place"
    if kind is MessageKind.CHOICE and not choice_links.is_open(session, message.details["link_id"]):
        return "the link is over"
    if kind is MessageKind.MOVED and _is_known(session, message, visit):
        return "the time is the one told before"
    return ""


def _was_taken_back(session: Session, visit: Appointment) -> bool:
    """Whether a cancelled visit was called off by its patient, or by whoever had booked it just before.

    Else they may know of it although we have told them nothing: from the screen, or from the telephone.
    """
    booked, cancelled = aliased(AppointmentEvent), aliased(AppointmentEvent)
    is_quick = (booked.by_user_id == cancelled.by_user_id) & (cancelled.at <= booked.at + GRACE)
    taken_back = (
        select(cancelled.id)
        .join(User, User.id == cancelled.by_user_id)
        .join(booked, booked.appointment_id == cancelled.appointment_id)
        .where(
            cancelled.appointment_id == visit.id,
            cancelled.kind == EventKind.CANCELLED,
            booked.kind.in_([EventKind.BOOKED, EventKind.OVERBOOKED]),
            (User.role == Role.PATIENT) | is_quick,
        )
    )
    return session.scalar(taken_back.limit(1)) is not None


def _is_known(session: Session, message: Notification, visit: Appointment) -> bool:
    """Whether all that `message` would tell was told before: a visit that was moved there and back."""
    before = _last_told(session, visit.id, but=message.id)
    return before is not None and told_of(visit).items() <= before.items()


def _last_told(session: Session, appointment_id: int | None, *, but: int) -> dict[str, Any] | None:
    """What somebody was told last of a visit by another message than `but`, None if never anything."""
    return session.scalar(
        select(Notification.details)
        .where(
            Notification.appointment_id == appointment_id,
            Notification.id != but,
            Notification.kind.in_(_TELLING),
            Notification.status.in_(TOLD),
        )
        .order_by(Notification.attempted_at.desc().nulls_last(), Notification.id.desc())
        .limit(1)
    )


def _later(session: Session, message: Notification, told: Recipient) -> datetime | None:
    """When the night is over, unless that would be too late for what is no reminder."""
    if message.kind in _AT_ANY_HOUR or message.details.get("is_answer"):
        return None
    now, quiet = clock.now(), told.quiet(clinics.settings(session))
    if not quiet.holds(now):
        return None
    morning = quiet.over_at(now)
    is_too_late = message.expires_at is not None and morning > message.expires_at - TO_ACT
    return None if is_too_late and message.kind is not MessageKind.REMINDER else morning


def _others(
    session: Session, message: Notification, visit: Appointment, told: Recipient
) -> list[tuple[Notification, Appointment]]:
    """Waiting messages of the same kind which one text tells as well: of that day, or of the same series."""
    zone, patient = clinics.zone(session), aliased(Patient)
    on = visit.starts_at.astimezone(zone).date()
    same_day = func.date(func.timezone(zone.key, Appointment.starts_at)) == on
    is_together = same_day
    if visit.series_id is not None and message.kind is not MessageKind.REMINDER:
        is_together = or_(same_day, Appointment.series_id == visit.series_id)
    family = or_(patient.id == told.family_id, patient.guardian_id == told.family_id)
    rows = session.scalars(
        select(Notification)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(patient, patient.id == Appointment.patient_id)
        .where(
            Notification.kind == message.kind,
            Notification.status == NotificationStatus.PENDING,
            Notification.id != message.id,
            Notification.time_version == Appointment.time_version,
            Notification.details["minutes"].astext.is_not_distinct_from(_minutes(message)),
            is_together,
            family,
        )
        .order_by(Notification.id)
        .with_for_update(skip_locked=True, of=Notification)
    ).all()
    locked = [(other, _visit(session, other.appointment_id)) for other in rows]
    return [
        (other, its)
        for other, its in locked
        if its is not None
        and other.time_version == its.time_version
        and not _untrue(session, other, its)
        and _news(session, other, its) == _news(session, message, visit)
    ]


def _minutes(message: Notification) -> str | None:
    minutes = message.details.get("minutes")
    return None if minutes is None else str(minutes)
