"""What our messages say, in a sentence each, and a clinic's own words in place of it.

Texts are read by whoever holds the phone, and by carriers on the way: they name the clinic and a time, never
a service, a specialty or a doctor. A text asks for C, R, N or Y; the words that carriers take for "no more
texts" (docs: twilio.com/docs/messaging/tutorials/advanced-opt-out) stand in none but the one that means it.
"""

from string import Formatter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import i18n, sms_lengths
from core.i18n import N_, _
from db.models import MessageTemplate

CARRIER_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL", "YES", "START", "UNSTOP"]
)


class Template(NamedTuple):
    """A sentence to be translated and filled in; `needs` are the blanks that it must have."""

    text: str
    needs: frozenset[str]


def _template(text: str) -> Template:
    return Template(text, frozenset(blanks(text)))


def blanks(text: str) -> list[str]:
    """The names in braces in `text`. Raises `ValueError` where a brace has no partner."""
    return [name for _before, name, _format, _conversion in Formatter().parse(text) if name is not None]


# "{when}" may be several times of one day.
TEMPLATES = {
    "booked": _template(N_("{clinic}: you are booked for {when}. To change it: {link}")),
    "moved": _template(N_("{clinic}: your visit has moved to {when}. To change it: {link}")),
    "changed": _template(
        N_("{clinic}: your visit on {when} is with another doctor or at another place: {link}")
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
