"""Stretches of working time as people write them: 9-12, 13:00-17:30; what lies between two is a break."""

import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import time
from typing import NamedTuple

from core.errors import ClinicError
from core.i18n import N_

_TIME = r"(\d{1,2})(?:[:.h]?([0-5]\d))?\s*([ap]\.?m\.?)?"
_STRETCH = re.compile(rf"{_TIME}\s*(?:-|–|—|to|bis)\s*{_TIME}", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;/&+\s]*|\s*(?:and|und)\s*", re.IGNORECASE)
LONGEST_TEXT = 120


class NoHours(ClinicError):
    message = N_("{day}: please write hours like 09:00–12:00, 13:00–17:30.")


class UpsideDown(ClinicError):
    message = N_("{day}: {hours} ends before it begins.")


class HoursOverlap(ClinicError):
    message = N_("{day}: {first} and {second} overlap.")


class Stretch(NamedTuple):
    """From when until when somebody works at a place, in the clinic's wall time and whole minutes."""

    opens_at: time
    closes_at: time
    location_id: int

    def __str__(self) -> str:
        return f"{self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


def parsed(text: str, location_id: int, *, day: str) -> list[Stretch]:
    """What somebody wrote as the hours of a `day`, in order. Raises `NoHours`, which names the day."""
    found, end = [], 0
    for match in _STRETCH.finditer(text):
        if not _BETWEEN.fullmatch(text[end : match.start()]):
            raise NoHours(day=day)
        opens, closes = _time(match.groups()[:3]), _time(match.groups()[3:])
        if opens is None or closes is None:
            raise NoHours(day=day)
        found.append(Stretch(opens, closes, location_id))
        end = match.end()
    if not _BETWEEN.fullmatch(text[end:]) or len(text) > LONGEST_TEXT:
        raise NoHours(day=day)
    return sorted(found)


def _time(parts: Sequence[str | None]) -> time | None:
    hours, minutes, half = int(parts[0] or 0), int(parts[1] or 0), (parts[2] or "").lower()
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.startswith("p") else 0)
    if (hours, minutes) == (24, 0):
        return time(23, 59)  # the last minute that a stretch can reach
    return time(hours, minutes) if hours < 24 else None


def written(stretches: Iterable[Stretch], location_id: int) -> str:
    """The stretches at one place as `parsed` reads them."""
    return ", ".join(str(each) for each in sorted(stretches) if each.location_id == location_id)


def require_sound(stretches: Iterable[Stretch], *, day: str) -> None:
    """Raise `UpsideDown` or `HoursOverlap` for stretches of one day that cannot all be."""
    ordered = sorted(stretches)
    for each in ordered:
        if each.opens_at >= each.closes_at:
            raise UpsideDown(day=day, hours=str(each))
    for first, second in itertools.pairwise(ordered):
        if second.opens_at < first.closes_at:
            raise HoursOverlap(day=day, first=str(first), second=str(second))


def minutes(stretches: Iterable[Stretch]) -> int:
    """How long they are together."""
    return sum(
        (each.closes_at.hour - each.opens_at.hour) * 60 + each.closes_at.minute - each.opens_at.minute
        for each in stretches
    )
