"""A clinic that sends texts, its people and its clock: Twilio's SDK, and the sandbox's phones."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import (
    appointments,
    deliveries,
    delivery_reports,
    inbound_texts,
    message_wordings,
    reminders,
    replies,
)
from core.access import Actor
from core.twilio_sms import TwilioSms
from db.config import config
from db.models import Appointment, InboundMessage, Notification, NotificationStatus, Patient, User
from db.session import unit_of_work
from tests import make
from tests.cast import NOW, Cast, assemble, on
from tests.phones import Phones

ADA, GRETA = "+4930111111", "+4930222222"
BEN_MAIL = "ben@example.org"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEN = on(5, 10)  # four days ahead


@dataclass
class Post:
    """Everybody, with Ada and Greta (who has a child) reached by text and Ben by email; one movable clock."""

    database: Engine
    cast: Cast
    phones: Phones
    sms: TwilioSms
    now: datetime = NOW
    mail: list[dict[str, Any]] = field(default_factory=list)

    def send(self, *, to: str, subject: str, body: str, key: str, calendar: bytes | None = None) -> None:
        """The mail server."""
        self.mail.append({"to": to, "subject": subject, "body": body, "key": key, "calendar": calendar})

    def tick(self, by: timedelta = 4 * MINUTE) -> None:
        self.now += by
        self.phones.sandbox.set_clock(self.now)

    def book(self, actor: Actor | None = None, at: datetime = TEN, **changes: object) -> int:
        """A visit booked in the portal, with Dr. Roth unless told; its number."""
        actor = actor or self.cast.ada
        wanted = {"patient_id": actor.patient_ids[0] if actor.patient_ids else 0, "starts_at": at}
        wanted |= {"doctor_id": self.cast.dr_roth.id, "service_id": self.cast.checkup.id} | changes
        with unit_of_work(self.database) as session:
            return appointments.book(session, actor, **wanted).id

    def move(self, visit_id: int, at: datetime, actor: Actor | None = None) -> None:
        with unit_of_work(self.database) as session:
            appointments.reschedule(session, actor or self.cast.ada, appointment_id=visit_id, starts_at=at)

    def cancel(self, visit_id: int, actor: Actor | None = None) -> None:
        with unit_of_work(self.database) as session:
            appointments.cancel(session, actor or self.cast.ada, appointment_id=visit_id, reason="ill")

    def write_own(self, locale: str, text: str) -> None:
        """Have the clinic tell of a booking in its own words."""
        with unit_of_work(self.database) as session:
            message_wordings.save(session, self.cast.admin, name="booked", locale=locale, text=text)

    def speaks(self, actor: Actor, locale: str) -> None:
        with unit_of_work(self.database) as session:
            session.get_one(User, actor.user_id).locale = locale

    def turn(self) -> None:
        """One turn of every job that has to do with messages."""
        inbound_texts.read_new(self.sms)
        replies.answer_waiting()
        self._send()

    def _send(self) -> None:
        with unit_of_work(self.database) as session:
            reminders.remind(session)
        deliveries.send_waiting(self, self.sms)
        delivery_reports.follow(self.sms)

    def pass_time(self, until: datetime, every: timedelta = HOUR) -> None:
        """Let time pass until then, with the jobs running; nobody texts us meanwhile."""
        while self.now < until:
            self.tick(min(every, until - self.now))
            self._send()
        self.turn()

    def reply(self, number: str, body: str) -> InboundMessage:
        """Text us, and let the jobs have a turn; what was made of it."""
        number_of_it = self.phones.reply(number, body, to=self.sms.sender)
        self.tick(timedelta(seconds=30))
        self.turn()
        with Session(self.database, expire_on_commit=False) as session:
            own = select(InboundMessage).where(InboundMessage.provider_id == number_of_it)
            return session.scalars(own).one()

    def texts(self, number: str = ADA) -> list[str]:
        """What was sent to a number, oldest first."""
        return self.phones.texts_to(number)

    def visit(self, visit_id: int) -> Appointment:
        with Session(self.database, expire_on_commit=False) as session:
            return session.get_one(Appointment, visit_id)

    def messages(self, visit_id: int | None = None) -> list[Notification]:
        """The outbox in order, of one visit or all."""
        with Session(self.database, expire_on_commit=False) as session:
            query = select(Notification).order_by(Notification.id)
            if visit_id is not None:
                query = query.where(Notification.appointment_id == visit_id)
            return list(session.scalars(query))

    def states(self, visit_id: int | None = None) -> list[tuple[str, NotificationStatus]]:
        """Kind and status of each message, in order."""
        return [(each.kind.value, each.status) for each in self.messages(visit_id)]


@contextmanager
def scene(database: Engine, phones: Phones, patch: pytest.MonkeyPatch, **settings: object) -> Iterator[Post]:
    """Monday morning at eight, in a clinic called Linden Clinic that reminds 48 and 3 hours before."""
    for name, value in phones.environment(SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example").items():
        patch.setenv(name, value)
    config.cache_clear()
    with unit_of_work(database) as session:
        cast = assemble(session)
        make.clinic(session, **settings)
        reached(session, cast.ada, phone=ADA)
        reached(session, cast.guardian, phone=GRETA)
        reached(session, cast.ben, email=BEN_MAIL)
    made = Post(database, cast, phones, phones.sms())
    patch.setattr("core.clock.now", lambda: made.now.astimezone(UTC))
    made.tick(timedelta())
    yield made
    phones.sandbox.set_clock(None)


def reached(session: Session, actor: Actor, *, phone: str | None = None, email: str | None = None) -> None:
    """Have somebody reached by text, with their consent, or by a verified email."""
    account = session.get_one(User, actor.user_id)
    account.phone, account.email = phone, email
    account.sms_consent_at = NOW if phone else None
    account.email_verified_at = NOW if email else None
    patient = session.get_one(Patient, actor.patient_ids[0])
    patient.phone, patient.email = phone, email
    session.flush()
