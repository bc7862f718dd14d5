"""What patients answer before a visit, and the doctor reads at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clock, treatments
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.texts import are_readable, several_lines
from core.treatments import NEVER_A_VISIT
from db.models import AnswerKind, Appointment, IntakeAnswer, IntakeQuestion

ANSWER_LENGTH = 5_000
YES, NO = "yes", "no"


class AnswersClosed(ClinicError):
    message = N_("The visit has begun: please tell the doctor.")


class AnswerMissing(ClinicError):
    message = N_("Please answer this too: {question}")


class AnswerTooLong(ClinicError):
    message = N_("This answer is too long, {length} characters at most: {question}")


class AnswerUnreadable(ClinicError):
    message = N_("There are characters in this answer that cannot be shown: {question}")


class NotAChoice(ClinicError):
    message = N_("Please choose one of the answers given: {question}")


class NothingAskedThere(ClinicError):
    message = N_("These questions have changed meanwhile. Please open the page again.")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and what was answered: empty where nothing was."""

    question_id: int
    question: str
    kind: AnswerKind
    choices: tuple[str, ...]
    is_required: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The questions before a visit. `answered_at` is that of the last answer; open until the visit begins."""

    appointment_id: int
    patient_id: int
    starts_at: datetime
    asked: list[Asked]
    answered_at: datetime | None
    is_open: bool

    @property
    def missing(self) -> int:
        """How many questions have to be answered yet."""
        return sum(each.is_required and not each.answer for each in self.asked)


def of_visit(session: Session, actor: Actor, *, appointment_id: int) -> Intake:
    """The questions before a visit and the answers, for the patient and the patient's doctors.

    What was answered stands there also once its question is no longer asked. Raises `AccessDenied`,
    `NotFound`.
    """
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    treatments.look(session, actor, patient_id=visit.patient_id)
    return _intake(session, visit)


def of_patient(session: Session, actor: Actor, *, patient_id: int) -> dict[int, Intake]:
    """What was answered before a patient's visits, by visit; one without an answer is left out.

    Raises `AccessDenied`, `NotFound`.
    """
    treatments.look(session, actor, patient_id=patient_id)
    found = _intakes(session, Appointment.patient_id == patient_id)
    return {number: each for number, each in found.items() if each.answered_at is not None}


def ahead(session: Session, actor: Actor, *, patient_ids: Sequence[int]) -> dict[int, Intake]:
    """The questions before the patients' visits that have not begun, by visit; where nothing is asked there
    is none. For patients and guardians. Raises `AccessDenied`.
    """
    for patient_id in patient_ids:
        access.require(actor, Action.ANSWER_INTAKE, patient_id=patient_id)
        audit.record_read(
            session, actor, Action.SEE_RECORD, kind="intake", number=patient_id, patient_id=patient_id
        )
    coming = and_(
        Appointment.patient_id.in_(patient_ids),
        Appointment.status.not_in(NEVER_A_VISIT),
        Appointment.starts_at > clock.now(),
    )
    return _intakes(session, coming)


def are_asked(session: Session, *, service_id: int) -> bool:
    """Whether anything is asked before visits for a service."""
    asked = select(IntakeQuestion.id).where(
        IntakeQuestion.service_id == service_id, IntakeQuestion.retired_at.is_(None)
    )
    return session.scalar(asked.limit(1)) is not None


def answer(session: Session, actor: Actor, *, appointment_id: int, answers: Mapping[int, str]) -> Intake:
    """Answer the questions before one's own visit, or a dependant's, by their numbers; safe to repeat.

    An empty answer takes back the one before; what is not named stays. Returns what stands then. Raises
    `AnswersClosed`, `AnswerMissing`, `AnswerTooLong`, `AnswerUnreadable`, `NotAChoice`, `NothingAskedThere`,
    `AccessDenied`, `NotFound`.
    """
    visit = session.get(Appointment, appointment_id)
    if visit is None:
        raise NotFound
    access.require(actor, Action.ANSWER_INTAKE, patient_id=visit.patient_id)
    before = _intake(session, visit)
    if not before.is_open:
        raise AnswersClosed
    asked = {each.question_id: each for each in before.asked}
    if not answers.keys() <= asked.keys():
        raise NothingAskedThere
    given = {number: _checked(each, answers.get(number, each.answer)) for number, each in asked.items()}
    _write(
        session,
        actor,
        visit,
        {number: each for number, each in given.items() if each != asked[number].answer},
    )
    return _intake(session, visit)


def _write(session: Session, actor: Actor, visit: Appointment, changed: Mapping[int, str]) -> None:
    for number, words in changed.items():
        if not words:
            session.execute(
                delete(IntakeAnswer).where(
                    IntakeAnswer.appointment_id == visit.id, IntakeAnswer.question_id == number
                )
            )
            continue
        values = {"answer": words, "answered_at": clock.now(), "answered_by_id": actor.user_id}
        session.execute(
            insert(IntakeAnswer)
            .values(appointment_id=visit.id, question_id=number, **values)
            .on_conflict_do_update(index_elements=["appointment_id", "question_id"], set_=values)
        )
    if changed:
        audit.record(
            session, actor, Action.ANSWER_INTAKE, kind="intake", number=visit.id, patient_id=visit.patient_id
        )


def _intake(session: Session, visit: Appointment) -> Intake:
    found = _intakes(session, Appointment.id == visit.id).get(visit.id)
    return found or Intake(visit.id, visit.patient_id, visit.starts_at, [], None, _is_open(visit))


def _intakes(session: Session, which: ColumnElement[bool]) -> dict[int, Intake]:
    """What is asked before visits, in the order of the visits; nothing of those where nothing is."""
    rows = session.execute(
        select(Appointment, IntakeQuestion, IntakeAnswer.answer, IntakeAnswer.answered_at)
        .join(IntakeQuestion, IntakeQuestion.service_id == Appointment.service_id)
        .outerjoin(
            IntakeAnswer,
            (IntakeAnswer.question_id == IntakeQuestion.id) & (IntakeAnswer.appointment_id == Appointment.id),
        )
        .where(which, or_(IntakeQuestion.retired_at.is_(None), IntakeAnswer.id.is_not(None)))
        .order_by(Appointment.starts_at, Appointment.id, IntakeQuestion.position, IntakeQuestion.id)
    )
    found: dict[int, Intake] = {}
    for visit, question, words, at in rows:
        intake = found.setdefault(
            visit.id, Intake(visit.id, visit.patient_id, visit.starts_at, [], None, _is_open(visit))
        )
        intake.asked.append(_asked(question, words or ""))
        if at is not None:
            latest = max(at, intake.answered_at or at)
            found[visit.id] = replace(intake, answered_at=latest)
    return found


def _is_open(visit: Appointment) -> bool:
    return visit.status not in NEVER_A_VISIT and clock.now() < visit.starts_at


def _asked(question: IntakeQuestion, answer: str) -> Asked:
    return Asked(
        question_id=question.id,
        question=question.question,
        kind=question.kind,
        choices=tuple(question.choices),
        is_required=question.is_required and question.retired_at is None,
        answer=answer,
    )


def _checked(asked: Asked, typed: str) -> str:
    words = several_lines(typed)
    if not words and asked.is_required:
        raise AnswerMissing(question=asked.question)
    if len(words) > ANSWER_LENGTH:
        raise AnswerTooLong(question=asked.question, length=ANSWER_LENGTH)
    if not are_readable(words):
        raise AnswerUnreadable(question=asked.question)
    known = {AnswerKind.YES_NO: (YES, NO), AnswerKind.CHOICE: asked.choices}.get(asked.kind)
    if words and known is not None and words not in known:
        raise NotAChoice(question=asked.question)
    return words
