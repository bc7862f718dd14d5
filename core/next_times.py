"""When doctors are next free for a service."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core import clinics, clock
from core.errors import NotFound
from core.slots import ANYWHERE, FIRST_FREE, Within, parameters
from db.models import Service
from db.session import run

_FORTNIGHT = timedelta(days=14)
_DAY = timedelta(days=1)


def of_doctors(
    session: Session,
    *,
    doctor_ids: Sequence[int],
    service_id: int,
    from_on: date | None = None,
    by_staff: bool = False,
    within: Within = ANYWHERE,
) -> dict[int, datetime]:
    """Each doctor's first free time for the service, from `from_on` or today; without one, left out.

    Looks a fortnight ahead first; only doctors full until then are searched to the horizon. Raises `NotFound`
    for an unknown service.
    """
    zone, now = clinics.zone(session), clock.now()
    today = now.astimezone(zone).date()
    start = max(from_on or today, today)
    found = _first_free(
        session, zone, now, doctor_ids, service_id, start, start + _FORTNIGHT, by_staff, within
    )
    if full := [doctor_id for doctor_id in doctor_ids if doctor_id not in found]:
        service = session.get(Service, service_id)
        if service is None:
            raise NotFound
        horizon = today + timedelta(days=service.horizon_days or clinics.settings(session).horizon_days)
        later = start + _FORTNIGHT + _DAY
        if later <= horizon:
            found |= _first_free(session, zone, now, full, service_id, later, horizon, by_staff, within)
    return found


def _first_free(
    session: Session,
    zone: ZoneInfo,
    now: datetime,
    doctor_ids: Sequence[int],
    service_id: int,
    from_on: date,
    until_on: date,
    by_staff: bool,
    within: Within,
) -> dict[int, datetime]:
    wanted = parameters(
        zone,
        now,
        doctor_ids=doctor_ids,
        service_id=service_id,
        from_on=from_on,
        until_on=until_on,
        by_staff=by_staff,
        ignoring=None,
        within=within,
    )
    return dict(run(session, FIRST_FREE, wanted))
