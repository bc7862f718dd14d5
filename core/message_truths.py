"""Whether a message is still true when it is sent, and what of it is news to whoever gets it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core import choice_links, clock, ledger, strandings
from core.announcements import GRACE
from core.message_texts import TOLD
from db.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    MessageKind,
    Notification,
    OfferState,
    PaymentStatus,
    Role,
    User,
    WaitlistOffer,
)

TELLING = (MessageKind.BOOKED, MessageKind.MOVED, MessageKind.REMINDER)


def news(session: Session, message: Notification, visit: Appointment) -> str:
    """What a message is to whoever knows what they were told before: the name of its template."""
    if message.kind is not MessageKind.MOVED:
        return message.kind.value
    before = _last_told(session, visit.id, but=message.id)
    if before is None:
        return "booked" if _is_as_good_as_new(message, visit) else "moved"
    return "changed" if before["starts_at"] == visit.starts_at.isoformat() else "moved"


def _is_as_good_as_new(message: Notification, visit: Appointment) -> bool:
    """Whether a visit was moved before anybody could be told of its first time.

    Later they may know that one although we have told them nothing: from the screen, or from the telephone.
    """
    return message.created_at <= visit.created_at + GRACE


def told_of(visit: Appointment) -> dict[str, Any]:
    """What whoever is told of a visit knows of it then, as the message's `details` keep it."""
    return {
        "starts_at": visit.starts_at.isoformat(),
        "doctor_id": visit.doctor_id,
        "location_id": visit.location_id,
    }


def is_of_its_time(message: Notification, visit: Appointment) -> bool:
    """Whether a message is about the visit as it is now; what was paid stays paid wherever it moves."""
    return message.kind is MessageKind.RECEIPT or message.time_version == visit.time_version


def untrue(session: Session, message: Notification, visit: Appointment) -> str:
    """Why a message about `visit` would not be true, or of no use, "" where it is."""
    now, kind = clock.now(), message.kind
    if kind is MessageKind.RECEIPT:
        return ""
    if kind is MessageKind.PAYMENT_LINK and message.details.get("is_asked_by_desk"):
        return "" if ledger.owed(session, visit) else "there is nothing to pay"
    is_of_what_did_not_take_place = kind is MessageKind.CHOICE or message.details.get("is_of_now")
    if visit.starts_at <= now and not is_of_what_did_not_take_place:
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
    if kind is MessageKind.REMINDER and _cannot_be(session, visit):
        return "its patient is asked to choose another time"
    if kind is MessageKind.MOVED and _is_known(session, message, visit):
        return "the time is the one told before"
    return ""


def _cannot_be(session: Session, visit: Appointment) -> bool:
    """Whether the patient was told that the visit cannot take place then, and it is so still."""
    if choice_links.asked(session, visit) is None:
        return False
    return bool(strandings.find(session, appointment_id=visit.id))


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
            Notification.kind.in_(TELLING),
            Notification.status.in_(TOLD),
        )
        .order_by(Notification.attempted_at.desc().nulls_last(), Notification.id.desc())
        .limit(1)
    )
