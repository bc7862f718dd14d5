"""What patients looked for and did not find. Whose searches they were is not kept."""

from datetime import timedelta

from sqlalchemy import Integer, insert, literal, select
from sqlalchemy.orm import Session

from core import clock
from db.models import EmptySearch, Service

SAME_SEARCH = timedelta(minutes=10)  # a page that is drawn again searches again


def note_empty(
    session: Session, service_id: int, *, specialty_id: int | None = None, location_id: int | None = None
) -> None:
    """Note a search for which there was no free time: once in ten minutes for the same wish."""
    now = clock.now()
    wish = {"service_id": service_id, "specialty_id": specialty_id, "location_id": location_id}
    same = (getattr(EmptySearch, name).is_not_distinct_from(wanted) for name, wanted in wish.items())
    noted = select(EmptySearch.id).where(*same, EmptySearch.at > now - SAME_SEARCH)
    row = select(
        literal(now), Service.id, literal(specialty_id, Integer), literal(location_id, Integer)
    ).where(Service.id == service_id, ~noted.exists())
    session.execute(insert(EmptySearch).from_select(["at", *wish], row))
