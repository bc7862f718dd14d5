"""A doctor's calendar as a grid: what is drawn in it, and what dragging and stretching there ask for.

The grid knows nothing of time zones: it is given the clinic's wall time as if that were UTC, so that it shows
the same in every browser, and what it gives back is wall time again.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from streamlit_calendar import calendar

from core import appointments, clock, diary_changes
from core.days import Entry
from core.i18n import _, first_weekday, is_twelve_hour, spoken
from db.models import Appointment, AppointmentStatus
from pages.ui.diary_steps import nearest_start, snap_minutes
from pages.ui.diary_styles import STYLE
from pages.ui.diary_views import View
from pages.ui.words import STATUS

EARLIEST, LATEST = time(8), time(18)  # shown at least
SLOT_MINUTES, SLOT_PIXELS = 15, 24  # a visit of ten minutes has room for one line
SHORTEST_PIXELS = 16
MONTH_PIXELS, LIST_PIXELS = 760, 560
# Dark enough for white letters on a page of either colour; the state is written beside it too.
COLORS = {
    AppointmentStatus.PENDING: "#8a5300",
    AppointmentStatus.CONFIRMED: "#1f5fa6",
    AppointmentStatus.ARRIVED: "#6a3fa0",
    AppointmentStatus.IN_ROOM: "#1c7238",
    AppointmentStatus.COMPLETED: "#5f6368",
    AppointmentStatus.NO_SHOW: "#b3261e",
}
WANTED_COLOR, OUTSIDE = "#b0306a", "#80868b"


class Wanted(NamedTuple):
    """A change that was dragged and not saved yet: where the visit is to begin and end, in wall time."""

    visit: Appointment
    starts: datetime
    ends: datetime

    @property
    def is_move(self) -> bool:
        return self.starts != _wall(self.visit.starts_at, self.starts.tzinfo)


def draw(
    key: str,
    view: View,
    first: date,
    zone: tzinfo,
    *,
    visits: Sequence[Appointment],
    hours: Sequence[tuple[datetime, datetime]],
    away: Sequence[Entry],
    wanted: Wanted | None,
) -> None:
    """Draw the grid; what somebody does in it is under `key` in the session at the next run."""
    shown = [_event(visit, view, zone, wanted) for visit in visits]
    if view is View.WEEK:
        shown += [_background(opens, closes, zone, groupId="hours") for opens, closes in hours]
        shown += [] if hours else [_shade(first)]
        shown += [
            {
                "start": _written(each.starts_at, zone),
                "end": _written(each.ends_at, zone),
                "display": "background",
                "title": _("Away"),
                "color": "#9aa0a6",
            }
            for each in away
        ]
    calendar(
        events=shown,
        options=_options(view, first, zone, visits, hours),
        custom_css=STYLE,
        callbacks=["eventClick", "eventChange"],
        license_key="GPL-My-Project-Is-Open-Source",
        key=key,
    )


def clicked(value: Any, visits: Sequence[Appointment]) -> Appointment | None:
    """The visit that was pressed in the grid, if one was."""
    return _named(value, "eventClick", visits)


def dragged(
    value: Any,
    visits: Sequence[Appointment],
    zone: tzinfo,
    hours: Sequence[tuple[datetime, datetime]] = (),
) -> Wanted | None:
    """The change that was dragged in the grid, if it is one; whatever else a browser may send is none.

    A visit that is moved goes to the nearest time within `hours` at which one of its kind may begin.
    """
    visit = _named(value, "eventChange", visits)
    if visit is None:
        return None
    with suppress(KeyError, TypeError, ValueError):
        event = value["eventChange"]["event"]
        starts, ends = (datetime.fromisoformat(event[each]).replace(tzinfo=zone) for each in ("start", "end"))
        wanted = Wanted(visit, starts, ends)
        if wanted.is_move:
            starts = nearest_start(starts, visit, hours)
            return Wanted(visit, starts, starts + (visit.ends_at - visit.starts_at))
        return wanted if ends != _wall(visit.ends_at, zone) else None
    return None


def _named(value: Any, what: str, visits: Sequence[Appointment]) -> Appointment | None:
    with suppress(KeyError, TypeError):
        number = value[what]["event"]["id"]
        return next((visit for visit in visits if str(visit.id) == number), None)
    return None


def may_move(visit: Appointment) -> bool:
    """Whether a visit is ahead and booked, so that its time may change."""
    return visit.status in appointments.CHANGEABLE and not visit.is_offered and visit.starts_at > clock.now()


def may_stretch(visit: Appointment) -> bool:
    """Whether a visit is not over yet, so that its end may change."""
    return visit.status in diary_changes.STRETCHABLE and visit.ends_at > clock.now()


def _event(visit: Appointment, view: View, zone: tzinfo, wanted: Wanted | None) -> dict[str, Any]:
    is_wanted = wanted is not None and wanted.visit is visit
    starts, ends = _wall(visit.starts_at, zone), _wall(visit.ends_at, zone)
    if wanted is not None and is_wanted:
        starts, ends = wanted.starts, wanted.ends
    words = [visit.patient.name, *([] if view is View.MONTH else [visit.service.name])]
    if visit.is_offered:
        words.append(_("Offered"))
    elif visit.status is not AppointmentStatus.CONFIRMED:
        words.append(_(STATUS[visit.status][0]))
    if is_wanted:
        words.append(_("not saved yet"))
    return {
        "id": str(visit.id),
        "title": " · ".join(words),
        "start": starts.replace(tzinfo=None).isoformat(),
        "end": ends.replace(tzinfo=None).isoformat(),
        "color": WANTED_COLOR if is_wanted else COLORS[visit.status],
        "textColor": "#ffffff",
        "display": "block",
        "startEditable": may_move(visit),
        "durationEditable": view is View.WEEK and may_stretch(visit),
    }


def _background(starts_at: datetime, ends_at: datetime, zone: tzinfo, **more: str) -> dict[str, Any]:
    """Whatever lies outside the stretches of one group is shaded."""
    return {
        "start": _written(starts_at, zone),
        "end": _written(ends_at, zone),
        "display": "inverse-background",
        "color": OUTSIDE,
        **more,
    }


def _shade(first: date) -> dict[str, Any]:
    """A whole week without hours: there is no stretch that the shade could lie outside of."""
    begins = datetime.combine(first, time())
    return {
        "start": begins.isoformat(),
        "end": (begins + timedelta(days=7)).isoformat(),
        "display": "background",
        "color": OUTSIDE,
    }


def _options(
    view: View,
    first: date,
    zone: tzinfo,
    visits: Sequence[Appointment],
    hours: Sequence[tuple[datetime, datetime]],
) -> dict[str, Any]:
    stretches = [*hours, *((visit.starts_at, visit.ends_at) for visit in visits)]
    opens = min([EARLIEST, *(_wall(each, zone).time().replace(minute=0) for each, _end in stretches)])
    closes = max([LATEST, *(_wall(each, zone).time() for _start, each in stretches)])
    crosses = any(_wall(begins, zone).date() != _wall(ends, zone).date() for begins, ends in stretches)
    clock_face = {"hour": "numeric", "minute": "2-digit", "hour12": is_twelve_hour()}
    return {
        "timeZone": "UTC",
        "now": _written(clock.now(), zone),
        "initialView": view.value,
        "initialDate": first.isoformat(),
        "views": {View.LIST.value: {"type": "list", "duration": {"days": 7}}},
        "headerToolbar": False,
        "height": _height(view, opens, time(23, 59) if crosses else closes),
        "locale": spoken().replace("_", "-").lower(),
        "firstDay": (first_weekday() + 1) % 7,  # it counts from Sunday
        "allDaySlot": False,
        "slotMinTime": f"{opens:%H:%M}:00",
        "slotMaxTime": "24:00:00" if crosses else f"{closes:%H:%M}:00",
        "eventShortHeight": 2 * SLOT_PIXELS - 8,  # has no room for a line below that with the time
        "eventMinHeight": SHORTEST_PIXELS,
        "slotEventOverlap": False,  # two at a time stand side by side
        "slotDuration": f"00:{SLOT_MINUTES}:00",
        "slotLabelInterval": "01:00:00",
        "snapDuration": f"00:{snap_minutes(visits):02}:00",
        "expandRows": True,
        "nowIndicator": True,
        "dayMaxEvents": True,
        "eventInteractive": True,  # to be reached and opened with the keyboard
        "eventTimeFormat": clock_face,
        "slotLabelFormat": clock_face,
        "noEventsText": _("No visits on these days."),
        "moreLinkText": _("more"),
    }


def _height(view: View, opens: time, closes: time) -> int:
    """In pixels: nothing scrolls within the grid but a long list."""
    if view is not View.WEEK:
        return MONTH_PIXELS if view is View.MONTH else LIST_PIXELS
    minutes = (closes.hour - opens.hour) * 60 + closes.minute
    return 40 + minutes // SLOT_MINUTES * SLOT_PIXELS


def _wall(at: datetime, zone: tzinfo | None) -> datetime:
    return at.astimezone(zone)


def _written(at: datetime, zone: tzinfo) -> str:
    return _wall(at, zone).replace(tzinfo=None).isoformat()
