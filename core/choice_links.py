"""The secret links with which patients choose another time. Only a link's hash is in the database.

The secret itself follows from the link's number and SECRET_KEY: the message that carries it is written when
it is sent, and nothing needs to keep it until then.
"""

import hashlib
from base64 import b32encode
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, selectinload

from core import clock, secrets_at_rest
from db.models import Appointment, AppointmentStatus, ChoiceLink, ChoiceTime

_DOUBLE_CLICK = timedelta(minutes=1)
_BYTES = 10  # 80 bits, sixteen letters: nobody guesses one, and a text stays short


def make(
    session: Session,
    visit: Appointment,
    times: list[tuple[int, datetime]],
    *,
    expires_at: datetime,
    by_user_id: int | None,
) -> ChoiceLink:
    """A new link for a visit, which its caller has locked, in place of an earlier one."""
    end(session, visit.id)
    number = session.scalar(text("SELECT nextval(pg_get_serial_sequence('choice_links', 'id'))"))
    link = ChoiceLink(
        id=number,
        appointment_id=visit.id,
        time_version=visit.time_version,
        token_hash=_hashed(token(int(number or 0))),
        created_at=clock.now(),
        expires_at=expires_at,
        by_user_id=by_user_id,
        times=[ChoiceTime(doctor_id=doctor_id, starts_at=at) for doctor_id, at in times],
    )
    session.add(link)
    session.flush()
    return link


def end(session: Session, appointment_id: int) -> None:
    """Let nobody choose with a visit's link any more, if it has one."""
    session.execute(
        update(ChoiceLink)
        .where(ChoiceLink.appointment_id == appointment_id, ChoiceLink.ended_at.is_(None))
        .values(ended_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )


def asked(session: Session, visit: Appointment) -> ChoiceLink | None:
    """The link with which a visit's patient was asked to choose another time than this, and has not yet.

    Also one that has expired: they have been told that the visit cannot take place all the same.
    """
    return session.scalar(
        select(ChoiceLink).where(
            ChoiceLink.appointment_id == visit.id,
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.time_version == visit.time_version,
        )
    )


def token(number: int) -> str:
    """The secret of a link by its number."""
    return b32encode(secrets_at_rest.keyed_hash("choice", str(number))[:_BYTES]).decode().lower()


def path(number: int) -> str:
    """Where on the portal one chooses with a link."""
    return f"/choose_time?link={token(number)}"


def is_open(session: Session, number: int) -> bool:
    """Whether a link can be used still, as far as it goes by itself."""
    query = select(ChoiceLink.id).where(
        ChoiceLink.id == number, ChoiceLink.ended_at.is_(None), ChoiceLink.expires_at > clock.now()
    )
    return session.scalar(query) is not None


def opened(session: Session, secret: str) -> ChoiceLink | None:
    """The link with this secret while it is open and its visit is as it was; None for any other."""
    return session.scalar(
        select(ChoiceLink)
        .join(Appointment, Appointment.id == ChoiceLink.appointment_id)
        .where(
            ChoiceLink.token_hash == _hashed(secret),
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.expires_at > clock.now(),
            ChoiceLink.time_version == Appointment.time_version,
            Appointment.status == AppointmentStatus.CONFIRMED,
        )
        .options(selectinload(ChoiceLink.times))
        .execution_options(populate_existing=True)
    )


def moved_by(session: Session, secret: str) -> Appointment | None:
    """The visit that the link with this secret has moved, while it stands as it was moved."""
    return session.scalar(
        select(Appointment)
        .join(ChoiceLink, ChoiceLink.appointment_id == Appointment.id)
        .where(
            ChoiceLink.token_hash == _hashed(secret),
            ChoiceLink.expires_at > clock.now(),
            ChoiceLink.time_version + 1 == Appointment.time_version,
            Appointment.status == AppointmentStatus.CONFIRMED,
        )
        .execution_options(populate_existing=True)
    )


def just_made(
    session: Session, visit: Appointment, times: list[tuple[int, datetime]], *, by_user_id: int
) -> ChoiceLink | None:
    """The open link to a visit, which its caller has locked, if this person has just made it for them."""
    link = session.scalar(
        select(ChoiceLink)
        .where(
            ChoiceLink.appointment_id == visit.id,
            ChoiceLink.ended_at.is_(None),
            ChoiceLink.time_version == visit.time_version,
            ChoiceLink.by_user_id == by_user_id,
            ChoiceLink.created_at > clock.now() - _DOUBLE_CLICK,
        )
        .options(selectinload(ChoiceLink.times))
        .execution_options(populate_existing=True)
    )
    offered = {(each.doctor_id, each.starts_at) for each in link.times} if link else set()
    return link if offered == set(times) else None


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
