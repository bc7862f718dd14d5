"""A doctor's visits in the calendar program of a phone: a secret address that it reads by itself.

Whoever knows the address reads who comes when, by initials and nothing else. So it can be ended at any time,
and it reads nothing any more once the doctor has left.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from core import access, audit, calendars, clinics, clock, sign_ins
from core.access import Action, Actor
from core.availability import LONGEST_HORIZON
from core.errors import ClinicError, NotFound
from core.i18n import N_, use_locale
from db.models import Appointment, AppointmentStatus, CalendarFeed, Doctor, Role, User

MOST = 5  # at once: a phone, a tablet, the computer at home
PAST = timedelta(days=30)
_NOTED_EVERY = timedelta(minutes=5)
_LEFT_OUT = (AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED, AppointmentStatus.NO_SHOW)


class TooManyFeeds(ClinicError):
    message = N_("There are {count} calendar addresses already. Please end one that nobody uses.")


def listed(session: Session, actor: Actor, *, doctor_id: int) -> list[CalendarFeed]:
    """The doctor's addresses that can be read, the newest first. What they are is not known any more."""
    access.require(actor, Action.SUBSCRIBE, doctor_id=doctor_id)
    return list(
        session.scalars(
            select(CalendarFeed)
            .where(CalendarFeed.doctor_id == doctor_id, CalendarFeed.revoked_at.is_(None))
            .order_by(CalendarFeed.created_at.desc(), CalendarFeed.id.desc())
        )
    )


def make(session: Session, actor: Actor, *, doctor_id: int) -> str:
    """A new secret for the doctor's visits, which is told once and never again. Raises `TooManyFeeds`."""
    access.require(actor, Action.SUBSCRIBE, doctor_id=doctor_id)
    session.scalar(select(Doctor.id).where(Doctor.id == doctor_id).with_for_update())  # one after the other
    if len(listed(session, actor, doctor_id=doctor_id)) >= MOST:
        raise TooManyFeeds(count=MOST)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed(doctor_id=doctor_id, token_hash=sign_ins.hashed(token), created_at=clock.now())
    session.add(feed)
    session.flush()
    audit.record(session, actor, Action.SUBSCRIBE, kind="calendar", number=feed.id, doctor_id=doctor_id)
    return token


def revoke(session: Session, actor: Actor, *, feed_id: int) -> None:
    """End an address: from now on it reads nothing. Raises `NotFound`, `AccessDenied`."""
    feed = session.get(CalendarFeed, feed_id, with_for_update=True)
    if feed is None:
        raise NotFound
    access.require(actor, Action.SUBSCRIBE, doctor_id=feed.doctor_id)
    if feed.revoked_at is None:
        feed.revoked_at = clock.now()
        audit.record(
            session, actor, Action.SUBSCRIBE, kind="calendar", number=feed.id, doctor_id=feed.doctor_id
        )


def read(session: Session, *, token: str, public_url: str) -> bytes | None:
    """The visits behind a secret as an .ics file, None where it is nobody's or was ended.

    They are those of the last 30 days and all that are ahead. When it was last read is noted now and then.
    """
    found = session.execute(
        select(CalendarFeed, User.locale)
        .join(Doctor, Doctor.id == CalendarFeed.doctor_id)
        .join(Doctor.user)
        .where(
            CalendarFeed.token_hash == sign_ins.hashed(token),
            CalendarFeed.revoked_at.is_(None),
            Doctor.is_active,
            User.is_active,
            User.role == Role.DOCTOR,
        )
    ).one_or_none()
    if found is None:
        return None
    feed, locale = found
    now = clock.now()
    if feed.last_read_at is None or now - feed.last_read_at > _NOTED_EVERY:
        feed.last_read_at = now
    use_locale(locale)
    return calendars.of_doctor(session, _visits(session, feed.doctor_id, now), public_url=public_url)


def _visits(session: Session, doctor_id: int, now: datetime) -> list[Appointment]:
    zone = clinics.zone(session)
    first = (now - PAST).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.doctor_id == doctor_id,
            Appointment.starts_at >= first,
            Appointment.starts_at < now + LONGEST_HORIZON,
            Appointment.status.not_in(_LEFT_OUT),
        )
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.service),
            joinedload(Appointment.location),
            joinedload(Appointment.room),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return list(rows)
