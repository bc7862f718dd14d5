"""When a doctor can be booked: free times, and why a time is not offered."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clinics, clock
from core.appointment_errors import PatientBusy
from core.errors import NotFound
from core.offers import DESK_WAIVES, NotOffered, Offer, Rule, SlotTaken, first_failing, offer
from core.slots import ALL_FREE, ANYWHERE, Within, parameters
from core.wall_time import require_instant
from db.models.appointments import LIVE
from db.session import run

ALTERNATIVES = 3
LONGEST_HORIZON = timedelta(days=730)  # the bound that services and settings check
_FORTNIGHT = timedelta(days=14)
_DAY = timedelta(days=1)


def free_slots(
    session: Session,
    *,
    doctor_ids: Sequence[int],
    service_id: int,
    from_on: date,
    until_on: date,
    by_staff: bool = False,
    ignoring: int | None = None,
    within: Within = ANYWHERE,
) -> dict[int, list[datetime]]:
    """The start times at which each doctor can be booked for the service, from `from_on` to `until_on`.

    Days are the clinic's, both included; times are UTC, sorted. Doctors without a free time are left out.
    `by_staff` waives the minimum notice and "not accepting patients"; `ignoring` is an appointment that does
    not count because it is about to move. One round trip however many the doctors.
    """
    zone, now = clinics.zone(session), clock.now()
    rows = run(
        session,
        ALL_FREE,
        parameters(
            zone,
            now,
            doctor_ids=doctor_ids,
            service_id=service_id,
            from_on=from_on,
            until_on=until_on,
            by_staff=by_staff,
            ignoring=ignoring,
            within=within,
        ),
        binary=True,
    )
    return {doctor_id: sorted(starts) for doctor_id, starts in rows}


def all_free(
    session: Session, *, doctor_id: int, service_id: int, by_staff: bool = False, ignoring: int | None = None
) -> list[datetime]:
    """Every free time of one doctor for the service, from today to the horizon, in UTC and in order."""
    today = clock.now().astimezone(clinics.zone(session)).date()
    free = free_slots(
        session,
        doctor_ids=[doctor_id],
        service_id=service_id,
        from_on=today,
        until_on=today + LONGEST_HORIZON,
        by_staff=by_staff,
        ignoring=ignoring,
    )
    return free.get(doctor_id, [])


def why_not(
    session: Session,
    *,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    by_staff: bool = False,
    ignoring: int | None = None,
) -> Rule | None:
    """The first rule that keeps the doctor from being booked at `starts_at` (aware), None when it is free.

    Raises `NaiveTime` and `NonexistentTime` for a time that is no instant.
    """
    at = require_instant(starts_at)
    found = offer(session, doctor_id=doctor_id, service_id=service_id, starts_at=at, ignoring=ignoring)
    return first_failing(found, at, clinics.zone(session), clock.now(), _waived(by_staff))


def require_offered(
    session: Session,
    *,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    patient_id: int,
    by_staff: bool = False,
    also_waiving: Collection[Rule] = (),
    ignoring: int | None = None,
) -> Offer:
    """What is offered to `patient_id` at `starts_at` (UTC).

    Raises `NotOffered` with its rule, `PatientBusy`, or `SlotTaken` with alternatives.
    """
    found = offer(
        session,
        doctor_id=doctor_id,
        service_id=service_id,
        starts_at=starts_at,
        patient_id=patient_id,
        ignoring=ignoring,
    )
    if not found.is_patient_known:
        raise NotFound
    waived = _waived(by_staff) | frozenset(also_waiving)
    rule = first_failing(found, starts_at, clinics.zone(session), clock.now(), waived)
    if rule is not None and rule not in {Rule.TAKEN, Rule.NO_ROOM}:
        raise NotOffered(rule, found)
    if found.is_patient_busy:
        raise PatientBusy
    if rule is not None:
        raise slot_taken(
            session,
            doctor_id=doctor_id,
            service_id=service_id,
            starts_at=starts_at,
            patient_id=patient_id,
            by_staff=by_staff,
            ignoring=ignoring,
        )
    return found


def nearest(
    session: Session,
    *,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    patient_id: int | None = None,
    by_staff: bool = False,
    ignoring: int | None = None,
) -> list[datetime]:
    """The three free times nearest to `starts_at`, in order of time; fewer when fewer are left.

    Looks two days around first, then a fortnight, then anywhere up to the horizon. With `patient_id`, times
    at which that patient has a visit are left out, the present one of a visit about to move included.
    """
    zone = clinics.zone(session)
    # For one doctor and a few days, planning the statement anew costs three times what running it does.
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    now = clock.now()
    on, today = starts_at.astimezone(zone).date(), now.astimezone(zone).date()
    engagements = run(session, _ENGAGEMENTS, {"patient_id": patient_id, "service_id": service_id, "now": now})
    free: list[datetime] = []
    for around in (timedelta(days=2), _FORTNIGHT, LONGEST_HORIZON):
        slots = free_slots(
            session,
            doctor_ids=[doctor_id],
            service_id=service_id,
            from_on=max(on - around, today),
            until_on=on + around,
            by_staff=by_staff,
            ignoring=ignoring,
        ).get(doctor_id, [])
        free = [at for at in slots if not any(since < at < until for since, until in engagements)]
        if len(free) >= ALTERNATIVES:
            break
    return sorted(sorted(free, key=lambda at: abs(at - starts_at))[:ALTERNATIVES])


# The moments between which a visit of the service would get into the way of one of the patient's own.
_ENGAGEMENTS = f"""
    SELECT a.starts_at - make_interval(mins => s.duration_minutes), a.ends_at
    FROM appointments a CROSS JOIN services s
    WHERE a.patient_id = %(patient_id)s AND s.id = %(service_id)s AND a.{LIVE} AND a.ends_at > %(now)s
"""


def slot_taken(
    session: Session,
    *,
    doctor_id: int,
    service_id: int,
    starts_at: datetime,
    patient_id: int | None = None,
    by_staff: bool = False,
    ignoring: int | None = None,
) -> SlotTaken:
    """The error for a time that somebody else has, with the nearest free ones and how to show them."""
    alternatives = nearest(
        session,
        doctor_id=doctor_id,
        service_id=service_id,
        starts_at=starts_at,
        patient_id=patient_id,
        by_staff=by_staff,
        ignoring=ignoring,
    )
    return SlotTaken(alternatives, clinics.zone(session))


def _waived(by_staff: bool) -> frozenset[Rule]:
    return DESK_WAIVES if by_staff else frozenset()
