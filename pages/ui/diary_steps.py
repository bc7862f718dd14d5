"""The minutes at which a visit that is dragged in a calendar may begin."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import gcd

from db.models import Appointment

FINEST_MINUTES, COARSEST_MINUTES = 5, 30  # that dragging goes by
_EMPTY_MINUTES = 15


def snap_minutes(visits: Sequence[Appointment]) -> int:
    """Minutes by which dragging goes: those at which all of these visits may begin."""
    together = gcd(*(visit.service.step_minutes for visit in visits)) or _EMPTY_MINUTES
    return min(max(together, FINEST_MINUTES), COARSEST_MINUTES)


def nearest_start(
    starts: datetime, visit: Appointment, hours: Sequence[tuple[datetime, datetime]]
) -> datetime:
    """Where a visit begins that was let go at `starts`: at the next step of its service, from opening on.

    Outside the hours there are no steps, and what is left where it was is not meant to move.
    """
    opens = next((opens for opens, closes in hours if opens <= starts < closes), None)
    if opens is None:
        return starts
    step = timedelta(minutes=visit.service.step_minutes)
    stepped = opens + (starts - opens + step / 2) // step * step
    return starts if stepped == visit.starts_at else stepped.astimezone(starts.tzinfo)
