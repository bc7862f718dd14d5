"""The words that end and begin texts, which carriers obey before anybody else hears them."""

from sandbox.store import Store

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}
HELP = {"HELP", "INFO"}
_STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
_STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
_HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


def is_out(store: Store, ours: str, phone: str) -> bool:
    """Whether `phone` wants no more texts from that number of ours."""
    return bool(store.setting(_name(ours, phone)))


def heard(store: Store, ours: str, phone: str, body: str) -> str | None:
    """Obey a text that is one of the words and nothing else. Returns the answer, if one is sent."""
    word, was_out = body.strip().upper(), is_out(store, ours, phone)
    if word in HELP:
        return _HELPED
    if word not in STOP | START or was_out == (word in STOP):
        return None
    store.set(_name(ours, phone), word in STOP)
    return _STOPPED if word in STOP else _STARTED


def _name(ours: str, phone: str) -> str:
    return f"opted out of {ours}: {phone}"
