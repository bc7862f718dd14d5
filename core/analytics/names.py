"""Names of what figures are grouped by."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from db.models import Doctor, Location, Service, User


def doctors(session: Session) -> dict[int, str]:
    """Every doctor's name, also of those who have left."""
    return _named(session, select(Doctor.id, User.name).join(User, User.id == Doctor.user_id))


def services(session: Session) -> dict[int, str]:
    return _named(session, select(Service.id, Service.name))


def places(session: Session) -> dict[int, str]:
    return _named(session, select(Location.id, Location.name))


def specialties(session: Session) -> dict[int, str]:
    """Each doctor's specialties, as one name: who has several is a group of their own."""
    found = session.scalars(select(Doctor).options(selectinload(Doctor.specialties)))
    return {doctor.id: ", ".join(each.name for each in doctor.specialties) for doctor in found}


def _named(session: Session, query: Select[int, str]) -> dict[int, str]:
    return {number: name for number, name in session.execute(query)}  # noqa: C416 - a Row is no pair to mypy
