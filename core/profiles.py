"""One's own profile. A new email address or phone counts once a code that was sent there has come back."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import (
    access,
    accounts,
    audit,
    clinics,
    clock,
    emails,
    letters,
    names,
    one_time_codes,
    passwords,
    throttles,
)
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from core.phones import PhoneNotUnderstood, e164
from db.models import Channel, CodePurpose, Patient, User

CONSENT_SOURCE = "profile"
_WHAT = "current password"


class LanguageUnknown(ClinicError):
    message = N_("Please choose one of the languages that the clinic offers.")


class EmailTaken(ClinicError):
    message = N_("That address belongs to another account.")


class NoPhoneForMessages(ClinicError):
    message = N_("Please give a phone number before you agree to text messages.")


def own(session: Session, actor: Actor) -> User:
    """The actor's own account, read afresh."""
    access.require(actor, Action.SEE_ACCOUNT, user_id=actor.user_id)
    return session.get_one(User, actor.user_id)


def save(session: Session, actor: Actor, *, name: str, locale: str, has_sms_consent: bool) -> None:
    """Change what needs no proof: name, language, and consent to text messages, with when and how.

    Nothing else of the account changes, whatever a form sends along. Raises `LanguageUnknown`,
    `NoPhoneForMessages`, errors of `names`.
    """
    user = changing(session, actor)
    given = names.cleaned(name)
    if locale not in clinics.offered_languages(session)[1] and locale != user.locale:
        raise LanguageUnknown
    had_consent = user.sms_consent_at is not None
    if has_sms_consent and not user.phone:
        raise NoPhoneForMessages
    user.name, user.locale = given, locale
    if has_sms_consent != had_consent:
        user.sms_consent_at = clock.now() if has_sms_consent else None
        user.sms_consent_source = CONSENT_SOURCE if has_sms_consent else None
    session.flush()
    for patient in session.scalars(select(Patient).where(Patient.user_id == user.id)):
        patient.name, patient.locale = given, locale
    _record(session, actor, audit.Event.PROFILE_CHANGED, sms_consent=has_sms_consent)


def is_over(session: Session, actor: Actor) -> bool:
    """Count a try at one's password, in a transaction of its own before it; whether there were too many."""
    return throttles.is_over(session, username=str(actor.user_id), address=actor.address, what=_WHAT)


def require_password(session: Session, user: User, password: str) -> None:
    """Ask for the password again before an account could change hands. Raises `WrongCurrentPassword`."""
    passwords.require_current(password, user.password_hash)
    throttles.forgive(session, username=str(user.id), what=_WHAT)


def ask_email(session: Session, actor: Actor, *, email: str, password: str) -> None:
    """Send a code to the new address `email`. One that has an account is told so, by mail, instead.

    Raises `WrongCurrentPassword`, `EmailNotUnderstood`, `TooManyCodes`, `CannotSendCodes`.
    """
    user = changing(session, actor)
    letters.require_sendable(session, Channel.EMAIL)
    address = emails.folded(email)
    require_password(session, user, password)
    code = one_time_codes.issue(session, CodePurpose.VERIFY_EMAIL, sent_to=address, user_id=user.id)
    if accounts.is_taken(session, address, but=user.id):
        letters.email(session, letters.KNOWN_ALREADY, to=address)
        return
    letters.code(session, letters.VERIFY_EMAIL, purpose=CodePurpose.VERIFY_EMAIL, to=address, code=code)


def ask_phone(session: Session, actor: Actor, *, phone: str, password: str) -> None:
    """Send a code to `phone` by text message. Raises as `ask_email` does, and `PhoneNotUnderstood`."""
    user = changing(session, actor)
    letters.require_sendable(session, Channel.SMS)
    number = e164(session, phone)
    if number is None:
        raise PhoneNotUnderstood
    require_password(session, user, password)
    code = one_time_codes.issue(session, CodePurpose.VERIFY_PHONE, sent_to=number, user_id=user.id)
    letters.code(session, letters.VERIFY_PHONE, purpose=CodePurpose.VERIFY_PHONE, to=number, code=code)


def awaited(session: Session, actor: Actor, purpose: CodePurpose) -> str | None:
    """The address or number whose code is awaited, None when none is."""
    access.require(actor, Action.SEE_ACCOUNT, user_id=actor.user_id)
    return one_time_codes.waiting_for(session, purpose, user_id=actor.user_id)


def is_code_over(session: Session, actor: Actor, *, purpose: CodePurpose) -> bool:
    """Count a try at a code, in a transaction of its own before it; whether there were too many."""
    sent_to = one_time_codes.waiting_for(session, purpose, user_id=actor.user_id)
    return one_time_codes.is_over(
        session, purpose, sent_to=sent_to or str(actor.user_id), address=actor.address
    )


def confirm_email(session: Session, actor: Actor, *, code: str) -> None:
    """Take the new address, now that its code has come back; the user name follows if it was the old one.

    The old address is told. Raises `CodeRefused`, `EmailTaken`.
    """
    user = changing(session, actor)
    address = _redeemed(session, user, CodePurpose.VERIFY_EMAIL, code)
    letters.notice(session, letters.EMAIL_CHANGED, user)
    try:
        with session.begin_nested():
            if user.username == user.email:
                user.username = address
            user.email, user.email_verified_at = address, clock.now()
    except IntegrityError:
        raise EmailTaken from None
    session.execute(update(Patient).where(Patient.user_id == user.id).values(email=address))
    _record(session, actor, audit.Event.VERIFY, what="email")


def confirm_phone(session: Session, actor: Actor, *, code: str) -> None:
    """Take the phone number, now that its code has come back. Raises `CodeRefused`."""
    user = changing(session, actor)
    number = _redeemed(session, user, CodePurpose.VERIFY_PHONE, code)
    if user.phone and user.phone != number:
        letters.notice(session, letters.PHONE_CHANGED, user)
    user.phone, user.phone_verified_at = number, clock.now()
    session.flush()
    session.execute(update(Patient).where(Patient.user_id == user.id).values(phone=number))
    _record(session, actor, audit.Event.VERIFY, what="phone")


def changing(session: Session, actor: Actor) -> User:
    """The actor's own account, for a service that changes it."""
    access.require(actor, Action.CHANGE_ACCOUNT, user_id=actor.user_id)
    return session.get_one(User, actor.user_id)


def _record(session: Session, actor: Actor, event: audit.Event, **detail: Any) -> None:
    own_patient = next(iter(actor.patient_ids), None)
    audit.record(session, actor, event, kind="user", number=actor.user_id, patient_id=own_patient, **detail)


def _redeemed(session: Session, user: User, purpose: CodePurpose, code: str) -> str:
    sent_to = one_time_codes.waiting_for(session, purpose, user_id=user.id)
    if sent_to is None:
        raise one_time_codes.CodeRefused
    one_time_codes.redeem(session, purpose, sent_to=sent_to, code=code, user_id=user.id)
    return sent_to
