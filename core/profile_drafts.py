"""What doctors write of themselves: a draft, which patients see once an administrator has published it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from core import access, audit, clock, photos, setting_changes
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.languages import language_codes
from core.setting_changes import Subject, replaced
from core.texts import are_readable, several_lines
from db.models import Doctor, ProfileDraft, User

BIO_LENGTH, REMARK_LENGTH, MOST_LANGUAGES = 2000, 500, 12


class DraftChanged(ClinicError):
    message = N_("The profile has been changed since you looked. Please look at it again.")


class ProfileTooLong(ClinicError):
    message = N_("Please keep it under {length} characters.")


class ProfileUnreadable(ClinicError):
    message = N_("There are characters in the text that cannot be shown. Please type it again.")


class NoSuchLanguage(ClinicError):
    message = N_("Please choose languages from the list, twelve at most.")


class RemarkMissing(ClinicError):
    message = N_("Please say what should be changed.")


class Profile(NamedTuple):
    """What patients see of a doctor now, and the draft that is to take its place, if there is one."""

    doctor: Doctor
    has_photo: bool
    draft: ProfileDraft | None
    has_new_photo: bool

    @property
    def seen(self) -> datetime | None:
        """By which a form tells later which draft it was filled with."""
        return self.draft.changed_at if self.draft else None


def of_doctor(session: Session, actor: Actor, *, doctor_id: int) -> Profile:
    """A doctor's profile and its draft. Raises `NotFound`, `AccessDenied`."""
    access.require(actor, Action.EDIT_PROFILE, doctor_id=doctor_id)
    found = _profiles(session, Doctor.id == doctor_id)
    if not found:
        raise NotFound
    return found[0]


def waiting(session: Session, actor: Actor) -> list[Profile]:
    """The profiles that wait to be published, the longest waiting first."""
    access.require(actor, Action.PUBLISH_PROFILE)
    return _profiles(session, ProfileDraft.submitted_at.is_not(None))


def count_waiting(session: Session, actor: Actor) -> int:
    """How many profiles wait to be published."""
    access.require(actor, Action.PUBLISH_PROFILE)
    waits = select(func.count()).select_from(ProfileDraft).where(ProfileDraft.submitted_at.is_not(None))
    return session.scalar(waits) or 0


def _profiles(session: Session, which: ColumnElement[bool]) -> list[Profile]:
    rows = session.execute(
        select(Doctor, Doctor.photo.is_not(None), ProfileDraft, ProfileDraft.photo.is_not(None))
        .join(ProfileDraft, ProfileDraft.doctor_id == Doctor.id, isouter=True)
        .join(Doctor.user)
        .options(joinedload(Doctor.user))
        .where(which)
        .order_by(ProfileDraft.submitted_at, User.name)
        .execution_options(populate_existing=True)
    )
    return [Profile(*row) for row in rows.all()]


def save(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int,
    bio: str,
    languages: Sequence[str],
    seen: datetime | None,
    photo: bytes | None = None,
    removes_photo: bool = False,
    is_submitted: bool = False,
) -> None:
    """Keep a doctor's draft; `is_submitted` sends it to be published. `seen` is the draft that was shown.

    Without a `photo` the draft keeps its own, or else the present one, unless `removes_photo`. Changing a
    draft that waits takes it back first. Raises `DraftChanged`, `ProfileTooLong`, `ProfileUnreadable`,
    `NoSuchLanguage`, `NotFound`, `AccessDenied` and what `photos.cleaned` raises.
    """
    access.require(actor, Action.EDIT_PROFILE, doctor_id=doctor_id)
    words, spoken = _words(bio, BIO_LENGTH), list(dict.fromkeys(languages))
    if len(spoken) > MOST_LANGUAGES or not set(spoken) <= language_codes():
        raise NoSuchLanguage
    given = photos.cleaned(photo) if photo is not None else None
    draft = _draft_as_seen(session, doctor_id, seen)
    now = clock.now()
    if draft is None:
        draft = ProfileDraft(doctor_id=doctor_id)
        session.add(draft)
    draft.bio, draft.languages = words, spoken
    if given is not None:
        draft.photo, draft.removes_photo = given, False
    elif removes_photo:
        draft.photo, draft.removes_photo = None, True
    draft.changed_at, draft.submitted_at = now, now if is_submitted else None
    if is_submitted:
        draft.remark = ""
    session.flush()
    audit.record(session, actor, Action.EDIT_PROFILE, kind="doctor", number=doctor_id, doctor_id=doctor_id)


