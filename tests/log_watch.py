"""Watches over every log of the suite: no name, number, address, note, password or token may be in one.

What must not be there is collected while the tests run: what they write down about people, and every secret
that is made.
"""

import logging
import re
import secrets
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.orm import Mapper

from db.models import AppointmentEvent, EmergencyAccess, Notification, Patient, User

SHORTEST = 8  # what is shorter may stand in a log by chance
PASSWORD = "correct horse battery"
CAST = {
    *("Ada Okafor", "Ben Sato", "Stefan Fremd", "Greta Klein", "Mila Klein", "Rita Empfang", "Albert Admin"),
    *("Dr. Eva Roth", "Dr. Jonas Weiß", "Zoë Übel"),
}
PERSONAL = {
    User: ("name", "email", "phone", "password_hash", "totp_secret"),
    Patient: ("name", "email", "phone", "allergies", "medical_history"),
    EmergencyAccess: ("reason",),
    AppointmentEvent: ("reason",),
    Notification: ("body", "sent_to"),
}
NUMBERED = re.compile(r"(User|Patient|Dr\.) \d+")  # the names that `make` gives to nobody in particular
TOKEN = re.compile(r"(?<![\w/+.-])[A-Za-z0-9_-]{43}(?![\w/+=.-])")  # 32 bytes as `secrets` writes them

forbidden: set[str] = {PASSWORD, *CAST}
found: list[str] = []
_real_token = secrets.token_urlsafe


class _Watch(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        look_at(self.format(record), f"a record of {record.name}")


def begin() -> None:
    """Listen to every logger, and to what is written down about people, for the whole run."""
    watch = _Watch(logging.NOTSET)
    watch.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(watch)
    logging.getLogger().setLevel(logging.INFO)  # as the portal and the jobs have it
    for model in PERSONAL:
        event.listen(model, "after_insert", _note)
        event.listen(model, "after_update", _note)
    secrets.token_urlsafe = _noted_token


def _noted_token(nbytes: int | None = None) -> str:
    token = _real_token(nbytes)
    forbidden.add(token)
    return token


def _note(_mapper: Mapper[object], _connection: object, row: object) -> None:
    for name in PERSONAL[type(row)]:
        value = vars(row).get(name)
        if isinstance(value, str) and len(value) >= SHORTEST and not NUMBERED.fullmatch(value):
            forbidden.add(value)


def look_at(text: str, where: str) -> None:
    """Keep what of `text` must not be in a log."""
    for word in (word for word in tuple(forbidden) if word in text):
        found.append(f"{word!r} in {where}: {text[:300]!r}")


def look_at_file(log: Path) -> None:
    """Look at the log of another process, which made tokens that are not known here."""
    text = log.read_text(errors="replace")
    look_at(text, str(log))
    found.extend(f"perhaps a token in {log}: {token!r}" for token in TOKEN.findall(text))
