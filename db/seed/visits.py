"""Turns taken slots into appointments with their history."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from db.models import AppointmentStatus, EventKind, PaymentRule, RuleCause, Source
from db.seed.accounts import STAFF_USER
from db.seed.calendars import ZONE, instant
from db.seed.clinics import REFUND_PERCENT
from db.seed.diaries import Day, Slot
from db.seed.families import WISHES
from db.seed.outcomes import booked_at, status_of, steps_of
from db.seed.panels import Panels
from db.seed.rows import AppointmentRow, EventRow, PatientRow, TakingRow
from db.seed.takings import Takings

_MOVED_SHARE = 0.06
_A_WEEK = timedelta(days=7)
_PATIENTS_REASONS = [
    None,
    None,
    "Feeling better",
    "Has to work",
    "Ill in bed",
    "Found an earlier time",
    "Travelling",
]
_DESK_REASONS = [
    None,
    "Patient called: ill",
    "Patient called: no child care",
    "Doctor unwell",
    "Booked twice",
]

Visit = tuple[AppointmentRow, list[EventRow], list[TakingRow]]


class Visits:
    """Makes the visits of one day after the other, numbering them and their events from 1."""

    def __init__(
        self,
        patients: list[PatientRow],
        panels: Panels,
        takings: Takings,
        first_on: date,
        now: datetime,
        rng: Random,
    ) -> None:
        self._patients = patients
        self._takings = takings
        self._panels = panels
        self._now = now
        self._today = now.astimezone(ZONE).date()
        self._rng = rng
        self._habits = Random("habits")  # what else is made of `rng` stays as it was
        self._wishes = [wish for wish in WISHES if self._day(wish.days_ahead) >= first_on]
        self._appointments = 0
        self._events = 0

    def of(self, days: list[Day]) -> Iterator[Visit]:
        """The visits of all days, none of which is empty, oldest day first."""
        for day in days:
            yield from self._one_day(day)

    def _day(self, days_ahead: int) -> date:
        return self._today + timedelta(days=days_ahead)

    def _one_day(self, day: Day) -> Iterator[Visit]:
        granted = self._granted(day)
        self._panels.open_on(day[0].on, {wish_patient for wish_patient, _ in granted.values()})
        for number, slot in enumerate(day):
            if number in granted:
                patient_id, status = granted[number]
                yield self._visit(slot, self._patients[patient_id - 1], status)
            elif patient := self._panels.pick(slot.practice):
                yield self._visit(slot, patient, None)

    def _granted(self, day: Day) -> dict[int, tuple[int, AppointmentStatus]]:
        """The slots of this day that go to the demo family, by their place in the day."""
        granted: dict[int, tuple[int, AppointmentStatus]] = {}
        for wish in [wish for wish in self._wishes if self._day(wish.days_ahead) <= day[0].on]:
            is_coming = any(patient_id == wish.patient_id for patient_id, _ in granted.values())
            fitting = (n for n, slot in enumerate(day) if n not in granted and wish.fits(slot, self._today))
            number = None if is_coming else next(fitting, None)
            if number is not None:
                granted[number] = (wish.patient_id, wish.status)
                self._wishes.remove(wish)
        return granted

    def _visit(self, slot: Slot, patient: PatientRow, status: AppointmentStatus | None) -> Visit:
        rng, offer = self._rng, slot.offer
        starts_at = instant(slot.on, slot.minute)
        ends_at = starts_at + timedelta(minutes=offer.duration)
        blocked_at = starts_at - timedelta(minutes=offer.buffer_before)
        status = status or status_of(slot, starts_at, ends_at, self._now, rng)
        user_id = self._account_of(patient)
        is_online = user_id is not None and rng.random() < 0.75
        source = Source.PORTAL if is_online else Source.DESK
        created_at = booked_at(source, starts_at, self._now, patient.created_at, rng)
        self._appointments += 1
        events = list(
            self._history(slot, starts_at, created_at, status, user_id if is_online else STAFF_USER)
        )
        appointment = AppointmentRow(
            id=self._appointments,
            patient_id=patient.id,
            doctor_id=slot.practice.doctor_id,
            service_id=offer.service_id,
            location_id=slot.location_id,
            room_id=None if offer.is_video else slot.practice.rooms.get(slot.location_id),
            starts_at=starts_at,
            ends_at=ends_at,
            blocked=f"[{blocked_at},{blocked_at + timedelta(minutes=offer.blocks)})",
            status=status.value,
            payment_status="",
            price_minor=offer.price_minor,
            payment_rule=PaymentRule.DESK.value,  # this clinic begins to take cards online today
            rule_cause=(RuleCause.SERVICE if offer.has_own_rule else RuleCause.CLINIC).value,
            cancellation_hours=offer.cancellation_hours,
            late_fee_minor=offer.late_fee_minor,
            refund_percent=REFUND_PERCENT,
            source=source.value,
            version=len(events) - 1,
            created_at=created_at,
            updated_at=self._last_change(status, starts_at, ends_at, events[-1].at),
            **steps_of(status, events[-1].at, starts_at, ends_at, self._now, self._habits)._asdict(),
        )
        paid, takings = self._takings.of(appointment, events[-1])
        return appointment._replace(payment_status=paid.value), events, takings

    def _account_of(self, patient: PatientRow) -> int | None:
        """The account that books for the patient: their own, or their guardian's."""
        if patient.guardian_id is not None:
            return self._patients[patient.guardian_id - 1].user_id
        return patient.user_id

    def _last_change(
        self, status: AppointmentStatus, starts_at: datetime, ends_at: datetime, last_event_at: datetime
    ) -> datetime:
        """When the row last changed. What happens in the house leaves no event, only this."""
        if status in {AppointmentStatus.COMPLETED, AppointmentStatus.NO_SHOW}:
            return ends_at
        if status is AppointmentStatus.IN_ROOM:
            return starts_at
        return self._now if status is AppointmentStatus.ARRIVED else last_event_at

    def _history(
        self,
        slot: Slot,
        starts_at: datetime,
        created_at: datetime,
        status: AppointmentStatus,
        by_user_id: int | None,
    ) -> Iterator[EventRow]:
        """Booked, sometimes moved, and how it ended if it came to nothing."""
        at, latest = created_at, min(starts_at, self._now)
        place = first_place = _place_in_time(slot, slot.on)
        is_moved = self._rng.random() < _MOVED_SHARE
        if is_moved:
            at = self._between(at, latest)
            first_place = _place_in_time(slot, _first_day(slot, at))
        yield self._event(EventKind.BOOKED, created_at, by_user_id, None, first_place)
        if is_moved:
            yield self._event(EventKind.MOVED, at, by_user_id, first_place, place)
        if status is AppointmentStatus.CANCELLED:
            is_by_desk = by_user_id == STAFF_USER or self._rng.random() < 0.2
            reason = self._rng.choice(_DESK_REASONS if is_by_desk else _PATIENTS_REASONS)
            by = STAFF_USER if is_by_desk else by_user_id
            yield self._event(EventKind.CANCELLED, self._between(at, latest), by, place, place, reason)

    def _event(
        self,
        kind: EventKind,
        at: datetime,
        by_user_id: int | None,
        before: str | None = None,
        after: str | None = None,
        reason: str | None = None,
    ) -> EventRow:
        self._events += 1
        return EventRow(self._events, self._appointments, kind.value, at, by_user_id, before, after, reason)

    def _between(self, earliest: datetime, latest: datetime) -> datetime:
        seconds = int((latest - earliest).total_seconds())
        return earliest + timedelta(seconds=self._rng.randrange(seconds) if seconds > 0 else 0)


def _first_day(slot: Slot, moved_at: datetime) -> date:
    """The day a moved visit was first booked for: a week before, or after where that is already over."""
    earlier = slot.on - _A_WEEK
    return earlier if instant(earlier, slot.minute) > moved_at else slot.on + _A_WEEK


def _place_in_time(slot: Slot, on: date) -> str:
    """What the events say of a visit's place in time, as JSON."""
    starts_at = instant(on, slot.minute)
    ends_at = starts_at + timedelta(minutes=slot.offer.duration)
    return json.dumps(
        {
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "doctor_id": slot.practice.doctor_id,
        }
    )
