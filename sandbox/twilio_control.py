"""What tests ask of the sandbox's phones, below /sandbox/: what people and carriers do. Not Twilio's."""

from typing import Any

from sandbox import twilio_messages
from sandbox.store import Body, Store
from sandbox.twilio_messages import FINAL, KIND, SETTINGS
from sandbox.twilio_rules import MOST_CHARACTERS, NUMBER
from sandbox.twilio_shapes import shown

_FATES = FINAL - {"received", "canceled"} | {"queued", "sending", "sent"}
_TOLD = {"account", "token", "number", "status_url", "inbound_url"}

Told = dict[str, Any]


def reply(store: Store, told: Told, phone: str) -> Body:
    """A text from that phone; `to` where it wrote to several numbers of ours, or none wrote to it."""
    if not NUMBER.fullmatch(phone) or not 1 <= len(told["body"]) <= MOST_CHARACTERS:
        raise ValueError("a number and up to 1600 characters")
    return shown(twilio_messages.reply(store, phone, told["body"], told.get("to")))


def set_fate(store: Store, told: Told, phone: str) -> None:
    """Where texts to that phone end from now on: a status, and why."""
    if told["status"] not in _FATES:
        raise ValueError(f"no text ends as {told['status']!r}")
    store.set(f"fate of {phone}", {"status": told["status"], "error_code": told.get("error_code")})


def set_pace(store: Store, told: Told, _key: str) -> None:
    """The seconds that each step takes; null holds all messages where they are."""
    seconds = told["seconds"]
    store.set("pace", {"seconds": None if seconds is None else float(seconds)})


def set_account(store: Store, told: Told, _key: str) -> None:
    """Whose texts these are and where they are told; what is left out stays."""
    if told.keys() - _TOLD:
        raise ValueError("account, token, number, status_url, inbound_url")
    store.set(SETTINGS, (store.setting(SETTINGS) or {}) | told)


def taken(store: Store) -> Body:
    """Every message so far, oldest first, as Twilio shows it."""
    rows = store.rows(KIND, is_oldest_first=True)
    return {"messages": [shown(each) for each in rows if not each["is_notice"]]}


CONTROLS = {
    "phones/{id}/reply": reply,
    "phones/{id}/fate": set_fate,
    "pace": set_pace,
    "texts": set_account,
}
