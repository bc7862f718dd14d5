"""What letters say before a doctor writes on: our words for each kind, or the clinic's own, with blanks."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, i18n, setting_changes
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, _, speaking, spoken
from core.message_templates import blanks
from core.message_wordings import BlankUnknown, BraceAlone, TextEmpty
from core.setting_changes import Subject
from core.texts import are_readable, several_lines
from db.models import LetterKind, LetterTemplate

LENGTH = 5_000
BLANKS = frozenset(
    ["patient", "born", "doctor", "clinic", "visit", "problems", "allergies", "medication", "first", "last"]
)
NAMES: Mapping[LetterKind, str] = MappingProxyType(
    {LetterKind.REFERRAL: N_("Referral letter"), LetterKind.SICK_NOTE: N_("Sick note")}
)
# A sick note goes to an employer: it says nothing about why.
WORDS: Mapping[LetterKind, str] = MappingProxyType(
    {
        LetterKind.REFERRAL: N_(
            "Dear colleague,\n\nthank you for seeing {patient}, born {born}, whom I saw on {visit}.\n\n"
            "Question:\n\n\nKnown problems: {problems}\nAllergies: {allergies}\nMedication: {medication}\n\n"
            "With kind regards,\n{doctor}"
        ),
        LetterKind.SICK_NOTE: N_(
            "To whom it may concern,\n\n{patient}, born {born}, was seen at {clinic} on {visit} and cannot "
            "work from {first} until {last}, both days included.\n\n{doctor}"
        ),
    }
)


class UnknownLetter(ClinicError):
    message = N_("There is no such letter.")


class WordsTooLong(ClinicError):
    message = N_("Please shorten it: {length} characters at most.")


class WordsUnreadable(ClinicError):
    message = N_("There are characters in it that cannot be shown. Please type it again.")


def of_kind(session: Session, kind: LetterKind) -> str:
    """What a letter says in the language spoken now, with its blanks: for services that have asked."""
    query = select(LetterTemplate.text).where(LetterTemplate.kind == kind, LetterTemplate.locale == spoken())
    return session.scalar(query) or _(WORDS[kind])


def filled(words: str, values: Mapping[str, str]) -> str:
    """`words` with its blanks filled in; a blank whose value is not known yet stays to be seen."""
    return re.sub(r"\{([a-z]+)\}", lambda found: values.get(found[1], found[0]), words)


def all_own(session: Session, actor: Actor) -> dict[tuple[LetterKind, str], str]:
    """The clinic's own words, by letter and language. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    rows = session.execute(select(LetterTemplate.kind, LetterTemplate.locale, LetterTemplate.text))
    return {(kind, locale): text for kind, locale, text in rows}


def preview(session: Session, actor: Actor, *, kind: LetterKind, locale: str, text: str) -> tuple[str, str]:
    """How a letter with these words reads about an invented patient, "" where they cannot be kept; then why
    not. Raises `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    try:
        given = _checked(kind, locale, text)
    except ClinicError as refusal:
        return "", str(refusal)
    today = clock.now().astimezone(clinics.zone(session)).date()
    with speaking(locale):
        values = {
            "patient": _("Maria Example"),
            "born": i18n.short_date(date(1980, 12, 31)),
            "doctor": _("Dr. Sample"),
            "clinic": clinics.settings(session).name,
            "visit": i18n.dated(today),
            "problems": _("Migraine with aura"),
            "allergies": _("Penicillin"),
            "medication": "–",
            "first": i18n.dated(today),
            "last": i18n.dated(today + timedelta(days=2)),
        }
    return filled(given, values), ""


def save(session: Session, actor: Actor, *, kind: LetterKind, locale: str, text: str) -> None:
    """Begin letters with the clinic's own words in one language.

    Raises `UnknownLetter`, `TextEmpty`, `WordsTooLong`, `WordsUnreadable`, `BraceAlone`, `BlankUnknown`,
    `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    given = _checked(kind, locale, text)
    with speaking(locale):
        is_ours = given == _(WORDS[kind])
    if is_ours:
        restore(session, actor, kind=kind, locale=locale)
        return
    before = _words(session, kind, locale)
    values = {"text": given, "changed_at": clock.now(), "changed_by_id": actor.user_id}
    session.execute(
        insert(LetterTemplate)
        .values(kind=kind, locale=locale, **values)
        .on_conflict_do_update(index_elements=["kind", "locale"], set_=values)
    )
    _note(session, actor, kind, locale, before, given)


def restore(session: Session, actor: Actor, *, kind: LetterKind, locale: str) -> None:
    """Begin letters with our words again. Safe to repeat. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    gone = session.scalars(
        delete(LetterTemplate)
        .where(LetterTemplate.kind == kind, LetterTemplate.locale == locale)
        .returning(LetterTemplate.text)
    ).all()
    for before in gone:
        _note(session, actor, kind, locale, before, _words(session, kind, locale))


def _words(session: Session, kind: LetterKind, locale: str) -> str:
    with speaking(locale):
        return of_kind(session, kind)


def _checked(kind: LetterKind, locale: str, text: str) -> str:
    if kind not in WORDS or locale not in i18n.languages():
        raise UnknownLetter
    given = several_lines(text)
    if not given:
        raise TextEmpty
    if len(given) > LENGTH:
        raise WordsTooLong(length=LENGTH)
    if not are_readable(given):
        raise WordsUnreadable
    try:
        used = blanks(given)
    except ValueError:
        used = [""]
    if not all(re.fullmatch(r"[a-z]+", name) for name in used):
        raise BraceAlone(example="{patient}")
    for name in used:
        if name not in BLANKS:
            known = ", ".join(f"{{{each}}}" for each in sorted(BLANKS))
            raise BlankUnknown(blank=f"{{{name}}}", known=known)
    return given


def _note(session: Session, actor: Actor, kind: LetterKind, locale: str, before: str, after: str) -> None:
    told = {"before": {"text": before}, "after": {"text": after}}
    setting_changes.note(session, actor, Subject.LETTER, 1, f"{kind.value}/{locale}", **told)
    audit.record(
        session,
        actor,
        audit.Event.SETTINGS_CHANGED,
        kind="settings",
        number=1,
        letter=kind.value,
        locale=locale,
    )
