"""What protects one's own account: the password, the second factor, and the list of signed-in browsers."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import (
    access,
    audit,
    clinics,
    clock,
    letters,
    password_resets,
    passwords,
    profiles,
    second_factors,
    sign_ins,
)
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.second_factors import Enrolment
from db.models import SignIn

END_REASON = "ended by the person"
SHOWN = 50


class SecondFactorRequired(ClinicError):
    message = N_(
        "This clinic asks for a second step when people of your role sign in. It cannot be turned off."
    )


class PasswordUnchanged(ClinicError):
    message = N_("That is the password you have now. Please choose another.")


def sessions(session: Session, actor: Actor) -> list[SignIn]:
    """The browsers in which the actor is signed in, the one last used first."""
    access.require(actor, Action.SEE_ACCOUNT, user_id=actor.user_id)
    return sign_ins.live_of(session, user_id=actor.user_id)[:SHOWN]


def end_session(session: Session, actor: Actor, *, sign_in_id: int) -> None:
    """Sign the actor out in one browser. Raises `NotFound` for one that is over or somebody else's."""
    access.require(actor, Action.CHANGE_ACCOUNT, user_id=actor.user_id)
    ended = session.scalar(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.user_id == actor.user_id, SignIn.ended_at.is_(None))
        .values(ended_at=clock.now(), end_reason=END_REASON)
        .returning(SignIn.id)
    )
    if ended is None:
        raise NotFound
    audit.record(session, actor, audit.Event.SESSIONS_ENDED, kind="user", number=actor.user_id, count=1)


def end_other_sessions(session: Session, actor: Actor) -> int:
    """Sign the actor out in every browser but this one; how many there were."""
    access.require(actor, Action.CHANGE_ACCOUNT, user_id=actor.user_id)
    count = sign_ins.end_all(session, user_id=actor.user_id, reason=END_REASON, but=actor.sign_in_id)
    audit.record(session, actor, audit.Event.SESSIONS_ENDED, kind="user", number=actor.user_id, count=count)
    return count


def change_password(session: Session, actor: Actor, *, current: str, new: str) -> None:
    """Change the actor's password, which ends every session, this one too: the person signs in again.

    Raises `WrongCurrentPassword`, `PasswordUnchanged`, errors of `passwords`.
    """
    user = profiles.changing(session, actor)
    passwords.require_acceptable(new, about=(user.name, user.username, user.email))
    profiles.require_password(session, user, current)
    if new == current:
        raise PasswordUnchanged
    password_resets.give_password(session, user, new)
    audit.record(session, actor, audit.Event.PASSWORD_CHANGED, kind="user", number=user.id)


def begin_second_factor(session: Session, actor: Actor, *, password: str) -> None:
    """Make a secret for an app on a phone, also in place of an older one. Raises `WrongCurrentPassword`."""
    user = profiles.changing(session, actor)
    profiles.require_password(session, user, password)
    second_factors.begin(session, user)
    audit.record(
        session, actor, Action.CHANGE_ACCOUNT, kind="user", number=user.id, what="second factor begun"
    )


def drop_second_factor(session: Session, actor: Actor) -> None:
    """Forget what was begun and not confirmed; a second factor that counts stays."""
    user = profiles.changing(session, actor)
    second_factors.drop(session, user)
    audit.record(
        session, actor, Action.CHANGE_ACCOUNT, kind="user", number=user.id, what="second factor dropped"
    )


def begun_second_factor(session: Session, actor: Actor) -> Enrolment | None:
    """The secret that waits for one of its codes, None when there is none."""
    return second_factors.pending(session, profiles.changing(session, actor))


def confirm_second_factor(session: Session, actor: Actor, *, code: str) -> list[str]:
    """Let the begun second factor count; the recovery codes, to be shown once. Raises `WrongCode`."""
    return second_factors.confirm(session, profiles.changing(session, actor), code=code, actor=actor)


def turn_off_second_factor(session: Session, actor: Actor, *, password: str) -> None:
    """Sign in with the password alone from now on. Raises `SecondFactorRequired`, `WrongCurrentPassword`."""
    user = profiles.changing(session, actor)
    if second_factors.is_required(clinics.settings(session), user.role):
        raise SecondFactorRequired
    profiles.require_password(session, user, password)
    second_factors.turn_off(session, user)
    letters.notice(session, letters.SECOND_FACTOR_OFF, user)
    audit.record(session, actor, audit.Event.SECOND_FACTOR_OFF, kind="user", number=user.id)
