"""What somebody means by a text. Only what is sure is acted upon; the rest a person reads."""

import re

from db.models import Answer

# What carriers end and resume texts for, whole messages only, and the same in other languages:
# twilio.com/docs/messaging/tutorials/advanced-opt-out
STOP_WORDS = frozenset(
    [
        *("stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "opt-out", "cancel"),
        *("stopp", "arret", "arrêt", "alto", "parar"),
    ]
)
START_WORDS = frozenset(["start", "unstop"])
AGREEING = "yes"  # ends an opt-out at carriers, and is what people write to take an offer
_WHOLE = {
    **dict.fromkeys(("c", "confirm", "confirmed", "ok", "okay"), Answer.CONFIRM),
    **dict.fromkeys(("r", "move", "reschedule"), Answer.MOVE),
    **dict.fromkeys(("n", "no"), Answer.CANCEL),
    "y": Answer.ACCEPT,
}
_LETTERS = {"c": Answer.CONFIRM, "r": Answer.MOVE, "n": Answer.CANCEL, "y": Answer.ACCEPT}
# "Please stop texting me": any reasonable wish counts, not only the keywords.
_WISH_TO_STOP = re.compile(
    r"\b(stop|unsubscribe|no more|don'?t|do not|quit)\b.*"
    r"\b(text(s|ing)?|sms|messag(e|es|ing)|contact(ing)?)\b",
    re.IGNORECASE | re.DOTALL,
)


def word_of(body: str) -> str:
    """A text without case, blanks and punctuation around it."""
    return body.strip().strip(".,;:!?\"'()[]*-–…\u2019 ").casefold()


def understood(body: str) -> Answer:
    """What `body` surely means; UNCLEAR where it could be something else."""
    word = word_of(body)
    if word in STOP_WORDS or _WISH_TO_STOP.search(body):
        return Answer.STOP
    if word in START_WORDS:
        return Answer.START
    if word == AGREEING:
        return Answer.ACCEPT
    return _WHOLE.get(word, Answer.UNCLEAR)


def suggested(body: str) -> Answer:
    """What `body` may mean, for a person to decide: its first letter alone, or a word in it."""
    sure = understood(body)
    if sure is not Answer.UNCLEAR:
        return sure
    words = [word_of(each) for each in body.split()]
    first = words[0] if words else ""
    if first in _LETTERS:
        return _LETTERS[first]
    wishes = (
        (Answer.CANCEL, ("cancel", "cancelled", "can't", "cannot", "cant", "won't")),
        (Answer.MOVE, ("move", "later", "earlier", "reschedule", "another", "tomorrow")),
        (Answer.CONFIRM, ("yes", "confirm", "coming", "there")),
    )
    return next((answer for answer, signs in wishes if any(sign in words for sign in signs)), Answer.UNCLEAR)
