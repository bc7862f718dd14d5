"""Invites: an admin asks one address to open an account with one role. No account there is changes by it."""

import hmac
import re
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import (
    access,
    accounts,
    audit,
    clock,
    emails,
    letters,
    names,
    passwords,
    random_codes,
    secrets_at_rest,
    throttles,
)
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, spoken
from core.one_time_codes import CodeRefused
from db.models import Channel, Doctor, Invite, Role, User, folded

ROLES = (Role.STAFF, Role.DOCTOR, Role.ADMIN)
CODE_LENGTH = 12
LIFE = timedelta(days=7)
TRIES = 10
SHOWN = 50
_WHAT = "invite"
_IS_OPEN = Invite.accepted_at.is_(None) & Invite.withdrawn_at.is_(None)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,49}")


class RoleNotInvited(ClinicError):
    message = N_("Only reception, doctors and administrators are invited. Patients register themselves.")


class AccountExists(ClinicError):
    message = N_("There is an account with that email address already.")


class InvitedAlready(ClinicError):
    message = N_("There is an open invite to that address already. You can send it again.")


class UsernameTaken(ClinicError):
    message = N_("Somebody has that user name already. Please choose another.")


class UsernameNotUnderstood(ClinicError):
    message = N_(
        "Please choose a user name of 2 to 50 letters without accents, digits, dots and hyphens, "
        "or leave it out to use the email address."
    )


def invite(session: Session, actor: Actor, *, name: str, email: str, role: Role) -> Invite:
    """Ask `email` to open an account with `role`; the code goes there and is good for seven days.

    Raises `AccountExists`, `InvitedAlready`, `RoleNotInvited`, `NoMailServer`, errors of
    `names` and `emails`.
    """
    access.require(actor, Action.INVITE)
    letters.require_sendable(session, Channel.EMAIL, by_admin=True)
    if not isinstance(role, Role) or role not in ROLES:
        raise RoleNotInvited
    given, address, now = names.cleaned(name), emails.folded(email), clock.now()
    if accounts.is_taken(session, address):
        raise AccountExists
    code = random_codes.letters(CODE_LENGTH)
    made: Invite | None = session.scalar(
        insert(Invite)
        .values(
            name=given,
            email=address,
            role=role,
            code_hash=_hash(address, code),
            tries=0,
            invited_by_id=actor.user_id,
            created_at=now,
            expires_at=now + LIFE,
        )
        .on_conflict_do_nothing()
        .returning(Invite)
    )
    if made is None:
        raise InvitedAlready
    _send(session, made, code)
    audit.record(session, actor, Action.INVITE, kind="invite", number=made.id, role=role)
    return made


def resend(session: Session, actor: Actor, *, invite_id: int) -> None:
    """Send an open invite again with a new code for another seven days. Raises `NotFound`."""
    access.require(actor, Action.INVITE)
    letters.require_sendable(session, Channel.EMAIL, by_admin=True)
    kept = _locked(session, Invite.id == invite_id)
    if kept is None:
        raise NotFound
    code = random_codes.letters(CODE_LENGTH)
    kept.code_hash, kept.tries, kept.expires_at = _hash(kept.email, code), 0, clock.now() + LIFE
    _send(session, kept, code)
    audit.record(session, actor, Action.INVITE, kind="invite", number=kept.id, step="sent again")


def withdraw(session: Session, actor: Actor, *, invite_id: int) -> None:
    """Make an open invite worthless. Raises `NotFound` when it was accepted or withdrawn."""
    access.require(actor, Action.INVITE)
    kept = _locked(session, Invite.id == invite_id)
    if kept is None:
        raise NotFound
    kept.withdrawn_at = clock.now()
    audit.record(session, actor, Action.INVITE, kind="invite", number=kept.id, step="withdrawn")


def open_invites(session: Session, actor: Actor) -> list[Invite]:
    """The invites that wait for an answer, also those that ran out; the newest fifty."""
    access.require(actor, Action.INVITE)
    newest = select(Invite).where(_IS_OPEN).order_by(Invite.id.desc()).limit(SHOWN)
    return list(session.scalars(newest))


def has_run_out(invite: Invite) -> bool:
    """Whether an invite has to be sent again before it is good for anything."""
    return invite.expires_at <= clock.now()


def is_over(session: Session, *, email: str, username: str, password: str, address: str | None) -> bool:
    """Count a try at `accept`, in a transaction of its own before it; whether there were too many.

    A user name or password of a wrong form is refused first: it should not cost a try.
    """
    invited = emails.folded(email)
    _username(username, invited)
    passwords.require_length(password)
    if throttles.is_over(session, username=invited, address=address, what=_WHAT):
        return True
    session.execute(
        update(Invite)
        .where(Invite.email == invited, _IS_OPEN)
        .values(tries=Invite.tries + 1)
        .execution_options(synchronize_session=False)
    )
    return False


def accept(session: Session, *, email: str, code: str, username: str, password: str) -> User:
    """Open the account that was offered to `email`, under `username` or else the address.

    Raises `CodeRefused`, `AccountExists`, `UsernameTaken`, `UsernameNotUnderstood`, errors of `passwords`.
    """
    invited = emails.folded(email)
    kept = _locked(session, Invite.email == invited)
    given = _hash(invited, random_codes.typed(code))
    if kept is None or has_run_out(kept) or kept.tries > TRIES:
        raise CodeRefused
    if not hmac.compare_digest(kept.code_hash, given):
        raise CodeRefused
    chosen = _username(username, invited)
    passwords.require_acceptable(password, about=(kept.name, chosen, invited))
    user = _opened(session, kept, chosen, password)
    if user.role is Role.DOCTOR:
        session.add(Doctor(user_id=user.id))
    kept.accepted_at = clock.now()
    session.flush()
    throttles.forgive(session, username=invited, what=_WHAT)
    audit.record(session, None, audit.Event.INVITE_ACCEPTED, kind="user", number=user.id, invite=kept.id)
    return user


def _opened(session: Session, kept: Invite, username: str, password: str) -> User:
    """A new account for the invite; never one that is there."""
    user: User | None = session.scalar(
        insert(User)
        .values(
            username=username,
            email=kept.email,
            email_verified_at=clock.now(),
            password_hash=passwords.hashed(password),
            role=kept.role,
            name=kept.name,
            name_folded=folded(kept.name),
            locale=spoken(),
        )
        .on_conflict_do_nothing()
        .returning(User)
    )
    if user is not None:
        return user
    is_ours = session.scalar(select(User.id).where(User.email == kept.email))
    raise AccountExists if is_ours else UsernameTaken


def _username(written: str, email: str) -> str:
    """The user name to use. One that looks like an address is nobody's but the owner's of that address."""
    chosen = written.strip().lower()
    if not chosen or chosen == email:
        return email
    if not _USERNAME.fullmatch(chosen):
        raise UsernameNotUnderstood
    return chosen


def _locked(session: Session, which: ColumnElement[bool]) -> Invite | None:
    """An open invite, for this transaction alone: who comes at the same time waits, and finds it accepted."""
    query = select(Invite).where(which, _IS_OPEN).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _send(session: Session, kept: Invite, code: str) -> None:
    shown = random_codes.grouped(code, CODE_LENGTH // 3)
    letters.email(
        session,
        letters.INVITE,
        to=kept.email,
        expires_at=kept.expires_at,
        name=kept.name,
        code=shown,
        days=LIFE.days,
    )


def _hash(email: str, code: str) -> bytes:
    return secrets_at_rest.keyed_hash("invite", email, code)
