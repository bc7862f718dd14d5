"""A clinic's own words for its messages: previewed, checked and kept, by message and language."""

import re
from datetime import datetime
from string import Formatter
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, i18n, setting_changes, sms_lengths
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, _, speaking
from core.message_templates import CARRIER_WORDS, TEMPLATES, Template, blanks, filled, own_words, wording
from core.setting_changes import Subject
from db.config import config
from db.models import MessageTemplate

LENGTH = 320  # characters; more than two segments cost too much and read badly


class TextEmpty(ClinicError):
    message = N_("Please write what the message is to say.")


class TextTooLong(ClinicError):
    message = N_("That is too long for a text message: {length} characters at most.")


class BlankUnknown(ClinicError):
    message = N_("There is nothing to put in place of {blank}. You can use {known}.")


class BlankMissing(ClinicError):
    message = N_("The message must still have {blank}, or it tells nobody anything.")


class BraceAlone(ClinicError):
    message = N_("A brace stands alone. Please write names as in {example}.")


class CarrierWord(ClinicError):
    message = N_("Phone companies take “{word}” for a wish about all texts. Please use another word.")


class UnknownTemplate(ClinicError):
    message = N_("There is no such message or language.")


class Preview(NamedTuple):
    """A message as somebody gets it, and how many segments it takes in which alphabet.

    Where it could not be saved, `refusal` says why, and there is nothing else.
    """

    body: str = ""
    segments: int = 0
    is_short_alphabet: bool = True
    refusal: str = ""


def preview(session: Session, actor: Actor, *, name: str, locale: str, text: str) -> Preview:
    """How `text` reads as the message `name`, about an invented visit. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    try:
        given = _checked(name, locale, text)
    except ClinicError as refusal:
        return Preview(refusal=str(refusal))
    settings, zone = clinics.settings(session), clinics.zone(session)
    on = datetime(clock.now().year, 11, 25, tzinfo=zone)  # a long date: two digits
    with speaking(locale):
        values = {
            "clinic": settings.text_name or settings.name,
            "when": i18n.day_and_time(on.replace(hour=10, minute=30), zone),
            "until": i18n.clock_time(on.replace(hour=17, minute=30), zone),
            "link": f"{config().public_url}/my_appointments",
            "amount": i18n.money(4500, settings.currency),
            "minutes": "20",
        }
    body = filled(given, values)
    return Preview(body, sms_lengths.segments(body), sms_lengths.is_gsm(body))


def all_own(session: Session, actor: Actor) -> dict[tuple[str, str], str]:
    """The clinic's own words, by message and language."""
    access.require(actor, Action.CHANGE_SETTINGS)
    rows = session.execute(select(MessageTemplate.name, MessageTemplate.locale, MessageTemplate.text))
    return {(name, locale): text for name, locale, text in rows}


def save(session: Session, actor: Actor, *, name: str, locale: str, text: str) -> None:
    """Use the clinic's own words for a message in one language.

    Raises `UnknownTemplate`, `TextEmpty`, `TextTooLong`, `BraceAlone`, `BlankUnknown`, `BlankMissing`,
    `CarrierWord`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    given = _checked(name, locale, text)
    before = _present(session, name, locale)
    language = i18n.without_country(locale)
    inherited = own_words(session, name, language) if language != locale else None
    with speaking(locale):
        if given == (inherited or _(TEMPLATES[name].text)):
            _forget(session, actor, name, locale)
            return
    values = {"text": given, "changed_at": clock.now(), "changed_by_id": actor.user_id}
    session.execute(
        insert(MessageTemplate)
        .values(name=name, locale=locale, **values)
        .on_conflict_do_update(index_elements=["name", "locale"], set_=values)
    )
    _record(session, actor, name, locale, before, given)


def restore(session: Session, actor: Actor, *, name: str, locale: str) -> None:
    """Use our words again. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    _forget(session, actor, name, locale)


def _forget(session: Session, actor: Actor, name: str, locale: str) -> None:
    gone = session.scalars(
        delete(MessageTemplate)
        .where(MessageTemplate.name == name, MessageTemplate.locale == locale)
        .returning(MessageTemplate.text)
    ).all()
    for before in gone:
        _record(session, actor, name, locale, before, _present(session, name, locale))


def _present(session: Session, name: str, locale: str) -> str:
    with speaking(locale):
        return wording(session, name)


def _record(session: Session, actor: Actor, name: str, locale: str, before: str, after: str) -> None:
    told = {"before": {"text": before}, "after": {"text": after}}
    setting_changes.note(session, actor, Subject.MESSAGE_TEXT, 1, f"{name}/{locale}", **told)
    audit.record(
        session, actor, audit.Event.SETTINGS_CHANGED, kind="settings", number=1, message=name, locale=locale
    )


def _checked(name: str, locale: str, text: str) -> str:
    """`text` on one line, if it can be sent as the message `name`."""
    if name not in TEMPLATES or locale not in i18n.languages():
        raise UnknownTemplate
    given = " ".join(text.replace("\0", "").split())
    _check(TEMPLATES[name], given)
    return given


def _check(template: Template, text: str) -> None:
    if not text:
        raise TextEmpty
    if len(text) > LENGTH:
        raise TextTooLong(length=LENGTH)
    try:
        given = blanks(text)
        is_plain = all(re.fullmatch(r"[a-z]+", name) for name in given) and not _has_forms(text)
    except ValueError:
        is_plain = False
    if not is_plain:
        raise BraceAlone(example="{when}")
    for name in given:
        if name not in template.needs:
            known = ", ".join(f"{{{each}}}" for each in sorted(template.needs))
            raise BlankUnknown(blank=f"{{{name}}}", known=known)
    for name in sorted(template.needs - set(given)):
        raise BlankMissing(blank=f"{{{name}}}")
    said = re.findall(r"\w+", text.upper())
    for word in said:
        if word in CARRIER_WORDS:
            raise CarrierWord(word=word)


def _has_forms(text: str) -> bool:
    """Whether a blank has a form of its own: `{when:>2000}` would make a text of any length."""
    return any(form or conversion for _before, _name, form, conversion in Formatter().parse(text))
