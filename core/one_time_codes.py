"""One-time codes: sent to an address, given back once, for one purpose, within minutes.

Of a code only a keyed hash is kept. A try is counted, and the count committed, before the code is looked at;
after the fifth the code is dead. One address gets five codes an hour for one purpose, whoever asks for them.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core import clock, random_codes, secrets_at_rest, throttles
from core.errors import ClinicError
from core.i18n import N_
from db.models import CodePurpose, OneTimeCode

DIGITS = 6
RESET_LENGTH = 8
TRIES = 5
CODES_AN_HOUR = 5
LIFE = {
    CodePurpose.REGISTER: timedelta(minutes=10),
    CodePurpose.VERIFY_EMAIL: timedelta(minutes=10),
    CodePurpose.VERIFY_PHONE: timedelta(minutes=10),
    CodePurpose.RESET_PASSWORD: timedelta(minutes=30),
}
KEEP = timedelta(hours=1)  # after that an address may be sent codes again


class CodeRefused(ClinicError):
    message = N_("That code is wrong, too old, or used already. Please check it, or ask for a new one.")


class TooManyCodes(ClinicError):
    message = N_("We have sent several codes there within the last hour. Please wait before asking again.")


def issue(
    session: Session,
    purpose: CodePurpose,
    *,
    sent_to: str,
    user_id: int | None = None,
    payload: dict[str, Any] | None = None,
) -> str:
    """A new code for `sent_to`; an older one of that purpose is void. Raises `TooManyCodes`."""
    now = clock.now()
    # Two who ask at once would both count the codes before either's.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"code to {sent_to}", 0))))
    recent = select(func.count()).where(
        OneTimeCode.purpose == purpose, OneTimeCode.sent_to == sent_to, OneTimeCode.created_at > now - KEEP
    )
    if (session.scalar(recent) or 0) >= CODES_AN_HOUR:
        raise TooManyCodes
    _void(session, purpose, sent_to, now)
    is_reset = purpose is CodePurpose.RESET_PASSWORD
    code = random_codes.letters(RESET_LENGTH) if is_reset else random_codes.digits(DIGITS)
    session.add(
        OneTimeCode(
            purpose=purpose,
            user_id=user_id,
            sent_to=sent_to,
            code_hash=_hash(purpose, sent_to, code),
            payload=payload,
            created_at=now,
            expires_at=now + LIFE[purpose],
        )
    )
    session.flush()
    return random_codes.grouped(code, RESET_LENGTH // 2) if is_reset else code


def is_asking_over(session: Session, *, sent_to: str, address: str | None) -> bool:
    """Count somebody who asks for a code, in a transaction of its own; whether that was too often.

    It is the same for addresses and names that are not known: they are counted as they were typed.
    """
    return throttles.is_over(session, username=sent_to, address=address, what="asking for a code")


def is_over(
    session: Session, purpose: CodePurpose, *, sent_to: str, address: str | None, typed: str | None = None
) -> bool:
    """Count a try at `redeem`, in a transaction of its own before it; whether there were too many.

    Where somebody names an account instead of `sent_to`, the tries count under what was `typed`, so that
    they do not tell which account has which address; those at the code itself count all the same. What is
    refused is no try at the code: a stranger cannot use up somebody's code by the hundred.
    """
    if throttles.is_over(session, username=typed or sent_to, address=address, what=f"{purpose} code"):
        return True
    session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.purpose == purpose, OneTimeCode.sent_to == sent_to, OneTimeCode.used_at.is_(None))
        .values(tries=OneTimeCode.tries + 1)
        .execution_options(synchronize_session=False)
    )
    return False


def redeem(
    session: Session,
    purpose: CodePurpose,
    *,
    sent_to: str,
    code: str,
    user_id: int | None = None,
    typed: str | None = None,
) -> dict[str, Any]:
    """Use a code up and return its payload, which is forgotten. Raises `CodeRefused`.

    The row is locked: who gives the same code at the same time waits, and then finds it used.
    """
    now = clock.now()
    kept = session.scalar(
        select(OneTimeCode)
        .where(
            OneTimeCode.purpose == purpose,
            OneTimeCode.sent_to == sent_to,
            OneTimeCode.user_id.is_not_distinct_from(user_id),
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > now,
            OneTimeCode.tries <= TRIES,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    given = _hash(purpose, sent_to, random_codes.typed(code))
    if kept is None or not hmac.compare_digest(kept.code_hash, given):
        raise CodeRefused
    payload, kept.payload, kept.used_at = kept.payload, None, now
    session.flush()
    throttles.forgive(session, username=typed or sent_to, what=f"{purpose} code")
    return payload or {}


def waiting_for(session: Session, purpose: CodePurpose, *, user_id: int) -> str | None:
    """The address that `user_id` was lately sent a code of this purpose to, None when there is none."""
    return session.scalar(
        select(OneTimeCode.sent_to)
        .where(
            OneTimeCode.user_id == user_id,
            OneTimeCode.purpose == purpose,
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > clock.now(),
            OneTimeCode.tries < TRIES,
        )
        .order_by(OneTimeCode.id.desc())
        .limit(1)
    )


def void_all(session: Session, *, user_id: int) -> None:
    """No code that `user_id` was sent is good for anything any more."""
    session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.user_id == user_id, OneTimeCode.used_at.is_(None))
        .values(used_at=clock.now(), payload=None)
        .execution_options(synchronize_session=False)
    )


def _void(session: Session, purpose: CodePurpose, sent_to: str, now: datetime) -> None:
    session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.purpose == purpose, OneTimeCode.sent_to == sent_to, OneTimeCode.used_at.is_(None))
        .values(used_at=now, payload=None)
        .execution_options(synchronize_session=False)
    )


def _hash(purpose: CodePurpose, sent_to: str, code: str) -> bytes:
    return secrets_at_rest.keyed_hash(purpose, sent_to, code)


def forget_old(session: Session) -> int:
    """Delete the codes of an hour ago, and the forms kept with codes that ran out; how many rows."""
    has_run_out = OneTimeCode.payload.is_not(None), OneTimeCode.expires_at <= clock.now()
    blanked = session.execute(
        update(OneTimeCode).where(*has_run_out).values(payload=None).returning(OneTimeCode.id)
    )
    count = len(blanked.all())
    old = delete(OneTimeCode).where(OneTimeCode.created_at <= clock.now() - KEEP).returning(OneTimeCode.id)
    return count + len(session.execute(old).all())
