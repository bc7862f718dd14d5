"""The wording of messages about accounts. They name the clinic, and hold nothing about anybody's health."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import clinics, clock, notifications, one_time_codes, sms_lengths
from core.errors import ClinicError
from core.i18n import N_, _, speaking, spoken
from core.phones import shown
from db.config import config
from db.models import Channel, CodePurpose, User


class CannotSendCodes(ClinicError):
    message = N_("This clinic cannot send codes yet. Please ask reception.")

    def __str__(self) -> str:
        if not self.values.get("phone"):
            return super().__str__()
        return _("This clinic cannot send codes yet. Please call {phone}.").format(**self.values)


class NoMailServer(CannotSendCodes):
    message = N_("There is no mail server yet. Set SMTP_URL and MAIL_FROM, and start the portal again.")


class Letter(NamedTuple):
    """Subject and text, to be translated and filled in."""

    subject: str
    text: str


REGISTER = Letter(
    N_("Your code for {clinic}"),
    N_(
        "Welcome to {clinic}.\n\nYour code is {code}. It works once, for {minutes} minutes.\n\n"
        "If you did not ask for an account, you need not do anything: none is made without the code."
    ),
)
KNOWN_ALREADY = Letter(
    N_("You have an account at {clinic} already"),
    N_(
        "Somebody, probably you, asked {clinic} to use this address for an account. You have one already.\n\n"
        'You can sign in at {address}. If you have forgotten your password, choose "Forgotten password?" '
        "there.\n\nIf it was not you, you need not do anything."
    ),
)
VERIFY_EMAIL = Letter(
    N_("Your code for {clinic}"),
    N_(
        "Your code is {code}. With it, {clinic} will write to this address from now on. It works once, for "
        "{minutes} minutes.\n\nIf you did not ask for it, you need not do anything."
    ),
)
VERIFY_PHONE = Letter("", N_("Your code for {clinic} is {code}. It works once, for {minutes} minutes."))
RESET = Letter(
    N_("A new password for {clinic}"),
    N_(
        "Your code is {code}. With it you can choose a new password at {address}/reset_password. "
        "It works once, for {minutes} minutes.\n\nIf you did not ask for it, you need not do anything: your "
        "password stays."
    ),
)
RESET_BY_PHONE = Letter(
    "", N_("Your code for a new password at {clinic} is {code}. It works once, for {minutes} minutes.")
)
INVITE = Letter(
    N_("Your account at {clinic}"),
    N_(
        "{name}, {clinic} has an account for you.\n\nOpen {address}/accept_invite and give this address and "
        "the code {code}. It works once, for {days} days."
    ),
)
PASSWORD_CHANGED = Letter(
    N_("Your password at {clinic} was changed"),
    N_(
        "The password of your account at {clinic} was changed, and whoever was signed in to it was signed "
        "out.\n\nIf it was not you, please tell reception at once."
    ),
)
EMAIL_CHANGED = Letter(
    N_("Your email address at {clinic} was changed"),
    N_(
        "{clinic} will write to another address from now on, as asked for in your account.\n\n"
        "If it was not you, please tell reception at once."
    ),
)
PHONE_CHANGED = Letter(
    N_("Your phone number at {clinic} was changed"),
    N_(
        "The phone number in your account at {clinic} was changed.\n\n"
        "If it was not you, please tell reception at once."
    ),
)
SECOND_FACTOR_OFF = Letter(
    N_("Signing in to {clinic} without a second step"),
    N_(
        "The second step of signing in to your account at {clinic} was turned off.\n\n"
        "If it was not you, please tell reception at once."
    ),
)
PAID_TOO_LATE = Letter(
    N_("Your payment to {clinic} comes back"),
    N_(
        "Your payment reached {clinic} when the time you had chosen was no longer kept for you, and you have "
        "no appointment then. {amount} goes back to your card; that can take some days.\n\n"
        "You can choose another time at {address}."
    ),
)


def require_sendable(session: Session, channel: Channel, *, by_admin: bool = False) -> None:
    """Raise `CannotSendCodes`, with the number to call instead, where no message would arrive.

    To an administrator, `NoMailServer`, which says what to do about it.
    """
    if not notifications.can_send(session, channel):
        if by_admin:
            raise NoMailServer
        raise CannotSendCodes(phone=shown(clinics.settings(session).phone))


def email(
    session: Session,
    letter: Letter,
    *,
    to: str,
    locale: str | None = None,
    expires_at: datetime | None = None,
    **values: object,
) -> None:
    """Queue `letter` to the address `to`, in the language `locale` or the one spoken here.

    With `expires_at` it carries a code, which is good until then.
    """
    with speaking(locale or spoken()):
        subject, text = _filled(session, letter, values)
    notifications.enqueue_email(
        session, to=to, subject=subject, body=text, is_secret=expires_at is not None, expires_at=expires_at
    )


def code(
    session: Session, letter: Letter, *, purpose: CodePurpose, to: str, code: str, locale: str | None = None
) -> None:
    """Queue a one-time code that was just issued for `purpose`, in `locale` or the language spoken here.

    A letter without a subject goes out as a text message, to a number in E.164.
    """
    life = one_time_codes.LIFE[purpose]
    expires_at, minutes = clock.now() + life, int(life.total_seconds() // 60)
    if letter.subject:
        email(session, letter, to=to, locale=locale, expires_at=expires_at, code=code, minutes=minutes)
        return
    settings = clinics.settings(session)
    values = {"clinic": settings.text_name or settings.name, "code": code, "minutes": minutes}
    with speaking(locale or spoken()):
        _subject, text = _filled(session, letter, values)
    body = sms_lengths.plainer(text)
    notifications.enqueue_sms(session, to=to, body=body, is_secret=True, expires_at=expires_at)


def notice(session: Session, letter: Letter, user: User) -> None:
    """Tell `user` what became of the account, at its verified address and in its language."""
    if user.email and user.email_verified_at:
        email(session, letter, to=user.email, locale=user.locale)


def _filled(session: Session, letter: Letter, values: dict[str, object]) -> tuple[str, str]:
    known = {"clinic": clinics.settings(session).name, "address": config().public_url} | values
    subject = _(letter.subject).format(**known) if letter.subject else ""
    return subject, _(letter.text).format(**known)
