"""Finding a doctor: by name, specialty, language, price and when they are next free."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from core import access, availability, searches
from core.access import Action, Actor
from core.errors import NotFound
from core.slots import ANYWHERE, Within
from core.texts import has_word, search_words
from db.models import Doctor, DoctorService, Location, Role, Service, Specialty, User, doctor_specialties

HIGHEST_PRICE_MINOR = 2**31 - 1  # what the price columns can hold


class Found(NamedTuple):
    """A doctor who offers the wanted service, at what price, and when next (UTC), if by the horizon."""

    doctor_id: int
    name: str
    price_minor: int
    next_at: datetime | None


class _Wish(TypedDict):
    doctor_ids: list[int]
    service_id: int
    by_staff: bool
    within: Within


def search(
    session: Session,
    actor: Actor,
    *,
    service_id: int,
    name: str = "",
    specialty_id: int | None = None,
    language: str | None = None,
    max_price_minor: int | None = None,
    on: date | None = None,
    within: Within = ANYWHERE,
) -> list[Found]:
    """The active doctors who offer the service and fit every wish, the soonest free first.

    `on` is a day of the clinic: only doctors free on it; and so for a place or a part of the day in `within`.
    Every word of `name` must begin a word of the doctor's name, without regard to case or accents. `profiles`
    loads those that are shown.
    """
    access.require(actor, Action.SEARCH_DOCTORS)
    price = func.coalesce(DoctorService.price_minor, Service.price_minor)
    query = (
        select(Doctor.id, User.name, price)
        .join(DoctorService, DoctorService.doctor_id == Doctor.id)
        .join(Service, Service.id == DoctorService.service_id)
        .join(Doctor.user)
        .where(Doctor.is_active, Service.is_active, Service.id == service_id)
    )
    for word in search_words(name):
        query = query.where(has_word(User.name_folded, word))
    if specialty_id is not None:
        offers = select(doctor_specialties.c.doctor_id).where(
            doctor_specialties.c.specialty_id == specialty_id
        )
        query = query.where(Doctor.id.in_(offers))
    if language is not None:
        query = query.where(Doctor.languages.contains([language]))
    if max_price_minor is not None:
        query = query.where(price <= min(max_price_minor, HIGHEST_PRICE_MINOR))
    rows = session.execute(query).all()
    found = _soonest_first(session, actor, rows, service_id, on, within)
    if not name and actor.role is Role.PATIENT and all(each.next_at is None for each in found):
        searches.note_empty(session, service_id, specialty_id=specialty_id, location_id=within.location_id)
    return found


def _soonest_first(
    session: Session,
    actor: Actor,
    rows: Sequence[Row[int, str, int]],
    service_id: int,
    on: date | None,
    within: Within,
) -> list[Found]:
    wish: _Wish = {
        "doctor_ids": [doctor_id for doctor_id, _name, _price in rows],
        "service_id": service_id,
        "by_staff": actor.is_desk,
        "within": within,
    }
    first: dict[int, datetime]
    if on is None:
        first = availability.next_available(session, **wish)
    else:
        free = availability.free_slots(session, **wish, from_on=on, until_on=on)
        first = {doctor_id: starts[0] for doctor_id, starts in free.items()}
    found = [Found(doctor_id, name, price, first.get(doctor_id)) for doctor_id, name, price in rows]
    if on is not None or within != ANYWHERE:
        found = [each for each in found if each.next_at is not None]
    return sorted(found, key=lambda each: (each.next_at is None, each.next_at, each.name))


def profiles(session: Session, actor: Actor, *, doctor_ids: Sequence[int]) -> dict[int, Doctor]:
    """The doctors of these numbers, each with account and specialties."""
    access.require(actor, Action.SEARCH_DOCTORS)
    rows = session.scalars(
        select(Doctor)
        .where(Doctor.id.in_(doctor_ids))
        .options(joinedload(Doctor.user), selectinload(Doctor.specialties))
    )
    return {doctor.id: doctor for doctor in rows}


def with_photo(session: Session, actor: Actor, *, doctor_ids: Sequence[int]) -> set[int]:
    """Those of these doctors of whom patients see a photo."""
    access.require(actor, Action.SEARCH_DOCTORS)
    return set(session.scalars(select(Doctor.id).where(Doctor.id.in_(doctor_ids), Doctor.photo.is_not(None))))


def photo(session: Session, actor: Actor, *, doctor_id: int) -> bytes:
    """The photo of an active doctor, a JPEG or a PNG. Raises `NotFound`."""
    access.require(actor, Action.SEARCH_DOCTORS)
    found = session.scalar(select(Doctor.photo).where(Doctor.id == doctor_id, Doctor.is_active))
    if found is None:
        raise NotFound
    return found


def find(session: Session, actor: Actor, doctor_id: int) -> Doctor | None:
    """One active doctor with account and specialties, None when there is none of that number."""
    access.require(actor, Action.SEARCH_DOCTORS)
    return session.scalar(
        select(Doctor)
        .where(Doctor.id == doctor_id, Doctor.is_active)
        .options(joinedload(Doctor.user), selectinload(Doctor.specialties))
    )


def offering(session: Session, actor: Actor, *, service_id: int) -> list[Doctor]:
    """The doctors with whom patients can book a service, with account and specialties, by name."""
    access.require(actor, Action.SEARCH_DOCTORS)
    rows = session.scalars(
        select(Doctor)
        .join(DoctorService, DoctorService.doctor_id == Doctor.id)
        .join(Doctor.user)
        .where(Doctor.is_active, Doctor.is_accepting_patients, DoctorService.service_id == service_id)
        .options(joinedload(Doctor.user), selectinload(Doctor.specialties))
        .order_by(User.name, Doctor.id)
    )
    return list(rows)


def offered_services(session: Session, actor: Actor, doctor_id: int) -> list[tuple[Service, int]]:
    """What the doctor offers, with the doctor's price in minor units, the shortest first."""
    access.require(actor, Action.SEARCH_DOCTORS)
    price = func.coalesce(DoctorService.price_minor, Service.price_minor)
    rows = session.execute(
        select(Service, price)
        .join(DoctorService, DoctorService.service_id == Service.id)
        .where(DoctorService.doctor_id == doctor_id, Service.is_active)
        .order_by(Service.duration_minutes, Service.name)
    )
    return [(service, amount) for service, amount in rows]


