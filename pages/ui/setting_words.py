"""What administrators set up, in words: the fields of the history and their values."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from core.i18n import N_, _, dated, full_weekday, money, span, wall_clock
from core.languages import language_name, locale_name
from core.letter_wordings import NAMES as LETTERS
from core.setting_changes import Line, Subject
from db.models import AnswerKind, Paper
from pages.ui.message_words import NAMES as MESSAGES
from pages.ui.price_fields import RULES

SUBJECTS = {
    Subject.CLINIC: N_("Clinic"),
    Subject.PRICES: N_("Prices and payment"),
    Subject.SERVICE: N_("Service"),
    Subject.PLACE: N_("Place"),
    Subject.ROOM: N_("Room"),
    Subject.CLOSED_DAY: N_("Closed day"),
    Subject.DOCTOR: N_("Doctor"),
    Subject.SPECIALTY: N_("Specialty"),
    Subject.HOURS: N_("Hours"),
    Subject.LETTERHEAD: N_("Letterhead"),
    Subject.LETTER: N_("Words of a letter"),
    Subject.MESSAGES: N_("Messages"),
    Subject.MESSAGE_TEXT: N_("Words of a message"),
    Subject.QUESTION: N_("Question before visits"),
    Subject.PROFILE: N_("Doctor's profile"),
}
FIELDS = {
    "address": N_("Address"),
    "answer": N_("Kind of answer"),
    "bio": N_("What patients read"),
    "buffer_after_minutes": N_("Kept free after it (minutes)"),
    "buffer_before_minutes": N_("Kept free before it (minutes)"),
    "choices": N_("Answers to choose from"),
    "cancellation_hours": N_("Cancelling is late from (hours before)"),
    "currency": N_("Currency"),
    "deposit_minor": N_("Deposit"),
    "deposit_percent": N_("Deposit (%)"),
    "description": N_("What patients read about it"),
    "duration_minutes": N_("Takes (minutes)"),
    "first_visit_rule": N_("Due on a first visit"),
    "from_on": N_("From"),
    "on_date": N_("Day"),
    "until_on": N_("Until"),
    "horizon_days": N_("Booked at most ahead (days)"),
    "is_accepting_patients": N_("Patients can book online"),
    "is_active": N_("In use"),
    "is_asked": N_("Asked"),
    "is_required": N_("Must be answered"),
    "is_video": N_("By video"),
    "languages": N_("Languages"),
    "late_fee_percent": N_("Late fee (%)"),
    "locale": N_("The clinic's language"),
    "locales": N_("Languages to choose from"),
    "logo": N_("Logo"),
    "minimum_notice_minutes": N_("Booked at least ahead (minutes)"),
    "name": N_("Name"),
    "needs_room": N_("Needs a room"),
    "no_show_limit": N_("Missed visits before the stricter rule"),
    "no_show_rule": N_("Due after missed visits"),
    "paper": N_("Paper"),
    "patient_idle_minutes": N_("Patients are signed out after (minutes)"),
    "payment_rule": N_("Due when booked online"),
    "phone": N_("Phone of reception"),
    "photo": N_("Photo"),
    "place": N_("Place"),
    "place_in_list": N_("Place in the list"),
    "price_minor": N_("Price"),
    "question": N_("Question"),
    "quiet_from": N_("No texts from"),
    "quiet_until": N_("No texts until"),
    "record_retention_years": N_("Records are kept (years)"),
    "refund_percent": N_("Goes back when cancelled in time (%)"),
    "reminder_minutes": N_("Reminders before the visit"),
    "requires_second_factor": N_("A second step for people who work here"),
    "rooms": N_("Rooms that will do"),
    "services": N_("Services"),
    "specialties": N_("Specialties"),
    "staff_idle_minutes": N_("People who work here are signed out after (minutes)"),
    "step_minutes": N_("Starts every (minutes)"),
    "text": N_("Text"),
    "text_name": N_("Name in text messages"),
    "time_zone": N_("Time zone"),
    "unpaid_holds": N_("Unpaid visits that one account may hold"),
    "waitlist_offer_minutes": N_("A time from the waitlist is kept for"),
}
NOTHING = "–"
_PICTURES = {"one": N_("one"), "another": N_("another one")}
ANSWERS = {
    AnswerKind.TEXT: N_("In their own words"),
    AnswerKind.YES_NO: N_("Yes or no"),
    AnswerKind.CHOICE: N_("One of several answers"),
}
PAPERS = {Paper.A4: N_("A4"), Paper.LETTER: N_("US Letter")}


def _one_of(words: Mapping[Any, str]) -> Callable[[Any], str]:
    return lambda value: _(words[value]) if value in words else str(value)


def _several(named: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda values: ", ".join(map(named, values))


def _time(value: str) -> str:
    return wall_clock(time.fromisoformat(value))


def _day(value: str) -> str:
    return dated(date.fromisoformat(value))


# Values that say nothing as they are kept.
_WORDS: dict[str, Callable[[Any], str]] = {
    "answer": _one_of(ANSWERS),
    "first_visit_rule": _one_of(RULES),
    "from_on": _day,
    "languages": _several(language_name),
    "locale": locale_name,
    "locales": _several(locale_name),
    "logo": _one_of(_PICTURES),
    "no_show_rule": _one_of(RULES),
    "on_date": _day,
    "paper": _one_of(PAPERS),
    "payment_rule": _one_of(RULES),
    "photo": _one_of(_PICTURES),
    "quiet_from": _time,
    "quiet_until": _time,
    "reminder_minutes": _several(span),
    "until_on": _day,
    "waitlist_offer_minutes": span,
}


def title(line: Line) -> str:
    """What was changed: as it was called then, or which message or letter in which language."""
    if line.subject not in {Subject.MESSAGE_TEXT, Subject.LETTER}:
        return line.title
    name, _slash, locale = line.title.partition("/")
    names: Mapping[Any, str] = MESSAGES if line.subject is Subject.MESSAGE_TEXT else LETTERS
    return f"{_(names.get(name, name))} · {locale_name(locale)}"


def field_name(field: str) -> str:
    """What a field of a change is called."""
    if field.startswith("weekday_"):
        return full_weekday(int(field.removeprefix("weekday_")))
    known = FIELDS.get(field)
    return _(known) if known else field.replace("_", " ")


def field_value(field: str, value: Any, currency: str) -> str:
    """A value of a change as one reads it: sums in the clinic's currency."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if field in _WORDS:
        return _WORDS[field](value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, dict):  # services with their own prices
        priced = (name if own is None else f"{name} ({money(own, currency)})" for name, own in value.items())
        return ", ".join(priced)
    return money(value, currency) if field.endswith("_minor") else str(value)
