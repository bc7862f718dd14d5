"""Names of what figures are grouped by."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from db.models import Doctor, Location, Service, User


class Named(str):
    """A name, and by its number whose it is: two may have the same."""

    number: int

    def __new__(cls, name: str, number: int) -> "Named":
        made = super().__new__(cls, name)
        made.number = number
        return made


def doctors(session: Session) -> dict[int, Named]:
    """Every doctor's name, also of those who have left."""
    return _named(session, select(Doctor.id, User.name).join(User, User.id == Doctor.user_id))


def services(session: Session) -> dict[int, Named]:
    return _named(session, select(Service.id, Service.name))


def places(session: Session) -> dict[int, Named]:
    return _named(session, select(Location.id, Location.name))


def specialties(session: Session) -> dict[int, str]:
    """Each doctor's specialties, as one name: who has several is a group of their own."""
    found = session.scalars(select(Doctor).options(selectinload(Doctor.specialties)))
    return {doctor.id: ", ".join(each.name for each in doctor.specialties) for doctor in found}


def _named(session: Session, query: Select[int, str]) -> dict[int, Named]:
    return {number: Named(name, number) for number, name in session.execute(query)}
