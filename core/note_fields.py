"""What a note is made of: four parts in free words, and vitals with their units and what is plausible.

The fields are kept as typed while a note is a draft, and read when it is signed. The bounds are those of what
can be measured in a living person: they catch slips of the keyboard and say nothing about health.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from babel.numbers import NumberFormatError, format_decimal, parse_decimal

from core.errors import ClinicError
from core.i18n import N_, _, spoken
from core.texts import are_readable, several_lines
from db.models.notes import PLAUSIBLE

PART_LENGTH = 20_000
DRAFT_LENGTH = 200_000  # of all fields together, in characters: a draft may still be too long to sign
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "reason": N_("Reason for the visit"),
        "findings": N_("Findings"),
        "assessment": N_("Assessment"),
        "plan": N_("Plan"),
    }
)


class Vital(NamedTuple):
    """How a vital sign is typed and kept: the column's unit is the typed one times `times`."""

    label: str
    unit: str
    column: str
    times: int


VITALS: Mapping[str, Vital] = MappingProxyType(
    {
        "weight": Vital(N_("Weight"), "kg", "weight_grams", 1000),
        "height": Vital(N_("Height"), "cm", "height_mm", 10),
        "systolic": Vital(N_("Blood pressure, systolic"), "mmHg", "systolic_mmhg", 1),
        "diastolic": Vital(N_("Blood pressure, diastolic"), "mmHg", "diastolic_mmhg", 1),
        "pulse": Vital(N_("Pulse"), "/min", "pulse_bpm", 1),
        "temperature": Vital(N_("Temperature"), "°C", "temperature_decidegrees", 10),
        "spo2": Vital(N_("SpO₂"), "%", "spo2_percent", 1),
    }
)
FIELDS = (*PARTS, *VITALS)


class NoteEmpty(ClinicError):
    message = N_(
        "The note is empty. Please write at least the reason, the findings, the assessment or the plan."
    )


class PartTooLong(ClinicError):
    message = N_("{part} is too long: {length} characters at most. Nothing was lost; please shorten it.")


class PartUnreadable(ClinicError):
    message = N_("There are characters in {part} that cannot be shown. Please type that passage again.")


class NotANumber(ClinicError):
    message = N_("{vital}: please give a number in {unit}.")


class NotPlausible(ClinicError):
    message = N_("{vital}: {given} {unit} cannot be right. It must lie between {least} and {most} {unit}.")


class TooExact(ClinicError):
    message = N_("{vital}: please give fewer decimal places.")


class PressuresIncomplete(ClinicError):
    message = N_("Please give both blood pressures, or neither.")


class PressuresSwapped(ClinicError):
    message = N_("The systolic blood pressure must be higher than the diastolic one.")


def columns(fields: Mapping[str, str]) -> dict[str, str | int | None]:
    """The typed fields as a version of the note keeps them: parts as text, vitals in whole units.

    Raises `NoteEmpty`, `PartTooLong`, `PartUnreadable`, `NotANumber`, `NotPlausible`, `TooExact`,
    `PressuresIncomplete`, `PressuresSwapped`.
    """
    parts = {part: _part(part, fields.get(part, "")) for part in PARTS}
    if not any(parts.values()):
        raise NoteEmpty
    vitals = {vital.column: _measured(vital, fields.get(name, "")) for name, vital in VITALS.items()}
    systolic, diastolic = vitals["systolic_mmhg"], vitals["diastolic_mmhg"]
    if (systolic is None) != (diastolic is None):
        raise PressuresIncomplete
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        raise PressuresSwapped
    return {**parts, **vitals}


def _part(part: str, typed: str) -> str:
    text = several_lines(typed)
    if len(text) > PART_LENGTH:
        raise PartTooLong(part=_(PARTS[part]), length=PART_LENGTH)
    if not are_readable(text):
        raise PartUnreadable(part=_(PARTS[part]))
    return text


def _measured(vital: Vital, typed: str) -> int | None:
    """What was typed in the column's unit, None where nothing was."""
    given = typed.strip()
    if not given:
        return None
    number = _number(given)
    if number is None:
        raise NotANumber(vital=_(vital.label), unit=vital.unit)
    kept = number * vital.times
    least, most = PLAUSIBLE[vital.column]
    if not least <= kept <= most:
        raise NotPlausible(
            vital=_(vital.label),
            given=given[:20],
            unit=vital.unit,
            least=shown(vital, least),
            most=shown(vital, most),
        )
    if kept != kept.to_integral_value():
        raise TooExact(vital=_(vital.label))
    return int(kept)


def _number(given: str) -> Decimal | None:
    """A plain number with a comma or a point before its decimals, in the digits of the reader's language."""
    if any(character.isalpha() for character in given):  # "1e2" would be one
        return None
    try:
        number = parse_decimal(given, locale=spoken(), strict=True)
    except NumberFormatError:
        try:
            number = parse_decimal(given.replace(",", "."), locale="en", strict=True)
        except NumberFormatError:
            return None
    return number


def typed(values: Mapping[str, str | int | None]) -> dict[str, str]:
    """A version's columns as fields to type in: what `columns` would read back the same."""
    fields = {part: str(values[part] or "") for part in PARTS}
    for name, vital in VITALS.items():
        kept = values[vital.column]
        fields[name] = "" if kept is None else shown(vital, int(kept))
    return fields


def shown(vital: Vital, kept: int) -> str:
    """A column's value in the typed unit, in the reader's language: 72.5."""
    places = len(str(vital.times)) - 1
    return format_decimal(
        Decimal(kept) / vital.times, format="0." + "#" * places if places else "0", locale=spoken()
    )
