"""What of a record is to be printed: a period and sections, chosen on a page or in an address."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

from core.errors import ClinicError
from core.i18n import N_
from core.note_fields import PARTS
from core.records import Record
from db.models import Letter, NoteVersion

LONG = 100_000  # characters: laying them out takes about a second
_A_VISIT = 250  # characters beside its note: when, with whom, who signed
_YEARS = range(1900, 2201)  # a slip of the keyboard is noticed, and no day is beyond the calendar's end


class Section(StrEnum):
    LISTS = "lists"
    VISITS = "visits"
    PRESCRIPTIONS = "prescriptions"
    LETTERS = "letters"
    FILES = "files"


ALL = tuple(Section)
SECTIONS = {
    Section.LISTS: N_("Lists"),
    Section.VISITS: N_("Visits"),
    Section.PRESCRIPTIONS: N_("Prescriptions"),
    Section.LETTERS: N_("Letters"),
    Section.FILES: N_("Files"),
}


class PeriodTurnedRound(ClinicError):
    message = N_("The last day of the period cannot be before the first.")


class PeriodUnreadable(ClinicError):
    message = N_("Please give the days of the period as in 2026-12-31.")


class NoSuchSection(ClinicError):
    message = N_("Please choose among the sections of the record, at least one.")


class Choices(NamedTuple):
    """The period, both its days included, and the sections in the order in which a record is read."""

    from_on: date | None
    until_on: date | None
    sections: tuple[Section, ...]

    def query(self) -> str:
        """The choices as an address has them after its question mark."""
        given = {"sections": ",".join(self.sections)}
        for name, on in (("from", self.from_on), ("until", self.until_on)):
            if on is not None:
                given[name] = on.isoformat()
        return urlencode(given, safe=",")


def chosen(from_on: date | None, until_on: date | None, sections: Iterable[str]) -> Choices:
    """The choices, if they can be. Raises `PeriodTurnedRound`, `NoSuchSection`."""
    given = set(sections)
    if not given or not given <= set(ALL):
        raise NoSuchSection
    if from_on and until_on and until_on < from_on:
        raise PeriodTurnedRound
    return Choices(from_on, until_on, tuple(section for section in ALL if section in given))


def from_query(query: Mapping[str, str]) -> Choices:
    """What an address asks for: `from`, `until`, and `sections` with commas between, each left out at will.

    Raises `PeriodUnreadable`, `PeriodTurnedRound`, `NoSuchSection`.
    """
    from_on, until_on = (day(query[name]) if query.get(name) else None for name in ("from", "until"))
    return chosen(from_on, until_on, query["sections"].split(",") if "sections" in query else ALL)


def day(text: str) -> date:
    """A day written as in 2026-12-31. Raises `PeriodUnreadable`."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise PeriodUnreadable
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise PeriodUnreadable from None
    if found.year not in _YEARS:
        raise PeriodUnreadable
    return found


def is_long(record: Record, notes: Iterable[Sequence[NoteVersion]], letters: Iterable[Letter]) -> bool:
    """Whether the whole history takes long enough that somebody who waits wants to see how far it is."""
    noted = sum(len(getattr(version, part)) for versions in notes for version in versions for part in PARTS)
    written = sum(len(letter.body) for letter in letters)
    return noted + written + _A_VISIT * (len(record.coming) + len(record.past)) > LONG
