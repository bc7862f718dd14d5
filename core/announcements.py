"""What a patient is to be told about a visit: a row in the outbox, written in the transaction that causes it.

A row says only what it is about. Who is told, how, and in which words follows when it is claimed
(`core.compositions`), and so does whether it is still true (`core.message_truths`): a visit that has moved
meanwhile voids it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import clinics, clock
from db.models import Appointment, ChoiceLink, MessageKind, Notification, NotificationStatus, Payment
from db.session import run

GRACE = timedelta(minutes=3)  # so that a quick change sends one message
RECEIPT_LASTS = timedelta(days=3)
REPLY_LASTS = timedelta(hours=1)
HAND_WRITTEN_LASTS = timedelta(hours=12)

# One of a key, ever: a repeated scan or click adds nothing.
_INSERT = """
    INSERT INTO notifications (
        kind, key, patient_id, appointment_id, time_version, details, send_after, created_at, expires_at,
        channel, sent_to, subject, body, is_secret, status, attempts)
    VALUES (%(kind)s, %(key)s, %(patient_id)s, %(appointment_id)s, %(time_version)s, %(details)s,
            %(send_after)s, %(created_at)s, %(expires_at)s, 'sms', '', '', '', %(is_secret)s, 'pending', 0)
    ON CONFLICT (key) DO NOTHING RETURNING id
