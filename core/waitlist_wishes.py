"""What may be wished for on the waitlist, and which times fit a wish."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core import clinics, clock
from core.errors import ClinicError, NotFound
from core.i18n import N_, short_date, span
from core.offers import SENTENCES, Rule
from db.models import Doctor, DoctorService, Service, doctor_specialties

WEEK = range(1, 8)
_DAY = timedelta(days=1)


class NobodyWished(ClinicError):
    message = N_("Please choose a doctor or a specialty.")


class CannotWaitFor(ClinicError):
    """The doctor cannot be waited for, with the rule by which."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.message = SENTENCES[rule]


class NobodyOffersIt(ClinicError):
    message = N_("Nobody of that specialty offers this service at present.")


class DaysOver(ClinicError):
    message = N_("Those days are over. Please choose days ahead.")


class DaysInDisorder(ClinicError):
    message = N_("The last day comes before the first. Please choose the days again.")


class DaysTooFar(ClinicError):
    message = N_("That is too far ahead: please choose days until {until}.")


class NoWeekday(ClinicError):
    message = N_("Please choose at least one weekday.")


class WeekdayMissed(ClinicError):
    message = N_("None of these weekdays is between those days. Please choose more of either.")


class TimesInDisorder(ClinicError):
    message = N_("The latest time comes before the earliest. Please choose the times again.")


class TimesTooShort(ClinicError):
    message = N_("The visit takes {span}: please leave that much between the earliest and the latest time.")


class Wish(NamedTuple):
    """What somebody waits for, named as the columns of an entry: the service of a doctor or of a specialty.

    Days and times are the clinic's; weekdays are ISO (Monday is 1). The visit lies between the times.
    """

    service_id: int
    doctor_id: int | None
    specialty_id: int | None
    from_on: date
    until_on: date
    weekdays: Sequence[int]
    from_time: time
    until_time: time


class DaysAndTimes(Protocol):
    """The part of a wish, or of an entry, that says when."""

    @property
    def from_on(self) -> date: ...
    @property
    def until_on(self) -> date: ...
    @property
    def weekdays(self) -> Sequence[int]: ...
    @property
    def from_time(self) -> time: ...
    @property
    def until_time(self) -> time: ...


class LocalTimes(NamedTuple):
    """A free time, and what clocks in the clinic show while the visit lasts."""

    starts_at: datetime
    begins: time
    ends: time


def by_day(free: Sequence[datetime], duration: timedelta, zone: ZoneInfo) -> dict[date, list[LocalTimes]]:
    """Free times (UTC, sorted) by day of the clinic, worked out once for all wishes.

    A visit ends on the day on which it begins, since the doctor's hours do.
    """
    days: dict[date, list[LocalTimes]] = {}
    for at in free:
        begins, ends = at.astimezone(zone), (at + duration).astimezone(zone)
        days.setdefault(begins.date(), []).append(LocalTimes(at, begins.time(), ends.time()))
    return days


def is_day(wish: DaysAndTimes, on: date) -> bool:
    """Whether a day of the clinic is one of those wished for."""
    return wish.from_on <= on <= wish.until_on and on.isoweekday() in wish.weekdays


def is_time(wish: DaysAndTimes, at: LocalTimes) -> bool:
    """Whether a visit lies within the times of the day that are wished for."""
    return wish.from_time <= at.begins and at.ends <= wish.until_time


def require_possible(session: Session, wish: Wish) -> None:
    """Raise what keeps a wish from ever being fulfilled, in a sentence for the person who has it.

    Raises `NobodyWished`, `CannotWaitFor`, `NobodyOffersIt`, `DaysOver`, `DaysInDisorder`, `DaysTooFar`,
    `NoWeekday`, `WeekdayMissed`, `TimesInDisorder`, `TimesTooShort`, `NotFound`.
    """
    service = session.get(Service, wish.service_id)
    if service is None:
        raise NotFound
    _require_somebody(session, wish)
    _require_days(session, wish, service)
    if wish.from_time >= wish.until_time:
        raise TimesInDisorder
    day = date(2000, 1, 1)
    if datetime.combine(day, wish.until_time) - datetime.combine(day, wish.from_time) < timedelta(
        minutes=service.duration_minutes
    ):
        raise TimesTooShort(span=span(service.duration_minutes))


def _require_somebody(session: Session, wish: Wish) -> None:
    if (wish.doctor_id is None) == (wish.specialty_id is None):
        raise NobodyWished
    offering = exists().where(
        DoctorService.doctor_id == Doctor.id,
        DoctorService.service_id == Service.id,
        Service.id == wish.service_id,
        Service.is_active,
    )
    if wish.doctor_id is None:
        of_it = exists().where(
            doctor_specialties.c.doctor_id == Doctor.id,
            doctor_specialties.c.specialty_id == wish.specialty_id,
        )
        takes = Doctor.is_active, Doctor.is_accepting_patients
        if session.scalar(select(Doctor.id).where(*takes, of_it, offering).limit(1)) is None:
            raise NobodyOffersIt
        return
    facts = select(Doctor.is_active, Doctor.is_accepting_patients, offering)
    row = session.execute(facts.where(Doctor.id == wish.doctor_id)).one_or_none()
    if row is None:
        raise NotFound
    rules = (Rule.DOCTOR_INACTIVE, Rule.NOT_ACCEPTING, Rule.NOT_OFFERED)
    for rule, holds in zip(rules, row, strict=True):
        if not holds:
            raise CannotWaitFor(rule)


def _require_days(session: Session, wish: Wish, service: Service) -> None:
    today = clock.now().astimezone(clinics.zone(session)).date()
    until = today + timedelta(days=service.horizon_days or clinics.settings(session).horizon_days)
    if wish.from_on > wish.until_on:
        raise DaysInDisorder
    if wish.until_on < today:
        raise DaysOver
    if wish.until_on > until:
        raise DaysTooFar(until=short_date(until))
    if not wish.weekdays or not set(wish.weekdays) <= set(WEEK):
        raise NoWeekday
    first = max(wish.from_on, today)
    if not any(is_day(wish, first + _DAY * ahead) for ahead in range((wish.until_on - first).days + 1)):
        raise WeekdayMissed