def bookable_services(session: Session, actor: Actor) -> list[Service]:
    """The services that at least one active doctor offers, those of most doctors first."""
    access.require(actor, Action.SEARCH_DOCTORS)
    rows = session.scalars(
        select(Service)
        .join(DoctorService, DoctorService.service_id == Service.id)
        .join(Doctor, Doctor.id == DoctorService.doctor_id)
        .where(Service.is_active, Doctor.is_active)
        .group_by(Service.id)
        .order_by(func.count().desc(), Service.name)
    )
    return list(rows)


def places(session: Session, actor: Actor) -> list[Location]:
    """The clinic's places that are in use, by name."""
    access.require(actor, Action.SEARCH_DOCTORS)
    return list(session.scalars(select(Location).where(Location.is_active).order_by(Location.name)))


def specialties(session: Session, actor: Actor) -> list[Specialty]:
    """The specialties of the clinic's active doctors, by name."""
    access.require(actor, Action.SEARCH_DOCTORS)
    practised = select(doctor_specialties.c.specialty_id).join(Doctor).where(Doctor.is_active)
    return list(
        session.scalars(select(Specialty).where(Specialty.id.in_(practised)).order_by(Specialty.name))
    )


def languages(session: Session, actor: Actor) -> list[str]:
    """The ISO 639-1 codes of the languages the clinic's active doctors speak."""
    access.require(actor, Action.SEARCH_DOCTORS)
    spoken = select(func.unnest(Doctor.languages)).where(Doctor.is_active).distinct()
    return sorted(session.scalars(spoken))


def all_active(session: Session, actor: Actor) -> list[Doctor]:
    """Every active doctor with account, by name: what the desk chooses from."""
    access.require(actor, Action.SEARCH_DOCTORS)
    rows = session.scalars(
        select(Doctor)
        .where(Doctor.is_active)
        .join(Doctor.user)
        .options(joinedload(Doctor.user))
        .order_by(User.name)
    )
    return list(rows)
