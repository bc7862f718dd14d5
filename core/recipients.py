"""Who is told about a visit, and how: by text where that is wanted and possible, else by email.

A child's messages go to its guardian, whatever address the child has itself. The email is the verified one
of the account, else what the desk wrote down, else what the account has. A text needs consent and a number
that has not opted out and takes texts; what is known of a number holds for whoever has it.
"""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clinics, notifications
from core.quiet_hours import Quiet
from db.config import config
from db.models import Channel, ClinicSettings
from db.session import run


class Recipient(NamedTuple):
    """Whom a patient's messages reach. `channel` is None where nothing does; `why` says what is amiss."""

    family_id: int  # the number of the patient who is told: the guardian, or the patient
    name: str
    channel: Channel | None
    sent_to: str
    locale: str
    zone: ZoneInfo
    wants_reminders: bool
    has_account: bool
    why: str = ""

    def quiet(self, settings: ClinicSettings) -> Quiet:
        """The night, where this person is."""
        return Quiet(settings.quiet_from, settings.quiet_until, self.zone)


# A number that somebody typed and agreed to texts for may be a stranger's by a slip, until a code came back.
BY_ONESELF = ("registration", "profile", "portal")
_REACHED = """
SELECT told.id, told.name, coalesce(u.phone, told.phone),
       CASE WHEN u.email_verified_at IS NOT NULL THEN u.email ELSE coalesce(told.email, u.email) END,
       coalesce(u.locale, told.locale), told.time_zone, told.contact_by, told.wants_reminders,
       coalesce(CASE WHEN u.id IS NULL THEN told.sms_consent_at ELSE u.sms_consent_at END IS NOT NULL, false),
       u.phone_verified_at IS NULL AND coalesce(u.sms_consent_source = ANY(%(by_oneself)s), false),
       s.opted_out_at IS NOT NULL, s.unreachable_at IS NOT NULL,
       coalesce(u.is_active, false), told.erased_at IS NOT NULL
FROM patients p
JOIN patients told ON told.id = coalesce(p.guardian_id, p.id)
LEFT JOIN users u ON u.id = told.user_id
LEFT JOIN phone_states s ON s.phone = coalesce(u.phone, told.phone)
WHERE p.id = %(patient_id)s
"""


class _Reached(NamedTuple):
    """What is known of whoever is told about a patient: the guardian, or the patient."""

    family_id: int
    name: str
    phone: str | None
    email: str | None
    locale: str
    zone: str | None
    wish: str | None
    wants_reminders: bool
    consents: bool
    is_unproven: bool
    has_opted_out: bool
    is_dead: bool
    has_account: bool
    is_erased: bool


def of(session: Session, patient_id: int, *, rather: Channel | None = None) -> Recipient | None:
    """Who is told about this patient's visits; None where there is no such patient any more.

    `rather` is the channel that suits a message best, whatever the person wishes for the others.
    """
    told = _reached(session, patient_id)
    if told is None:
        return None
    obstacle = _obstacle(told)
    channel = _channel(session, rather or told.wish, has_text=not obstacle, has_email=bool(told.email))
    return Recipient(
        family_id=told.family_id,
        name=told.name,
        channel=channel,
        sent_to={Channel.SMS: told.phone or "", Channel.EMAIL: told.email or "", None: ""}[channel],
        locale=told.locale,
        zone=ZoneInfo(told.zone) if told.zone else clinics.zone(session),
        wants_reminders=told.wants_reminders,
        has_account=told.has_account,
        why="" if channel else obstacle or "no address",
    )


def email_of(session: Session, patient_id: int) -> tuple[str | None, str]:
    """Where whoever is told about a patient reads email, None where nowhere, and in which language.

    For what is only ever an email, whatever is wished for messages about visits.
    """
    told = _reached(session, patient_id)
    return (None, clinics.settings(session).locale) if told is None else (told.email, told.locale)


def _reached(session: Session, patient_id: int) -> _Reached | None:
    rows = run(session, _REACHED, {"patient_id": patient_id, "by_oneself": list(BY_ONESELF)})
    found = _Reached(*rows[0]) if rows else None
    return None if found is None or found.is_erased else found


def _obstacle(told: _Reached) -> str:
    """Why no text is sent, "" where one is."""
    if not told.phone:
        return "no number"
    if told.has_opted_out:
        return "opted out"
    if told.is_dead:
        return "unreachable"
    if not told.consents:
        return "no consent"
    return "unproven" if told.is_unproven else ""


def _channel(session: Session, wish: str | None, *, has_text: bool, has_email: bool) -> Channel | None:
    can_text = has_text and config().sends_texts
    can_mail = has_email and notifications.can_send(session, Channel.EMAIL)
    if can_mail and (wish == Channel.EMAIL or not can_text):
        return Channel.EMAIL
    return Channel.SMS if can_text else None


def reached_at(session: Session, phone: str) -> list[int]:
    """The patients about whom a text from this number may be: whoever has it, and their dependants."""
    rows = session.execute(
        text("""
            WITH named AS (
                SELECT p.id FROM patients p LEFT JOIN users u ON u.id = p.user_id
                WHERE p.erased_at IS NULL AND (u.phone = :phone OR (u.id IS NULL AND p.phone = :phone)))
            SELECT id FROM named
            UNION SELECT p.id FROM patients p JOIN named ON p.guardian_id = named.id WHERE p.erased_at IS NULL
            ORDER BY 1
        """),
        {"phone": phone},
    )
    return list(rows.scalars())