def discard(session: Session, actor: Actor, *, doctor_id: int, seen: datetime | None) -> None:
    """Throw a draft away: what patients see stays. Raises `DraftChanged`, `NotFound`, `AccessDenied`."""
    access.require(actor, Action.EDIT_PROFILE, doctor_id=doctor_id)
    if draft := _draft_as_seen(session, doctor_id, seen):
        session.delete(draft)
        session.flush()
        audit.record(
            session, actor, Action.EDIT_PROFILE, kind="doctor", number=doctor_id, doctor_id=doctor_id
        )


def publish(session: Session, actor: Actor, *, doctor_id: int, seen: datetime | None) -> None:
    """Let patients see a draft that waits, as it was shown.

    Raises `DraftChanged`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.PUBLISH_PROFILE)
    draft = _waiting_as_seen(session, doctor_id, seen)
    doctor = session.get_one(Doctor, doctor_id, options=[joinedload(Doctor.user)], populate_existing=True)
    photo = draft.photo if draft.photo is not None or draft.removes_photo else doctor.photo
    was, becomes = replaced(doctor.photo, photo)
    setting_changes.note(
        session,
        actor,
        Subject.PROFILE,
        doctor_id,
        doctor.user.name,
        before={"bio": doctor.bio, "languages": doctor.languages, "photo": was},
        after={"bio": draft.bio, "languages": draft.languages, "photo": becomes},
    )
    doctor.bio, doctor.languages, doctor.photo = draft.bio, draft.languages, photo
    session.delete(draft)
    session.flush()
    audit.record(session, actor, Action.PUBLISH_PROFILE, kind="doctor", number=doctor_id, doctor_id=doctor_id)


def send_back(session: Session, actor: Actor, *, doctor_id: int, seen: datetime | None, remark: str) -> None:
    """Give a draft that waits back to its doctor, who reads why.

    Raises `RemarkMissing`, `ProfileTooLong`, `ProfileUnreadable`, `DraftChanged`, `NotFound`, `AccessDenied`.
    """
    access.require(actor, Action.PUBLISH_PROFILE)
    why = _words(remark, REMARK_LENGTH)
    if not why:
        raise RemarkMissing
    draft = _waiting_as_seen(session, doctor_id, seen)
    draft.submitted_at, draft.changed_at, draft.remark = None, clock.now(), why
    session.flush()
    audit.record(session, actor, Action.PUBLISH_PROFILE, kind="doctor", number=doctor_id, doctor_id=doctor_id)


def new_photo(session: Session, actor: Actor, *, doctor_id: int) -> bytes:
    """The photo of a draft, a JPEG. Raises `NotFound`, `AccessDenied`."""
    access.require(actor, Action.EDIT_PROFILE, doctor_id=doctor_id)
    found = session.scalar(select(ProfileDraft.photo).where(ProfileDraft.doctor_id == doctor_id))
    if found is None:
        raise NotFound
    return found


def _words(text: str, longest: int) -> str:
    words = several_lines(text)
    if len(words) > longest:
        raise ProfileTooLong(length=longest)
    if not are_readable(words):
        raise ProfileUnreadable
    return words


def _draft_as_seen(session: Session, doctor_id: int, seen: datetime | None) -> ProfileDraft | None:
    """The draft, held, if it is the one that was shown: two may write or publish at once."""
    if session.scalar(select(Doctor.id).where(Doctor.id == doctor_id).with_for_update()) is None:
        raise NotFound
    draft = session.get(ProfileDraft, doctor_id, populate_existing=True)
    if (draft.changed_at if draft else None) != seen:
        raise DraftChanged
    return draft


def _waiting_as_seen(session: Session, doctor_id: int, seen: datetime | None) -> ProfileDraft:
    draft = _draft_as_seen(session, doctor_id, seen)
    if draft is None or draft.submitted_at is None:
        raise DraftChanged
    return draft
