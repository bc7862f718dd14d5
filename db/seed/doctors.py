"""The doctors with everything that hangs on them: account, rooms, hours, services."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from db.base import Base
from db.models import (
    Doctor,
    DoctorService,
    Role,
    Room,
    Service,
    Sex,
    Specialty,
    WeeklyHours,
)
from db.seed.absences import Absences
from db.seed.accounts import staff_account
from db.seed.calendars import Schedule
from db.seed.cast import CAST, Part
from db.seed.clinics import CANCELLATION_HOURS, EVERYBODY_OFFERS, LATE_FEE_PERCENT, VIDEO, Offer
from db.seed.names import latin_name, login_letters
from db.seed.rows import UserRow

FIRST_DOCTOR_USER = 3  # after the administrator and the receptionist
_COMMON = {"Consultation": 8, "Follow-up": 6, VIDEO: 3}
_LEFT_AGO = timedelta(days=150)


@dataclass(frozen=True)
class Practice:
    """One doctor as the diary needs them."""

    doctor_id: int
    user_id: int
    name: str
    part: Part
    schedule: Schedule
    offers: list[Offer]
    weights: list[int]
    rooms: dict[int, int]  # by location
    is_active: bool

    @property
    def is_demo(self) -> bool:
        """Whether this is who signs in as `doctor`."""
        return self.doctor_id == 1


class Hiring:
    """Turns parts of the cast into doctors. `records` and `practices` grow with each one hired."""

    def __init__(self, services: list[Service], specialties: list[Specialty], today: date) -> None:
        self._services = {service.name: service for service in services}
        self._specialties = {specialty.name: specialty for specialty in specialties}
        self._today = today
        self.records: list[Base] = []
        self.practices: list[Practice] = []
        self._rooms = 0

    def hire(self, number: int, rng: Random) -> None:
        """Add doctor `number`, counted from 1. Beyond the cast, a part is played again by somebody else."""
        part = CAST[(number - 1) % len(CAST)]
        is_repeat = number > len(CAST)
        active = part.is_active or is_repeat
        practice = Practice(
            doctor_id=number,
            user_id=FIRST_DOCTOR_USER + number - 1,
            name=_another_name(rng, part.sex) if is_repeat else part.name,
            part=part,
            schedule=self._schedule(number, part, None if active else self._today - _LEFT_AGO, rng),
            offers=self._offers(number, part),
            weights=[_COMMON.get(name, 5) for name in _offered(part)],
            rooms=self._own_rooms(part),
            is_active=active,
        )
        doctor = Doctor(
            id=number,
            user_id=practice.user_id,
            bio=part.bio,
            languages=part.languages,
            is_accepting_patients=part.is_accepting_patients or is_repeat,
            is_active=active,
            specialties=[self._specialties[name] for name in part.specialties],
        )
        self.records.append(doctor)
        self.practices.append(practice)

    def accounts(self, since: datetime) -> Iterator[UserRow]:
        """The accounts behind the doctors hired. Whoever has left cannot sign in any more."""
        for practice in self.practices:
            account = staff_account(practice.user_id, _username(practice), Role.DOCTOR, practice.name, since)
            yield account._replace(is_active=practice.is_active)

    def _schedule(self, number: int, part: Part, left_on: date | None, rng: Random) -> Schedule:
        weekly = list(_weekly_hours(number, part, left_on))
        absences = Absences(self._today, rng, Schedule(weekly, [], []))
        overrides, time_off = absences.of(number, part.opens_saturdays) if left_on is None else ([], [])
        self.records += [*weekly, *overrides, *time_off]
        return Schedule(weekly, overrides, time_off)

    def _offers(self, number: int, part: Part) -> list[Offer]:
        offers = []
        for name, own_price in _offered(part).items():
            service = self._services[name]
            price = service.price_minor if own_price is None else own_price
            self.records.append(DoctorService(doctor_id=number, service_id=service.id, price_minor=own_price))
            offers.append(
                Offer(
                    service.id,
                    service.duration_minutes,
                    service.step_minutes,
                    service.buffer_before_minutes,
                    service.buffer_after_minutes,
                    price,
                    service.payment_rule is not None,
                    CANCELLATION_HOURS if service.cancellation_hours is None else service.cancellation_hours,
                    LATE_FEE_PERCENT if service.late_fee_percent is None else service.late_fee_percent,
                    service.is_video,
                )
            )
        return offers

    def _own_rooms(self, part: Part) -> dict[int, int]:
        """A room for this doctor alone wherever they work, so that no two visits can want one room."""
        rooms = {}
        for location_id in sorted({hours.location_id for hours in part.hours}) if part.has_room else ():
            self._rooms += 1
            self.records.append(
                Room(id=self._rooms, location_id=location_id, name=f"Room {100 + self._rooms}")
            )
            rooms[location_id] = self._rooms
        return rooms


def _offered(part: Part) -> dict[str, int | None]:
    return dict.fromkeys(EVERYBODY_OFFERS) | part.services


def _another_name(rng: Random, sex: Sex) -> str:
    return f"Dr. {latin_name(rng, sex).written(sex)}"


def _weekly_hours(doctor_id: int, part: Part, until: date | None) -> Iterator[WeeklyHours]:
    for hours in part.hours:
        for weekday in hours.weekdays:
            yield WeeklyHours(
                doctor_id=doctor_id,
                location_id=hours.location_id,
                weekday=int(weekday),
                opens_at=time.fromisoformat(hours.opens),
                closes_at=time.fromisoformat(hours.closes),
                valid_from_on=None,
                valid_until_on=until,
            )


def _username(practice: Practice) -> str:
    """The demo doctor signs in as `doctor`, the others have a user name made of their own."""
    if practice.is_demo:
        return "doctor"
    name = practice.name.removeprefix("Prof. ").removeprefix("Dr. ")
    return f"{login_letters(name)}.{practice.doctor_id}"
