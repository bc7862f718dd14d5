"""Who has sent a text, and what comes of it in any case: an answer of ours, or a case for the desk."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from core import agendas, announcements, clinics, clock, recipients
from core.i18n import clock_time, day_and_time, speaking
from core.recipients import Recipient
from db.config import config
from db.models import Appointment, InboundMessage, InboundState

PATH = "/my_appointments"


class Texter(NamedTuple):
    """Who has sent a text: the patients it may be about, and how the first of them is told things.

    `family_id` is None where several share the phone: what one of them wrote is in nobody's record.
    """

    patient_ids: list[int]
    family_id: int | None
    told: Recipient | None
    visits: list[Appointment]
    clinics_locale: str

    @property
    def locale(self) -> str:
        """The language of whoever has the phone; where that is not known, the clinic's."""
        return self.told.locale if self.told else self.clinics_locale


def of(session: Session, phone: str) -> Texter:
    """Whom a text from `phone` may be about."""
    patient_ids = recipients.reached_at(session, phone)
    families = {told.family_id: told for each in patient_ids if (told := recipients.of(session, each))}
    visits = agendas.confirmed_ahead(session, patient_ids)
    family_id = next(iter(families)) if len(families) == 1 else None
    told = next(iter(families.values()), None)
    return Texter(patient_ids, family_id, told, visits, clinics.settings(session).locale)


def to_desk(inbound: InboundMessage, why: str) -> None:
    """Have a person deal with a text."""
    inbound.state, inbound.why = InboundState.AT_DESK, why


def reply(
    session: Session,
    inbound: InboundMessage,
    texter: Texter,
    template: str,
    visit: Appointment | None,
    *,
    amount: str = "",
) -> None:
    """Answer in the language of whoever has the phone."""
    zone, locale = clinics.zone(session), texter.locale
    with speaking(locale):
        values = {
            "when": day_and_time(visit.starts_at, zone) if visit else "",
            "link": config().public_url + PATH,
            "amount": amount,
            "until": clock_time(inbound.asked_until or clock.now(), zone),
        }
    announcements.answered(
        session,
        visit,
        to=inbound.sender,
        template=template,
        locale=locale,
        inbound_id=inbound.id,
        patient_id=inbound.patient_id,
        values=values,
    )
