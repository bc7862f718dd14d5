"""The waitlist: who waits for which time of whom, in which order, and what they are offered."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session, joinedload

from core import access, agendas, audit, clock, forms, placements, waitlist_answers, waitlist_wishes
from core.access import Action, Actor
from core.appointment_errors import TryAgain
from core.errors import ClinicError, NotFound
from core.i18n import N_
from core.waitlist_wishes import Wish
from db.models import (
    Appointment,
    Doctor,
    OfferState,
    Patient,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistState,
)

MOST_WISHES = 5  # of one patient at once
SHOWN = 20
_WAITING = WaitlistEntry.state == WaitlistState.WAITING


class TooManyWishes(ClinicError):
    message = N_("There are {count} wishes on the waitlist already. Please take one off it first.")


class AlreadyWaiting(ClinicError):
    message = N_("This wish is on the waitlist already.")


class NotWaiting(ClinicError):
    message = N_("This wish is not on the waitlist any more.")


class Line(NamedTuple):
    """An entry that waits, its place among those who want the same of the same, and its open offer.

    The entry comes with patient, service, doctor and specialty; the offer with its visit.
    """

    entry: WaitlistEntry
    position: int
    offer: WaitlistOffer | None


def join(
    session: Session, actor: Actor, *, patient_id: int, wish: Wish, request_key: UUID | None = None
) -> WaitlistEntry:
    """Put a patient's wish on the waitlist. The form's `request_key` sent again gives the first entry.

    A time that is free already may be wished for too: it is offered like any other. Raises what
    `waitlist_wishes.require_possible` raises, `TooManyWishes`, `AlreadyWaiting`, `FormAlreadySent`,
    `AccessDenied`, `NotFound`.
    """
    access.require(actor, Action.JOIN_WAITLIST, patient_id=patient_id)
    session.execute(text("SELECT pg_advisory_xact_lock(7, :patient_id)"), {"patient_id": patient_id})
    by_it = {"created_by_id": actor.user_id, "patient_id": patient_id}
    if earlier := forms.written(session, WaitlistEntry, request_key, **by_it):
        return earlier
    is_here = Patient.id == patient_id, Patient.erased_at.is_(None)
    if session.scalar(select(Patient.id).where(*is_here).with_for_update(read=True, key_share=True)) is None:
        raise NotFound
    waitlist_wishes.require_possible(session, wish)
    values = {**wish._asdict(), "weekdays": sorted(set(wish.weekdays))}
    _require_new(session, patient_id, values)
    now = clock.now()
    entry = WaitlistEntry(
        patient_id=patient_id,
        **values,
        state=WaitlistState.WAITING,
        created_at=now,
        created_by_id=actor.user_id,
        request_key=request_key,
    )
    session.add(entry)
    session.flush()
    _note(session, actor, entry)
    return entry


def withdraw(session: Session, actor: Actor, *, entry_id: int) -> WaitlistEntry:
    """Take a wish off the waitlist; an open offer is let go with it. Done already, it stays done.

    Raises `NotWaiting` where it was fulfilled or its days are over, `TryAgain`, `AccessDenied`, `NotFound`.
    """
    seen = session.get(WaitlistEntry, entry_id)
    if seen is None:
        raise NotFound
    access.require(actor, Action.JOIN_WAITLIST, patient_id=seen.patient_id)
    entry = _withdrawn(session, actor, entry_id)
    if entry.state is not WaitlistState.WITHDRAWN:
        raise NotWaiting
    return entry


def withdraw_all(session: Session, actor: Actor, patient_id: int) -> None:
    """Take all of a patient's wishes off the waitlist. Its caller may do so."""
    own = select(WaitlistEntry.id).where(WaitlistEntry.patient_id == patient_id, _WAITING)
    for entry_id in session.scalars(own.order_by(WaitlistEntry.id)).all():
        _withdrawn(session, actor, entry_id)


def own(session: Session, actor: Actor, *, patient_ids: Sequence[int]) -> list[Line]:
    """The patients' wishes that wait, the oldest first."""
    for patient_id in patient_ids:
        access.require(actor, Action.JOIN_WAITLIST, patient_id=patient_id)
    return _lines(session, [WaitlistEntry.patient_id.in_(patient_ids)])


def waiting(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int | None = None,
    specialty_id: int | None = None,
    service_id: int | None = None,
    limit: int = SHOWN,
) -> list[Line]:
    """The clinic's waitlist for the desk, the oldest first: all of it, or what is wished of whom or what."""
    access.require(actor, Action.SEE_WAITLIST)
    audit.record_read(session, actor, Action.SEE_WAITLIST, kind="waitlist", number=0)
    return _lines(session, _wished(doctor_id, specialty_id, service_id), limit)


