"""The questions that a clinic asks before visits for a service: set by an administrator.

A question is never reworded once it is there, or earlier answers would be to something else.
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import access, audit, clock, setting_changes
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.setting_changes import Subject
from core.texts import are_readable
from db.models import AnswerKind, IntakeQuestion, Service

QUESTIONS = 20  # asked at a time for one service
QUESTION_LENGTH = 500
CHOICES = 20


class QuestionMissing(ClinicError):
    message = N_("Please write the question.")


class QuestionTooLong(ClinicError):
    message = N_("The question is too long: {length} characters at most.")


class QuestionUnreadable(ClinicError):
    message = N_("There are characters in it that cannot be shown. Please type it again.")


class QuestionKnown(ClinicError):
    message = N_("This is asked for this service already.")


class ChoicesMissing(ClinicError):
    message = N_("Please give at least two answers to choose from, and {most} at most.")


class TooManyQuestions(ClinicError):
    message = N_("{count} questions are enough: nobody answers more.")


def of_service(session: Session, actor: Actor, *, service_id: int) -> list[IntakeQuestion]:
    """What is asked before visits for a service, in order. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return _asked(session, service_id)


def add(
    session: Session,
    actor: Actor,
    *,
    service_id: int,
    question: str,
    kind: AnswerKind,
    choices: Sequence[str] = (),
    is_required: bool = False,
) -> IntakeQuestion:
    """Ask something more, after what is asked already.

    Raises `QuestionMissing`, `QuestionTooLong`, `QuestionUnreadable`, `QuestionKnown`, `ChoicesMissing`,
    `TooManyQuestions`, `AccessDenied`, `NotFound`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    words = _readable(question)
    offered = list(dict.fromkeys(each for choice in choices if (each := _readable(choice, is_needed=False))))
    if kind is not AnswerKind.CHOICE:
        offered = []
    elif not 2 <= len(offered) <= CHOICES:
        raise ChoicesMissing(most=CHOICES)
    if session.get(Service, service_id, with_for_update=True) is None:
        raise NotFound
    asked = _asked(session, service_id)
    if any(each.question.casefold() == words.casefold() for each in asked):
        raise QuestionKnown
    if len(asked) >= QUESTIONS:
        raise TooManyQuestions(count=QUESTIONS)
    last = session.scalar(
        select(func.max(IntakeQuestion.position)).where(IntakeQuestion.service_id == service_id)
    )
    added = IntakeQuestion(
        service_id=service_id,
        position=(last or 0) + 1,
        question=words,
        kind=kind,
        choices=offered,
        is_required=is_required,
    )
    session.add(added)
    session.flush()
    asks = {"question": words, "answer": kind, "choices": offered, "is_required": is_required}
    _note(session, actor, added, None, asks)
    return added


def retire(session: Session, actor: Actor, *, question_id: int) -> None:
    """Ask something no more; what was answered stays. Safe to repeat. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    found = session.get(IntakeQuestion, question_id, with_for_update=True)
    if found is None:
        raise NotFound
    if found.retired_at is None:
        found.retired_at = clock.now()
        _note(session, actor, found, {"is_asked": True}, {"is_asked": False})


def move_up(session: Session, actor: Actor, *, question_id: int) -> None:
    """Ask something before what stands above it. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    found = session.get(IntakeQuestion, question_id)
    if found is None or found.retired_at is not None:
        raise NotFound
    session.get_one(Service, found.service_id, with_for_update=True)
    asked = _asked(session, found.service_id)
    place = next(at for at, each in enumerate(asked) if each.id == question_id)
    if place:
        above = asked[place - 1]
        found.position, above.position = above.position, found.position
        _note(session, actor, found, {"place_in_list": place + 1}, {"place_in_list": place})


def _asked(session: Session, service_id: int) -> list[IntakeQuestion]:
    query = select(IntakeQuestion).where(
        IntakeQuestion.service_id == service_id, IntakeQuestion.retired_at.is_(None)
    )
    fresh = query.order_by(IntakeQuestion.position, IntakeQuestion.id)
    return list(session.scalars(fresh, execution_options={"populate_existing": True}))


def _readable(typed: str, *, is_needed: bool = True) -> str:
    words = " ".join(typed.split())
    if not words and is_needed:
        raise QuestionMissing
    if len(words) > QUESTION_LENGTH:
        raise QuestionTooLong(length=QUESTION_LENGTH)
    if not are_readable(words):
        raise QuestionUnreadable
    return words


def _note(
    session: Session,
    actor: Actor,
    question: IntakeQuestion,
    before: dict[str, object] | None,
    after: dict[str, object],
) -> None:
    service = session.get_one(Service, question.service_id)
    title = service.name if before is None else f"{service.name}: {question.question}"
    setting_changes.note(session, actor, Subject.QUESTION, question.id, title, before=before, after=after)
    audit.record(
        session,
        actor,
        audit.Event.SETTINGS_CHANGED,
        kind="settings",
        number=1,
        question=question.id,
        service=question.service_id,
    )