"""


def booked(session: Session, appointment: Appointment) -> None:
    """Tell that a visit is booked and confirmed."""
    enqueue(session, appointment, MessageKind.BOOKED, send_after=clock.now() + GRACE)


def moved(session: Session, appointment: Appointment) -> None:
    """Tell the new time of a visit; where nothing was told before, it is simply booked."""
    enqueue(session, appointment, MessageKind.MOVED, send_after=clock.now() + GRACE)


def cancelled(session: Session, appointment: Appointment) -> None:
    """Tell that a visit does not take place, where it was ever told that it does.

    At once where its hour has come: the patient is on the way, or waits.
    """
    now = clock.now()
    if appointment.starts_at > now + GRACE:
        enqueue(session, appointment, MessageKind.CANCELLED, send_after=now + GRACE)
        return
    ends_at = now + HAND_WRITTEN_LASTS
    details = {"is_of_now": True}
    enqueue(session, appointment, MessageKind.CANCELLED, send_after=now, expires_at=ends_at, details=details)


def held(session: Session, appointment: Appointment, *, is_at_once: bool = False) -> None:
    """Send the way to pay for a visit that is kept until then, if it is not paid soon, or `is_at_once`."""
    enqueue(
        session,
        appointment,
        MessageKind.PAYMENT_LINK,
        send_after=clock.now() + (timedelta() if is_at_once else GRACE),
        expires_at=appointment.hold_expires_at,
        detail=str(appointment.version),
    )


def offered(session: Session, appointment: Appointment) -> None:
    """Offer a time from the waitlist, which `appointment` holds, at once."""
    enqueue(
        session,
        appointment,
        MessageKind.OFFER,
        send_after=clock.now(),
        expires_at=appointment.hold_expires_at,
    )


def choice(session: Session, appointment: Appointment, link: ChoiceLink) -> None:
    """Send the link with which the patient chooses another time."""
    enqueue(
        session,
        appointment,
        MessageKind.CHOICE,
        send_after=clock.now(),
        expires_at=link.expires_at,
        detail=str(link.id),
        details={"link_id": link.id},
        is_secret=True,
    )


def stays(session: Session, appointment: Appointment, link: ChoiceLink) -> None:
    """Tell whoever was sent a link to choose another time that the visit takes place as it was booked."""
    was_told = select(Notification.id).where(
        Notification.appointment_id == appointment.id,
        Notification.kind == MessageKind.CHOICE,
        Notification.time_version == appointment.time_version,
        Notification.status.not_in([NotificationStatus.PENDING, NotificationStatus.CANCELLED]),
    )
    if session.scalar(was_told.limit(1)) is not None:
        enqueue(
            session,
            appointment,
            MessageKind.BOOKED,
            send_after=clock.now(),
            detail=f"stays:{link.id}",
        )


def received(session: Session, appointment: Appointment, payment: Payment) -> None:
    """Send the receipt of a payment."""
    now = clock.now()
    enqueue(
        session,
        appointment,
        MessageKind.RECEIPT,
        send_after=now,
        expires_at=now + RECEIPT_LASTS,
        key=f"payment:{payment.id}:receipt",
        details={"amount_minor": payment.amount_minor, "currency": payment.currency},
    )


def reminded(
    session: Session, appointment: Appointment, *, minutes: int, send_after: datetime, expires_at: datetime
) -> bool:
    """Have a reminder sent that is due `minutes` before the visit; whether it is a new one."""
    return enqueue(
        session,
        appointment,
        MessageKind.REMINDER,
        send_after=send_after,
        expires_at=expires_at,
        detail=str(minutes),
        details={"minutes": minutes},
    )


def tell_at_once(session: Session, appointment_id: int) -> bool:
    """Send what was just written about a visit at once, at night too: its patient waits for it.

    Whether there was something to send.
    """
    found = session.execute(
        update(Notification)
        .where(
            Notification.appointment_id == appointment_id,
            Notification.kind.in_([MessageKind.BOOKED, MessageKind.CANCELLED, MessageKind.PAYMENT_LINK]),
            Notification.status == NotificationStatus.PENDING,
        )
        .values(
            send_after=clock.now(),
            details=Notification.details.concat({"is_answer": True}),
        )
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return bool(found.all())


def answered(
    session: Session,
    appointment: Appointment | None,
    *,
    to: str,
    template: str,
    locale: str,
    inbound_id: int,
    patient_id: int | None,
    values: Mapping[str, str],
) -> None:
    """Answer a text from `to` with the message called `template`, at once, with `values` in its blanks."""
    now = clock.now()
    details = {"template": template, "to": to, "locale": locale, "values": dict(values)}
    row = _row(appointment, MessageKind.REPLY, f"inbound:{inbound_id}:{template}", details)
    row |= {"patient_id": patient_id, "created_at": now, "send_after": now}
    run(session, _INSERT, row | {"expires_at": now + REPLY_LASTS})


def written_by_hand(session: Session, *, to: str, text: str, key: str, patient_id: int | None) -> None:
    """Send an answer that somebody at the desk has written; the clinic's name goes before it."""
    now = clock.now()
    # Braces are the writer's own, no blanks to fill in.
    words = "{clinic}: " + text.replace("{", "{{").replace("}", "}}")
    details = {"text": words, "to": to, "locale": clinics.settings(session).locale, "values": {}}
    row = _row(None, MessageKind.REPLY, key, details)
    row |= {"patient_id": patient_id, "created_at": now, "send_after": now}
    run(session, _INSERT, row | {"expires_at": now + HAND_WRITTEN_LASTS})


def enqueue(
    session: Session,
    appointment: Appointment,
    kind: MessageKind,
    *,
    send_after: datetime,
    expires_at: datetime | None = None,
    detail: str = "",
    key: str = "",
    details: Mapping[str, object] | None = None,
    is_secret: bool = False,
) -> bool:
    """Add a message about a visit unless there is one of its `key` already; whether it was added.

    The key is the visit, the version of its time, the kind and `detail`, unless one is given. What is secret
    in a message does not stay in the database once it is sent.
    """
    own_key = f"visit:{appointment.id}:{appointment.time_version}:{kind}" + (detail and f":{detail}")
    row = _row(appointment, kind, key or own_key, details or {}) | {"is_secret": is_secret}
    row |= {"created_at": clock.now(), "send_after": send_after}
    return bool(run(session, _INSERT, row | {"expires_at": expires_at or appointment.starts_at}))


def _row(
    appointment: Appointment | None, kind: MessageKind, key: str, details: Mapping[str, object]
) -> dict[str, object]:
    return {
        "kind": kind,
        "key": key,
        "patient_id": appointment and appointment.patient_id,
        "appointment_id": appointment and appointment.id,
        "time_version": appointment and appointment.time_version,
        "details": Jsonb(details),
        "is_secret": False,
    }
