"""Watches over every log of the suite: no name, number, address, note, password or token may be in one.

What must not be there is collected while the tests run: what they write down about people, and every secret
that is made.
"""

import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from core import random_codes
from db import session as database

SHORTEST = 8  # what is shorter may stand in a log by chance
PASSWORD = "correct horse battery"
CAST = {
    *("Ada Okafor", "Ben Sato", "Stefan Fremd", "Greta Klein", "Mila Klein", "Rita Empfang", "Albert Admin"),
    *("Dr. Eva Roth", "Dr. Jonas Weiß", "Zoë Übel"),
}
PERSONAL = {
    "users": {"name", "name_folded", "email", "phone", "password_hash", "totp_secret", "totp_pending"},
    "patients": {"name", "name_folded", "email", "phone"},
    "record_items": {"name", "details"},
    "note_drafts": {"fields"},
    "note_versions": {"reason", "findings", "assessment", "plan", "amendment"},
    "prescription_items": {"drug", "instructions"},
    "letters": {"addressee", "body"},
    "attachments": {"name"},
    "intake_answers": {"answer"},
    "emergency_accesses": {"reason"},
    "notifications": {"body", "sent_to"},
    "invites": {"name", "email"},
    "one_time_codes": {"sent_to", "payload"},
    "social_identities": {"subject", "shown_as"},
}
PAYLOAD = {"name", "phone", "password_hash"}  # of a form that waits for its code
PAST_SQLALCHEMY = {"reason", "overbook_reason"}  # what `db.session.run` writes of a visit in people's words
NUMBERED = re.compile(r"(User|Patient|Dr\.) \d+", re.IGNORECASE)  # whom `make` means nobody in particular by
TOKEN = re.compile(r"(?<![\w/+.-])[A-Za-z0-9_-]{43}(?![\w/+=.-])")  # 32 bytes as `secrets` writes them
DIGITS = re.compile(r"(?<![\w.,:\[/+-])\d{6}(?![\w\]/+-]|[.,:]\d)")  # a word, no part of a time or a process
LETTERS = re.compile(r"(?<![\w-])[A-HJKMNP-Z2-9]{4,5}(?:-[A-HJKMNP-Z2-9]{4,5}){1,2}(?![\w-])")  # as mailed


class Words(set[str]):
    """Words, and those of them that are in a text: kept by how they begin, for there are very many."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        super().__init__()
        self._by_start: dict[str, list[str]] = {}
        self._sizes: set[int] = set()
        for word in words:
            self.add(word)

    def add(self, word: str) -> None:
        if word not in self:
            super().add(word)
            start = word[:SHORTEST]
            self._sizes.add(len(start))
            self._by_start.setdefault(start, []).append(word)

    def within(self, text: str) -> list[str]:
        starts = {text[at : at + size] for size in tuple(self._sizes) for at in range(len(text) - size + 1)}
        return [word for start in starts for word in self._by_start.get(start, ()) if word in text]


forbidden = Words({PASSWORD, *CAST})
numbers: set[str] = set()
codes = Words()
found: list[str] = []
_real_token, _real_digits, _real_letters = secrets.token_urlsafe, random_codes.digits, random_codes.letters
_real_execute = database._Connection.execute


class _Watch(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        look_at(self.format(record), f"a record of {record.name}")


def begin() -> None:
    """Listen to every logger, and to what is written down about people, for the whole run."""
    watch = _Watch(logging.NOTSET)
    watch.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(watch)
    logging.getLogger().setLevel(logging.INFO)  # as the portal and the jobs have it
    event.listen(Engine, "before_cursor_execute", _note_statement)
    database._Connection.execute = _noting_execute
    secrets.token_urlsafe = _noted_token
    random_codes.digits, random_codes.letters = _noted_digits, _noted_letters


def _noted_token(nbytes: int | None = None) -> str:
    token = _real_token(nbytes)
    forbidden.add(token)
    return token


def _noted_digits(count: int) -> str:
    code = _real_digits(count)
    numbers.add(code)
    return code


def _noted_letters(count: int) -> str:
    code = _real_letters(count)
    codes.add(code)
    return code


def _note_statement(
    _on: object, _cursor: object, _said: str, _values: object, context: Any, _many: bool
) -> None:
    """Keep what is written into a personal column, by the ORM and by plain statements alike."""
    if context is None or not (context.isinsert or context.isupdate):
        return
    columns = PERSONAL.get(getattr(getattr(context.compiled.statement, "table", None), "name", ""))
    for row in context.compiled_parameters if columns else ():
        for name, value in row.items():
            if name in columns or name.partition("_m")[0] in columns:  # of many rows in one: name_m0, name_m1
                _note(value.get(each) for each in PAYLOAD) if isinstance(value, dict) else _note([value])


def _noting_execute(self: Any, query: Any, params: Any = None, **how: Any) -> Any:
    if isinstance(params, Mapping):
        _note(params.get(name) for name in PAST_SQLALCHEMY)
    return _real_execute(self, query, params, **how)


def _note(values: Iterable[object]) -> None:
    for value in values:
        if isinstance(value, str) and len(value) >= SHORTEST and not NUMBERED.fullmatch(value):
            forbidden.add(value)


def look_at(text: str, where: str) -> None:
    """Keep what of `text` must not be in a log. Codes are found with and without their hyphens."""
    hits = forbidden.within(text) + codes.within(text.replace("-", ""))
    hits += [number for number in DIGITS.findall(text) if number in numbers]
    found.extend(f"{word!r} in {where}: {text[:300]!r}" for word in hits)


def look_at_file(log: Path) -> None:
    """Look at the log of another process, which made tokens and codes that are not known here."""
    text = log.read_text(errors="replace")
    look_at(text, str(log))
    for what, looks_like in (("token", TOKEN), ("code", LETTERS), ("code", DIGITS)):
        found.extend(f"perhaps a {what} in {log}: {word!r}" for word in looks_like.findall(text))
