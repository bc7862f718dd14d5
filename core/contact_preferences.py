"""How a patient wishes to be told about visits: by text or email, with reminders or not, in which zone."""

from typing import NamedTuple
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from core import access, audit, clock, phone_states, recipients
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.models import Channel, Patient, User

FROM_PORTAL, FROM_DESK, BY_PHONE, ON_PAPER = "portal", "at the desk", "on the phone", "on paper"
GIVEN_TO_DESK = (FROM_DESK, BY_PHONE, ON_PAPER)  # the ways in which the desk learns of a consent


class NumberMissing(ClinicError):
    message = N_("There is no phone number to send texts to.")


class UnknownZone(ClinicError):
    message = N_("There is no such time zone.")


class UnknownChannel(ClinicError):
    message = N_("Messages go by text or by email.")


class UnknownConsent(ClinicError):
    message = N_("Please say how the consent to texts was given.")


class Preferences(NamedTuple):
    """What is wished, and what comes of it: `reached` by which channel and where, or why nothing arrives."""

    contact_by: Channel | None
    wants_texts: bool
    wants_reminders: bool
    time_zone: str | None
    phone: str | None
    has_opted_out: bool
    is_unreachable: bool
    reached_by: Channel | None
    sent_to: str
    why_not: str


def of(session: Session, actor: Actor, *, patient_id: int) -> Preferences:
    """How a patient is told. Of a child, it is the guardian who is. Raises `NotFound`, `AccessDenied`."""
    access.require(actor, Action.SEE_MESSAGES, patient_id=patient_id)
    patient, account = _who(session, patient_id)
    phone = account.phone if account else patient.phone
    consent = account.sms_consent_at if account else patient.sms_consent_at
    state = phone_states.of(session, phone)
    told = recipients.of(session, patient_id)
    if told is None:
        raise NotFound
    return Preferences(
        contact_by=Channel(patient.contact_by) if patient.contact_by else None,
        wants_texts=consent is not None,
        wants_reminders=patient.wants_reminders,
        time_zone=patient.time_zone,
        phone=phone,
        has_opted_out=state is not None and state.opted_out_at is not None,
        is_unreachable=state is not None and state.unreachable_at is not None,
        reached_by=told.channel,
        sent_to=told.sent_to,
        why_not=told.why,
    )


def save(
    session: Session,
    actor: Actor,
    *,
    patient_id: int,
    contact_by: str | None,
    wants_texts: bool,
    wants_reminders: bool,
    time_zone: str | None,
    given: str = FROM_DESK,
) -> None:
    """Keep a patient's wishes, and since when and how they agreed to texts: `given` is how the desk knows.

    Who agrees again after having texted STOP has that undone here, where the number is known to be theirs;
    the phone company has to be texted START as well. Raises `NumberMissing`, `UnknownZone`, `UnknownChannel`,
    `UnknownConsent`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.SET_CONTACT, patient_id=patient_id)
    patient, account = _who(session, patient_id)
    phone = account.phone if account else patient.phone
    if wants_texts and not phone:
        raise NumberMissing
    if time_zone is not None and time_zone not in available_timezones():
        raise UnknownZone
    if contact_by is not None and contact_by not in set(Channel):
        raise UnknownChannel
    if given not in GIVEN_TO_DESK:
        raise UnknownConsent
    owner: User | Patient = account or patient
    if wants_texts != (owner.sms_consent_at is not None):
        owner.sms_consent_at = clock.now() if wants_texts else None
        source = given if actor.is_desk else FROM_PORTAL
        owner.sms_consent_source = source if wants_texts else None
        is_theirs = actor.is_desk or (account is not None and account.phone_verified_at is not None)
        if wants_texts and phone and is_theirs:
            phone_states.forget_opt_out(session, phone)
    patient.contact_by, patient.wants_reminders = contact_by, wants_reminders
    patient.time_zone = time_zone
    session.flush()
    audit.record(
        session,
        actor,
        Action.SET_CONTACT,
        kind="patient",
        number=patient_id,
        patient_id=patient_id,
        sms_consent=wants_texts,
        contact_by=contact_by,
        reminders=wants_reminders,
    )


def _who(session: Session, patient_id: int) -> tuple[Patient, User | None]:
    patient = session.get(Patient, patient_id)
    if patient is None or patient.erased_at is not None:
        raise NotFound
    return patient, session.get(User, patient.user_id) if patient.user_id else None
