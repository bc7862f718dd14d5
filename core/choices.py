"""Letting patients choose another time themselves, by a secret link that needs no sign-in."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from core import (
    access,
    announcements,
    audit,
    availability,
    choice_links,
    clinics,
    clock,
    moves,
    placements,
    strandings,
    suggestions,
    throttles,
)
from core.access import Action, Actor
from core.appointment_errors import VisitChanged
from core.audit import Event
from core.errors import ClinicError, NotFound
from core.i18n import N_
from db.models import Appointment, AppointmentStatus, ChoiceLink

LASTS = timedelta(days=3)
MOST_TIMES = 6


class NoTimesChosen(ClinicError):
    message = N_("Please choose between one and {count} times to offer.")


class OnlyHeld(ClinicError):
    message = N_("This visit is not paid for yet. Please move it yourself, or call it off.")


class IsHere(ClinicError):
    message = N_("The patient is here already. Please move this visit yourself, or call it off.")


class LinkOver(ClinicError):
    """Never sent, used, expired or overtaken: whoever holds it is told the same."""

    message = N_("This link is no longer valid. Please call the clinic, or look into your appointments.")


class Choosing(NamedTuple):
    """What a link offers: the times that are still free, as (doctor, UTC); with another doctor or not."""

    was_at: datetime
    times: list[tuple[int, datetime]]
    doctor_id: int


def offer_choice(
    session: Session, actor: Actor, *, appointment_id: int, times: Collection[tuple[int, datetime]]
) -> ChoiceLink:
    """Send the patient of a visit without hours a link to choose one of `times`: doctors and instants.

    Nobody holds them meanwhile. An earlier link to the visit ends; asking for the same twice within a minute
    sends one. Raises `NotStranded`, `OnlyHeld`, `IsHere`, `NoTimesChosen`, `NotOffered`, `SlotTaken`,
    `PatientBusy`, `NotFound`, `AccessDenied`.
    """
    visit = placements.locked(session, appointment_id)
    access.require(actor, Action.SETTLE_VISIT, patient_id=visit.patient_id, doctor_id=visit.doctor_id)
    strandings.require(session, appointment_id)
    if visit.status is not AppointmentStatus.CONFIRMED:
        raise IsHere if visit.status is AppointmentStatus.ARRIVED else OnlyHeld
    wanted = sorted(set(times), key=lambda each: each[1])
    if not 0 < len(wanted) <= MOST_TIMES:
        raise NoTimesChosen(count=MOST_TIMES)
    if just_sent := choice_links.just_made(session, visit, wanted, by_user_id=actor.user_id):
        return just_sent
    for doctor_id, at in wanted:
        if doctor_id != visit.doctor_id and not suggestions.may_take_over(session, visit, doctor_id):
            raise NotFound
        availability.require_offered(
            session,
            doctor_id=doctor_id,
            service_id=visit.service_id,
            starts_at=at,
            patient_id=visit.patient_id,
            by_staff=True,
            ignoring=visit.id,
        )
    ends_at = min(clock.now() + LASTS, wanted[-1][1])
    link = choice_links.make(session, visit, wanted, expires_at=ends_at, by_user_id=actor.user_id)
    announcements.choice(session, visit, link)
    audit.record(
        session,
        actor,
        Event.CHOICE_SENT,
        kind="appointment",
        number=visit.id,
        patient_id=visit.patient_id,
        times=len(wanted),
    )
    return link


def look(session: Session, *, secret: str) -> Choosing | None:
    """What the link with this secret offers, None where it offers nothing any more. Needs no sign-in."""
    link = choice_links.opened(session, secret)
    if link is None:
        return None
    visit = session.get_one(Appointment, link.appointment_id)
    return Choosing(visit.starts_at, _still_free(session, visit, link), visit.doctor_id)


def is_over(session: Session, *, secret: str, address: str | None) -> bool:
    """Count a try to choose, in a transaction of its own before it; whether there were too many."""
    return throttles.is_over(session, username=secret[:40] or "none", address=address, what="choice")


def choose(session: Session, *, secret: str, doctor_id: int, starts_at: datetime) -> Appointment:
    """Move the visit of a link to one of the times it offers, as its holder asks. Needs no sign-in.

    Asked again for the time that the visit has by now, it stays there. Raises `LinkOver` whatever is wrong
    with the link, `SlotTaken` where somebody was faster, and what else keeps a visit from moving.
    """
    link = choice_links.opened(session, secret)
    if link is None:
        return _chosen_before(session, secret, doctor_id, starts_at)
    if (doctor_id, starts_at) not in {(each.doctor_id, each.starts_at) for each in link.times}:
        raise LinkOver
    visit = session.get_one(Appointment, link.appointment_id, populate_existing=True)
    if visit.time_version != link.time_version:  # it has moved since the link was looked up
        return _chosen_before(session, secret, doctor_id, starts_at)
    try:
        moves.relocate(session, None, visit, doctor_id=doctor_id, starts_at=starts_at)
    except VisitChanged:  # another tab has used the link, or the desk has moved the visit just now
        return _chosen_before(session, secret, doctor_id, starts_at)
    choice_links.end(session, visit.id)
    audit.record(
        session,
        None,
        Event.CHOICE_TAKEN,
        kind="appointment",
        number=visit.id,
        patient_id=visit.patient_id,
    )
    return visit


def _chosen_before(session: Session, secret: str, doctor_id: int, starts_at: datetime) -> Appointment:
    """The visit of a link that was used for this very time: a double click is thanked twice."""
    visit = choice_links.moved_by(session, secret)
    if visit is None or (visit.doctor_id, visit.starts_at) != (doctor_id, starts_at):
        raise LinkOver
    return visit


def _still_free(session: Session, visit: Appointment, link: ChoiceLink) -> list[tuple[int, datetime]]:
    """Those of the times that can be had now: what is too soon by now is for the telephone."""
    zone, now = clinics.zone(session), clock.now()
    ahead = [each for each in link.times if each.starts_at > now]
    if not ahead:
        return []
    free = availability.free_slots(
        session,
        doctor_ids=sorted({each.doctor_id for each in ahead}),
        service_id=visit.service_id,
        from_on=min(each.starts_at for each in ahead).astimezone(zone).date(),
        until_on=max(each.starts_at for each in ahead).astimezone(zone).date(),
        by_staff=True,
        ignoring=visit.id,
    )
    found = [
        (each.doctor_id, each.starts_at) for each in ahead if each.starts_at in free.get(each.doctor_id, [])
    ]
    return sorted(found, key=lambda each: each[1])