def how_many_wait(
    session: Session,
    actor: Actor,
    *,
    doctor_id: int | None = None,
    specialty_id: int | None = None,
    service_id: int | None = None,
) -> int:
    """How long `waiting` is without a limit."""
    access.require(actor, Action.SEE_WAITLIST)
    fits = _wished(doctor_id, specialty_id, service_id)
    return session.scalars(select(func.count()).select_from(WaitlistEntry).where(_WAITING, *fits)).one()


def _wished(
    doctor_id: int | None, specialty_id: int | None, service_id: int | None
) -> list[ColumnElement[bool]]:
    wanted = {
        WaitlistEntry.doctor_id: doctor_id,
        WaitlistEntry.specialty_id: specialty_id,
        WaitlistEntry.service_id: service_id,
    }
    return [column == number for column, number in wanted.items() if number]


def replaced(line: Line, visits: Collection[Appointment]) -> Appointment | None:
    """Which of the patient's coming visits the offered one would make needless: a later one for the same."""
    if line.offer is None:
        return None
    offered = line.offer.appointment
    later = [
        visit
        for visit in visits
        if (visit.patient_id, visit.service_id) == (offered.patient_id, offered.service_id)
        and line.entry.doctor_id in {None, visit.doctor_id}
        and visit.starts_at > offered.starts_at
        and not visit.is_offered
    ]
    return min(later, key=lambda visit: visit.starts_at, default=None)


def _lines(session: Session, fits: Collection[ColumnElement[bool]], limit: int | None = None) -> list[Line]:
    ranked = _ranked().subquery()
    visit = joinedload(WaitlistOffer.appointment)
    rows = session.execute(
        select(WaitlistEntry, ranked.c.position, WaitlistOffer)
        .join(ranked, ranked.c.id == WaitlistEntry.id)
        .outerjoin(
            WaitlistOffer,
            (WaitlistOffer.entry_id == WaitlistEntry.id) & (WaitlistOffer.state == OfferState.OPEN),
        )
        .where(*fits)
        .options(
            joinedload(WaitlistEntry.patient),
            joinedload(WaitlistEntry.service),
            joinedload(WaitlistEntry.specialty),
            joinedload(WaitlistEntry.doctor).joinedload(Doctor.user),
            *(visit.options(each) for each in agendas.WITH_PEOPLE),
        )
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [Line(entry, position, offer) for entry, position, offer in rows]


def _ranked() -> Select[int, int]:
    """Every entry that waits, with its place among those who want the same."""
    same = (WaitlistEntry.service_id, WaitlistEntry.doctor_id, WaitlistEntry.specialty_id)
    oldest_first = (WaitlistEntry.created_at, WaitlistEntry.id)
    position = func.row_number().over(partition_by=same, order_by=oldest_first).label("position")
    return select(WaitlistEntry.id, position).where(_WAITING)


def _require_new(session: Session, patient_id: int, values: dict[str, object]) -> None:
    """Raise `AlreadyWaiting` or `TooManyWishes`. Its caller holds the patient's lock."""
    same = [getattr(WaitlistEntry, name).is_not_distinct_from(value) for name, value in values.items()]
    mine = select(func.count()).where(WaitlistEntry.patient_id == patient_id, _WAITING)
    if session.scalar(mine.where(*same)):
        raise AlreadyWaiting
    count = session.scalar(mine) or 0
    if count >= MOST_WISHES:
        raise TooManyWishes(count=count)


def _withdrawn(session: Session, actor: Actor, entry_id: int) -> WaitlistEntry:
    """The entry as it is after it was taken off the list, if it still waited.

    Whoever answers an offer holds its visit first, so here too it comes before the entry.
    """
    is_open = WaitlistOffer.entry_id == entry_id, WaitlistOffer.state == OfferState.OPEN
    held = select(WaitlistOffer.appointment_id).where(*is_open)
    appointment_id = session.scalar(held)
    appointment = None if appointment_id is None else placements.locked(session, appointment_id)
    entry = session.get_one(WaitlistEntry, entry_id, with_for_update=True, populate_existing=True)
    if entry.state is not WaitlistState.WAITING:
        return entry
    offer = session.scalar(select(WaitlistOffer).where(*is_open).execution_options(populate_existing=True))
    if offer is not None:
        if appointment is None or offer.appointment_id != appointment.id:
            raise TryAgain  # it was offered a time just now
        waitlist_answers.let_go(session, actor, offer, appointment, OfferState.WITHDRAWN)
    entry.state, entry.ended_at = WaitlistState.WITHDRAWN, clock.now()
    session.flush()
    _note(session, actor, entry)
    return entry


def _note(session: Session, actor: Actor, entry: WaitlistEntry) -> None:
    audit.record(
        session,
        actor,
        Action.JOIN_WAITLIST,
        kind="waitlist_entry",
        number=entry.id,
        patient_id=entry.patient_id,
        state=entry.state.value,
    )
