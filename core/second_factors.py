"""The second factor: six digits from an app on the person's phone (TOTP, RFC 6238), or a recovery code.

A code counts once: the half-minute it belongs to is spent with it. A new phone's secret waits beside the old
one until a code of it has been given, so that nobody locks themselves out halfway.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import segno
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from core import audit, clinics, clock, random_codes, secrets_at_rest, throttles
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_
from db.models import ClinicSettings, RecoveryCode, Role, User

STEP_SECONDS = 30
DRIFT_STEPS = 1  # clocks differ, and people type slowly
RECOVERY_CODES = 10
RECOVERY_LENGTH = 10
PENDING_LIFE = timedelta(minutes=15)
_WHAT = "second factor"


class WrongCode(ClinicError):
    message = N_("That code does not fit. Please take the next one that your app shows, or a recovery code.")


class WrongFirstCode(WrongCode):
    message = N_("That code does not fit. Please take the next one that your app shows.")


class SecretUnreadable(ClinicError):
    """SECRET_KEY is another one than when the phone was set up."""

    message = N_("Your phone's code cannot be checked any more. Please ask an administrator to reset it.")


class NothingToConfirm(ClinicError):
    message = N_("That took too long. Please start again with a new QR code.")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs to make this account's codes: the secret as text, and in a QR code as an SVG."""

    secret: str
    svg: str


def is_required(clinic: ClinicSettings, role: Role) -> bool:
    """Whether the clinic wants a second factor of people of this role."""
    return clinic.requires_second_factor and role is not Role.PATIENT


def has(user: User) -> bool:
    """Whether `user` gives a code after the password."""
    return user.totp_confirmed_at is not None


def begin(session: Session, user: User) -> Enrolment:
    """Make a secret for the app on a phone. It counts once `confirm` was given one of its codes.

    Whoever calls has just checked the person's password.
    """
    user.totp_pending = secrets_at_rest.encrypted(pyotp.random_base32())
    session.flush()
    return _enrolment(session, user, secrets_at_rest.decrypted(user.totp_pending))


def pending(session: Session, user: User) -> Enrolment | None:
    """What `begin` made for `user` lately and `confirm` waits for; None when there is nothing."""
    secret = _pending_secret(user)
    return None if secret is None else _enrolment(session, user, secret)


def drop(session: Session, user: User) -> None:
    """Forget the secret that `begin` made and nobody confirmed."""
    user.totp_pending = None
    session.flush()


def confirm(session: Session, user: User, *, code: str, actor: Actor | None = None) -> list[str]:
    """Let the pending secret count, shown to work by one of its codes; ten new recovery codes, shown once.

    `actor` is None while the person is only signing in. Raises `WrongFirstCode`, `NothingToConfirm`.
    """
    secret = _pending_secret(user)
    if secret is None:
        raise NothingToConfirm
    step = _fitting_step(secret, random_codes.typed(code))
    if step is None:
        raise WrongFirstCode
    user.totp_secret, user.totp_pending = secrets_at_rest.encrypted(secret), None
    user.totp_confirmed_at, user.totp_last_step = clock.now(), step
    codes = _new_recovery_codes(session, user)
    audit.record(session, actor, audit.Event.SECOND_FACTOR_ON, kind="user", number=user.id)
    return codes


def is_over(session: Session, *, user_id: int, address: str | None) -> bool:
    """Count a try at `check`, in a transaction of its own before it; whether there were too many."""
    return throttles.is_over(session, username=str(user_id), address=address, what=_WHAT)


def check(session: Session, user: User, code: str, *, address: str | None = None) -> None:
    """Take a code of the app or a recovery code, each of which counts once.

    Raises `WrongCode`, `SecretUnreadable`.
    """
    given = random_codes.typed(code)
    if user.totp_secret is None or not has(user):
        raise WrongCode
    if len(given) == RECOVERY_LENGTH:
        _spend_recovery_code(session, user, given, address)
    else:
        _spend_step(session, user, given)
    throttles.forgive_here(session, username=str(user.id), address=address, what=_WHAT)


def turn_off(session: Session, user: User) -> None:
    """Forget the secrets and the recovery codes. Whoever calls has asked whether that may be."""
    user.totp_secret = user.totp_pending = user.totp_confirmed_at = user.totp_last_step = None
    session.flush()
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def _enrolment(session: Session, user: User, secret: str) -> Enrolment:
    issuer = clinics.settings(session).name.replace(
        ":", " "
    )  # a colon ends the issuer in this kind of address
    address = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=issuer)
    return Enrolment(secret, segno.make(address).svg_inline(scale=5, border=4, light="#ffffff"))


def _pending_secret(user: User) -> str | None:
    if user.totp_pending is None:
        return None
    return secrets_at_rest.decrypted_if_fresh(user.totp_pending, longest=PENDING_LIFE)


def _fitting_step(secret: str, given: str) -> int | None:
    """The half-minute whose code `given` is, of the current one and its neighbours."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    fitting = [
        step
        for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())
    ]
    return fitting[-1] if fitting else None


def _spend_step(session: Session, user: User, given: str) -> None:
    """Take the code's half-minute, which two who give the same code at once cannot both do."""
    step = _fitting_step(_secret(user), given)
    if step is None:
        raise WrongCode
    is_unspent = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    spent = update(User).where(User.id == user.id, is_unspent).values(totp_last_step=step).returning(User.id)
    if session.scalar(spent) is None:
        raise WrongCode


def _secret(user: User) -> str:
    try:
        return secrets_at_rest.decrypted(user.totp_secret or "")
    except InvalidToken:
        raise SecretUnreadable from None


def _spend_recovery_code(session: Session, user: User, given: str, address: str | None) -> None:
    spent = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _recovery_hash(user, given),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    if spent is None:
        raise WrongCode
    actor = Actor(user.id, user.role, user.name, address=address)
    audit.record(session, actor, audit.Event.RECOVERY_CODE_USED, kind="user", number=user.id)


def _new_recovery_codes(session: Session, user: User) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [random_codes.letters(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_recovery_hash(user, code)) for code in codes)
    session.flush()
    return [random_codes.grouped(code, RECOVERY_LENGTH // 2) for code in codes]


def _recovery_hash(user: User, code: str) -> bytes:
    return secrets_at_rest.keyed_hash("recovery code", str(user.id), code)
