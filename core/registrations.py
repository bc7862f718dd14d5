"""Registering as a patient: a form, a code to the email address in it, and then an account.

Nothing is written into users and patients before the code has come back. Whether an address has an account is
told to that address only, never on the screen, where both answers look alike and take as long.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import (
    accounts,
    audit,
    clinics,
    clock,
    emails,
    letters,
    names,
    one_time_codes,
    passwords,
    patients,
    secrets_at_rest,
)
from core.errors import ClinicError
from core.i18n import N_, spoken
from core.one_time_codes import TooManyCodes
from core.phones import PhoneNotUnderstood, e164
from db.models import Channel, CodePurpose, Patient, Role, User, folded

CONSENT_SOURCE = "registration"


class OtherBrowser(ClinicError):
    message = N_(
        "That code belongs to a form that was filled in elsewhere. Please enter it in the same browser, "
        "or fill in the form again."
    )


class BrowserUnknown(ClinicError):
    message = N_("To register, please let your browser keep cookies of this portal, and open it again.")


class AlreadyRegistered(ClinicError):
    message = N_("There is an account with that address by now. Please sign in.")


def ask(
    session: Session,
    *,
    name: str,
    birth_on: date | None,
    phone: str,
    email: str,
    password: str,
    has_sms_consent: bool,
    browser: str,
) -> None:
    """Keep the form of somebody who wants an account, and send the code that will open it to `email`.

    The code works in the browser that holds the secret `browser` only: somebody else's form for the same
    address, with a password of theirs, is opened by nobody. An address with an account gets a mail that says
    so instead; to the person at the screen that looks the same. Raises what is wrong with the form: errors of
    `names`, `patients`, `phones`, `emails`, `passwords`; `BrowserUnknown` and `CannotSendCodes`.
    """
    if not browser:
        raise BrowserUnknown
    address = emails.folded(email)
    form = _checked(session, name, birth_on, phone, password)
    passwords.require_acceptable(password, about=(form["name"], address, clinics.settings(session).name))
    form |= {
        "password_hash": passwords.hashed(password),
        "browser": _bound(browser),
        "locale": spoken(),
        "consented_at": clock.now().isoformat() if has_sms_consent else None,
    }
    is_known = accounts.is_taken(session, address)
    try:
        # For a known address the code goes nowhere: it only counts, so that nobody is flooded with mail.
        code = one_time_codes.issue(
            session, CodePurpose.REGISTER, sent_to=address, payload=None if is_known else form
        )
    except TooManyCodes:
        return
    if is_known:
        letters.email(session, letters.KNOWN_ALREADY, to=address)
    else:
        letters.code(session, letters.REGISTER, purpose=CodePurpose.REGISTER, to=address, code=code)


def is_asking_over(session: Session, *, address: str | None, email: str, **form: Any) -> bool:
    """Count a form that is sent, in a transaction of its own before `ask`; whether there were too many.

    What is wrong with the form is raised first, since mending it should not make anybody wait; but for how
    easy the password is to guess, which takes a while to find out.
    """
    folded_email = emails.folded(email)
    _checked(session, form["name"], form["birth_on"], form["phone"], form["password"])
    return one_time_codes.is_asking_over(session, sent_to=folded_email, address=address)


def is_over(session: Session, *, email: str, address: str | None) -> bool:
    """Count a try at `confirm`, in a transaction of its own before it; whether there were too many."""
    return one_time_codes.is_over(
        session, CodePurpose.REGISTER, sent_to=emails.folded(email), address=address
    )


def confirm(session: Session, *, email: str, code: str, browser: str) -> User:
    """Open the account whose form was kept for `email`, now that its code has come back.

    Raises `CodeRefused`, `OtherBrowser`, and `AlreadyRegistered` when the address got an account in the
    meantime.
    """
    address = emails.folded(email)
    form = one_time_codes.redeem(session, CodePurpose.REGISTER, sent_to=address, code=code)
    if not form:
        raise one_time_codes.CodeRefused
    if form["browser"] != _bound(browser):
        raise OtherBrowser
    user = _opened(session, address, form)
    patient, is_linked = _patient_of(session, user, date.fromisoformat(form["birth_on"]))
    audit.record(
        session,
        None,
        audit.Event.REGISTER,
        kind="user",
        number=user.id,
        patient_id=patient.id,
        is_linked=is_linked,
        sms_consent=user.sms_consent_at is not None,
    )
    return user


def _bound(browser: str) -> str:
    return secrets_at_rest.keyed_hash("registration", browser).hex()


def _checked(session: Session, name: str, birth_on: date | None, phone: str, password: str) -> dict[str, Any]:
    """What of a form can be kept as it is, or what is wrong with it."""
    letters.require_sendable(session, Channel.EMAIL)
    given, born = names.cleaned(name), patients.possible_birth_date(session, birth_on)
    number = e164(session, phone)
    if number is None:
        raise PhoneNotUnderstood
    passwords.require_length(password)
    return {"name": given, "birth_on": born.isoformat(), "phone": number}


def _opened(session: Session, address: str, form: dict[str, Any]) -> User:
    consented_at = form["consented_at"] and datetime.fromisoformat(form["consented_at"])
    user: User | None = session.scalar(
        insert(User)
        .values(
            username=address,
            email=address,
            email_verified_at=clock.now(),
            password_hash=form["password_hash"],
            role=Role.PATIENT,
            name=form["name"],
            name_folded=folded(form["name"]),
            phone=form["phone"],
            locale=form["locale"],
            sms_consent_at=consented_at,
            sms_consent_source=CONSENT_SOURCE if consented_at else None,
        )
        .on_conflict_do_nothing()
        .returning(User)
    )
    if user is None:
        raise AlreadyRegistered
    return user


def _patient_of(session: Session, user: User, birth_on: date) -> tuple[Patient, bool]:
    """The patient row of a new account, and whether the clinic had it already.

    A record that is there is joined only if nobody has it, it is nobody's dependant, and name, birth date and
    the address just verified are all on it; and only if there is exactly one such.
    """
    fitting = session.scalars(
        select(Patient)
        .where(
            Patient.user_id.is_(None),
            Patient.guardian_id.is_(None),
            Patient.erased_at.is_(None),
            Patient.name_folded == user.name_folded,
            Patient.birth_on == birth_on,
            Patient.email.is_not(None),
        )
        .with_for_update()
    ).all()
    own = [patient for patient in fitting if (patient.email or "").strip().lower() == user.email]
    if len(own) == 1:
        own[0].user_id = user.id
        session.flush()
        return own[0], True
    patient = Patient(
        user_id=user.id,
        name=user.name,
        birth_on=birth_on,
        phone=user.phone,
        email=user.email,
        locale=user.locale,
    )
    session.add(patient)
    session.flush()
    return patient, False
