"""Accounts as an admin looks after them. There is always an active admin left."""

from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, letters, second_factors, sign_ins, unsettled
from core.access import Action, Actor
from core.errors import AccessDenied, ClinicError, NotFound
from core.i18n import N_
from core.texts import SEARCH_LENGTH, has_word, search_words
from db.models import Doctor, Patient, Role, SignInGrant, User

SHOWN = 20
END_REASON = "ended by an administrator"


class LastAdmin(ClinicError):
    message = N_("This is the last administrator. Make somebody else one first.")


class RoleUnknown(ClinicError):
    message = N_("Please choose one of the roles.")


class NoPatientRecord(ClinicError):
    message = N_("Only somebody whom the clinic has as a patient can be one. Deactivate the account instead.")


def search(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    role: Role | None = None,
    is_active: bool | None = None,
    page: int = 0,
) -> tuple[list[User], bool]:
    """The accounts that fit by name, twenty a page, and whether there are more.

    Each word of `text` begins one of the name, or all of it the user name or email address.
    """
    access.require(actor, Action.MANAGE_USERS)
    query = select(User).where(User.erased_at.is_(None)).order_by(User.name_folded, User.id)
    if role is not None:
        query = query.where(User.role == role)
    if is_active is not None:
        query = query.where(User.is_active == is_active)
    if words := search_words(text):
        typed = text[:SEARCH_LENGTH].replace("\0", " ").strip().lower()
        by_name = has_word(User.name_folded, words[0])
        for word in words[1:]:
            by_name &= has_word(User.name_folded, word)
        query = query.where(
            by_name
            | User.username.startswith(typed, autoescape=True)
            | User.email.startswith(typed, autoescape=True)
        )
    found = session.scalars(query.offset(page * SHOWN).limit(SHOWN + 1)).all()
    return list(found[:SHOWN]), len(found) > SHOWN


def change_role(
    session: Session, actor: Actor, *, user_id: int, role: Role, accepting: Collection[int] = ()
) -> None:
    """Give an account another role, which signs it out everywhere.

    A new doctor gets a doctor's row, not bookable before there are services and hours; a former one keeps
    theirs with its visits, and is booked no more; `accepting` are those of the visits ahead that the person
    knows of. Raises `LastAdmin`, `NoPatientRecord`, `LeavesVisits`, `NotFound`.
    """
    access.require(actor, Action.MANAGE_USERS, user_id=user_id)
    if not isinstance(role, Role):
        raise RoleUnknown
    user = _locked(session, actor, user_id, keeps_admin=role is Role.ADMIN)
    before = user.role
    if role is before:
        return
    if role is Role.PATIENT and not session.scalar(select(Patient.id).where(Patient.user_id == user.id)):
        raise NoPatientRecord
    user.role = role
    session.flush()
    _keep_doctor(session, user, accepting)
    audit.record(
        session, actor, audit.Event.ROLE_CHANGED, kind="user", number=user.id, before=before, after=role
    )


def deactivate(session: Session, actor: Actor, *, user_id: int, accepting: Collection[int] = ()) -> None:
    """Let nobody sign in with an account any more; a doctor's is booked no more.

    `accepting` are the visits that the person knows will be without their doctor. Raises `LastAdmin`,
    `LeavesVisits`, `NotFound`.
    """
    access.require(actor, Action.MANAGE_USERS, user_id=user_id)
    user = _locked(session, actor, user_id, keeps_admin=False)
    if not user.is_active:
        return
    user.is_active = False
    session.flush()
    _keep_doctor(session, user, accepting)
    audit.record(session, actor, audit.Event.DEACTIVATED, kind="user", number=user.id)


def activate(session: Session, actor: Actor, *, user_id: int) -> None:
    """Let an account sign in again."""
    access.require(actor, Action.MANAGE_USERS, user_id=user_id)
    user = _locked(session, actor, user_id, keeps_admin=True)
    if user.is_active:
        return
    user.is_active = True
    session.flush()
    _keep_doctor(session, user)
    audit.record(session, actor, audit.Event.ACTIVATED, kind="user", number=user.id)


def end_sessions(session: Session, actor: Actor, *, user_id: int) -> int:
    """Sign an account out in every browser; how many there were."""
    access.require(actor, Action.MANAGE_USERS, user_id=user_id)
    user = _known(session, user_id)
    # Whoever has just given the right password does not get in with it any more.
    session.execute(delete(SignInGrant).where(SignInGrant.user_id == user.id))
    count = sign_ins.end_all(session, user_id=user.id, reason=END_REASON)
    audit.record(session, actor, audit.Event.SESSIONS_ENDED, kind="user", number=user.id, count=count)
    return count


def reset_second_factor(session: Session, actor: Actor, *, user_id: int) -> None:
    """Turn the second factor of somebody off who has lost phone and recovery codes, and tell them."""
    access.require(actor, Action.MANAGE_USERS, user_id=user_id)
    user = _known(session, user_id)
    second_factors.turn_off(session, user)
    letters.notice(session, letters.SECOND_FACTOR_OFF, user)
    audit.record(session, actor, audit.Event.SECOND_FACTOR_OFF, kind="user", number=user.id)


def _known(session: Session, user_id: int) -> User:
    user = session.scalar(select(User).where(User.id == user_id, User.erased_at.is_(None)))
    if user is None:
        raise NotFound
    return user


def _locked(session: Session, actor: Actor, user_id: int, *, keeps_admin: bool) -> User:
    """The account, with the active admins locked so that two of them cannot undo each other at once.

    They are locked in one order. An actor who was waiting and is no admin any more is refused.
    """
    admins = session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.is_active)
        .order_by(User.id)
        .with_for_update(key_share=True)
    ).all()
    if actor.user_id not in admins:
        raise AccessDenied(Action.MANAGE_USERS, user_id=user_id)
    if not keeps_admin and list(admins) == [user_id]:
        raise LastAdmin
    user = session.scalar(
        select(User)
        .where(User.id == user_id, User.erased_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise NotFound
    return user


def _keep_doctor(session: Session, user: User, accepting: Collection[int] = ()) -> None:
    """Have the doctor's row say whether this account is that of a doctor at work."""
    works = user.role is Role.DOCTOR and user.is_active
    if user.role is Role.DOCTOR:
        session.execute(insert(Doctor).values(user_id=user.id, bio="", languages=[]).on_conflict_do_nothing())
    doctor_id = session.scalar(select(Doctor.id).where(Doctor.user_id == user.id))
    if doctor_id is None:
        return
    with unsettled.accounted(session, doctor_id=doctor_id, accepting=accepting):
        session.execute(
            update(Doctor)
            .where(Doctor.id == doctor_id)
            .values(is_active=works)
            .execution_options(synchronize_session="fetch")
        )
