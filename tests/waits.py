"""People who wait: wishes with believable days and times, and one turn of the job that offers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, waitlist_offers
from core.waitlist_wishes import Wish
from db.models import Appointment, WaitlistEntry, WaitlistOffer
from tests.cast import BERLIN, NOW, Cast

WEEK = (1, 2, 3, 4, 5)


def wish(cast: Cast, **changes: Any) -> Wish:
    """A check-up with Dr. Roth, on any weekday of the next three weeks, at any hour of the doctor's."""
    today = NOW.astimezone(BERLIN).date()
    wanted: dict[str, Any] = {
        "service_id": cast.checkup.id,
        "doctor_id": cast.dr_roth.id,
        "specialty_id": None,
        "from_on": today,
        "until_on": today + timedelta(days=20),
        "weekdays": WEEK,
        "from_time": time(9),
        "until_time": time(17),
    }
    return Wish(**wanted | changes)


def only(cast: Cast, on: date, at: time, **changes: Any) -> Wish:
    """The wish for one half hour of one day."""
    until = time(at.hour + (at.minute + 30) // 60, (at.minute + 30) % 60)
    when = {"from_on": on, "until_on": on, "weekdays": (on.isoweekday(),)}
    return wish(cast, **when | {"from_time": at, "until_time": until} | changes)


def entry(session: Session, patient_id: int, wanted: Wish, **changes: Any) -> WaitlistEntry:
    """A wish that waits, in the table only: nobody has asked whether it is possible."""
    values = {"patient_id": patient_id, "created_at": clock.now()} | wanted._asdict()
    made = WaitlistEntry(**values | {"weekdays": list(wanted.weekdays)} | changes)
    session.add(made)
    session.flush()
    return made


def scan(session: Session) -> int:
    """One turn of the job, within the test's own transaction; how many were offered something."""

    @contextmanager
    def nested() -> Iterator[Session]:
        with session.begin_nested():
            yield session

    return waitlist_offers.offer_freed(nested)


def offers(session: Session) -> list[WaitlistOffer]:
    """All offers there ever were, the oldest first."""
    query = select(WaitlistOffer).order_by(WaitlistOffer.id).execution_options(populate_existing=True)
    return list(session.scalars(query))


def held(session: Session, offer: WaitlistOffer) -> Appointment:
    """The visit that holds an offered time."""
    return session.get_one(Appointment, offer.appointment_id, populate_existing=True)
