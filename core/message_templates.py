"""What our messages say, in a sentence each, and a clinic's own words in place of it.

Texts are read by whoever holds the phone, and by carriers on the way: they name the clinic and a time, never
a service, a specialty or a doctor. A text asks for C, R, N or Y; the words that carriers take for "no more
texts" (docs: twilio.com/docs/messaging/tutorials/advanced-opt-out) stand in none but the one that means it.
"""

import re
from datetime import datetime
from string import Formatter
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, i18n, sms_lengths
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, _, speaking
from db.config import config
from db.models import MessageTemplate

CARRIER_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL", "YES", "START", "UNSTOP"]
)
LENGTH = 320  # characters; more than two segments cost too much and read badly


class Template(NamedTuple):
    """A sentence to be translated and filled in; `needs` are the blanks that it must have."""

    text: str
    needs: frozenset[str]


def _template(text: str) -> Template:
    return Template(text, frozenset(blanks(text)))


def blanks(text: str) -> list[str]:
    """The names in braces in `text`. Raises `ValueError` where a brace has no partner."""
    return [name for _before, name, _format, _conversion in Formatter().parse(text) if name is not None]


def _has_forms(text: str) -> bool:
    """Whether a blank has a form of its own: `{when:>2000}` would make a text of any length."""
    return any(form or conversion for _before, _name, form, conversion in Formatter().parse(text))


# "{when}" may be several times of one day.
TEMPLATES = {
    "booked": _template(N_("{clinic}: you are booked for {when}. To change it: {link}")),
    "moved": _template(N_("{clinic}: your visit has moved to {when}. To change it: {link}")),
    "changed": _template(
        N_("{clinic}: your visit on {when} is with another doctor or at another place now. Details: {link}")
    ),
    "cancelled": _template(N_("{clinic}: your visit on {when} is cancelled.")),
    "reminder": _template(
        N_("{clinic}: we expect you {when}. Please answer C to confirm, R to move it, N to call it off.")
    ),
    "reminder_of_several": _template(N_("{clinic}: we expect you {when}. To change something: {link}")),
    "running_late": _template(
        N_("{clinic}: we are running about {minutes} min late. Your visit at {when} will begin later. Sorry!")
    ),
    "offer": _template(N_("{clinic}: {when} is free. Answer Y by {until} to take it, N to pass, or: {link}")),
    "payment_link": _template(N_("{clinic}: {when} is kept for you until {until}. Please pay here: {link}")),
    "payment_asked": _template(N_("{clinic}: please pay for your visit on {when} here: {link}")),
    "receipt": _template(N_("{clinic}: thank you, we have received {amount}. Your receipt: {link}")),
    "confirmed": _template(N_("{clinic}: thank you. We expect you {when}.")),
    "cancelling_costs": _template(
        N_("{clinic}: calling off {when} now costs {amount}. To do it all the same, answer N until {until}.")
    ),
    "choose_time": _template(N_("{clinic}: please choose another time here: {link}")),
    "choice": _template(N_("{clinic}: sorry, {when} cannot take place. Choose another time: {link}")),
    "will_call": _template(N_("{clinic}: thank you, we will call you about it.")),
    "offer_over": _template(N_("{clinic}: sorry, that time is no longer free. You are still on the list.")),
    "offer_declined": _template(N_("{clinic}: thank you. You are still on the list.")),
}
OPT_OUT = N_("Text STOP to get no more.")


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


def own_words(session: Session, name: str, locale: str) -> str | None:
    """The clinic's own words for a message in one language, None where ours are used.

    A country without its own has those of its language: British English those of English.
    """
    found = dict(
        session.execute(
            select(MessageTemplate.locale, MessageTemplate.text).where(
                MessageTemplate.name == name,
                MessageTemplate.locale.in_([locale, i18n.without_country(locale)]),
            )
        ).all()
    )
    return found.get(locale) or found.get(i18n.without_country(locale))


def wording(session: Session, name: str) -> str:
    """What is said, with its blanks, in the language spoken here."""
    return own_words(session, name, i18n.spoken()) or _(TEMPLATES[name].text)


def filled(text: str, values: dict[str, str]) -> str:
    """`text` as it is sent: its blanks filled in, in plain signs."""
    return sms_lengths.plainer(text.format(**values))


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
    _record(session, actor, name, locale)


def restore(session: Session, actor: Actor, *, name: str, locale: str) -> None:
    """Use our words again. Raises `AccessDenied`."""
    access.require(actor, Action.CHANGE_SETTINGS)
    _forget(session, actor, name, locale)


def _forget(session: Session, actor: Actor, name: str, locale: str) -> None:
    gone = session.execute(
        delete(MessageTemplate)
        .where(MessageTemplate.name == name, MessageTemplate.locale == locale)
        .returning(MessageTemplate.id)
    )
    if gone.all():
        _record(session, actor, name, locale)


def _record(session: Session, actor: Actor, name: str, locale: str) -> None:
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
