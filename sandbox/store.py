"""What the sandbox remembers, in one SQLite file: objects as JSON, first answers, webhooks, and its clock."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Body = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS by_intent ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS by_charge ON objects (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS ending ON objects (json_extract(body, '$.expires_at'))
    WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open';
CREATE INDEX IF NOT EXISTS by_phone ON objects (json_extract(body, '$.phone'), seq)
    WHERE json_extract(body, '$.phone') IS NOT NULL;
CREATE INDEX IF NOT EXISTS moving ON objects (json_extract(body, '$.since'))
    WHERE json_extract(body, '$.since') IS NOT NULL;
CREATE TABLE IF NOT EXISTS posts (seq INTEGER PRIMARY KEY, url TEXT NOT NULL, form TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    event_id TEXT PRIMARY KEY, attempts INTEGER NOT NULL, next_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_EMPTIED = ("objects", "posts", "answers", "deliveries", "settings")
_KEPT = ("webhooks", "texts")  # the settings that say where things are told


class Condition(NamedTuple):
    """A piece of a WHERE clause of our own and its values."""

    sql: str
    values: Sequence[object] = ()


class Answer(NamedTuple):
    """The first answer to an idempotency key, and which request it answered."""

    request: str
    status: int
    body: str


def new_id(prefix: str, length: int = 24) -> str:
    """An id as long as the provider's own, so that a column too narrow for those shows."""
    return f"{prefix}_{secrets.token_hex(length // 2)}"


class Store:
    """One connection, used by one thread: every request is one transaction, and none overlap."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(
            directory / "sandbox.sqlite",
            isolation_level=None,
            check_same_thread=False,  # opened by one thread, used by the server's alone
        )
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "busy_timeout = 5000"):
            self._file.execute(f"PRAGMA {pragma}")  # OFF: a killed process loses nothing, only a power cut
        self._file.executescript(_TABLES)

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def now(self) -> int:
        """Unix seconds: those of the machine, unless a test has stopped this clock."""
        stopped = self.setting("clock")
        return int(time.time()) if stopped is None else int(stopped)

    def add(self, body: Body) -> Body:
        self._file.execute(
            "INSERT INTO objects (id, kind, created, body) VALUES (?, ?, ?, ?)",
            (body["id"], body["object"], body["created"], json.dumps(body)),
        )
        return body

    def put(self, body: Body) -> None:
        self._file.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def remove(self, body: Body) -> None:
        self._file.execute("DELETE FROM objects WHERE id = ?", (body["id"],))

    def find(self, kind: str, key: str) -> Body | None:
        found = self.rows(kind, [Condition("id = ?", [key])], limit=1)
        return found[0] if found else None

    def position(self, kind: str, key: str) -> int | None:
        """Where an object stands in the order of creation."""
        row = self._file.execute("SELECT seq FROM objects WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return None if row is None else int(row[0])

    def rows(
        self,
        kind: str,
        conditions: Sequence[Condition] = (),
        *,
        limit: int = -1,
        is_oldest_first: bool = False,
    ) -> list[Body]:
        """The objects of a kind, newest first unless asked."""
        where = " AND ".join(["kind = ?", *(each.sql for each in conditions)])
        order = "ASC" if is_oldest_first else "DESC"
        found = self._file.execute(
            f"SELECT body FROM objects WHERE {where} ORDER BY seq {order} LIMIT ?",  # noqa: S608 - our own SQL
            [kind, *(value for each in conditions for value in each.values), limit],
        )
        return [json.loads(body) for (body,) in found]

    def latest(self, kind: str, field: str, limit: int) -> list[Body]:
        """The newest object of each value of a field, newest first."""
        found = self._file.execute(
            "SELECT body, max(seq) AS last FROM objects WHERE kind = ? "
            "GROUP BY json_extract(body, '$.' || ?) ORDER BY last DESC LIMIT ?",
            (kind, field, limit),
        )
        return [json.loads(body) for body, _last in found]

    def post_later(self, url: str, form: dict[str, str]) -> None:
        """Have a form posted, in order and once."""
        self._file.execute("INSERT INTO posts (url, form) VALUES (?, ?)", (url, json.dumps(form)))

    def take_post(self) -> tuple[str, dict[str, str]] | None:
        """The next form to post, which is forgotten."""
        next_one = "(SELECT min(seq) FROM posts)"
        row = self._file.execute(
            f"DELETE FROM posts WHERE seq = {next_one} RETURNING url, form"  # noqa: S608 - our own SQL
        ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def answer_to(self, key: str, not_before: int) -> Answer | None:
        """What the key was answered with; keys from before `not_before` are forgotten."""
        self._file.execute("DELETE FROM answers WHERE created < ?", (not_before,))
        row = self._file.execute("SELECT request, status, body FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else Answer(*row)

    def keep_answer(self, key: str, answer: Answer) -> None:
        self._file.execute(
            "INSERT OR REPLACE INTO answers (key, request, status, body, created) VALUES (?, ?, ?, ?, ?)",
            (key, *answer, self.now()),
        )

    def schedule(self, event_id: str, attempts: int, next_at: float) -> None:
        """Have an event sent at `next_at`, by the real clock."""
        self._file.execute(
            "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?)", (event_id, attempts, next_at)
        )

    def unschedule(self, event_id: str) -> None:
        self._file.execute("DELETE FROM deliveries WHERE event_id = ?", (event_id,))

    def due(self, by: float) -> list[tuple[str, int]]:
        """The events to send now, and how often each was tried."""
        found = self._file.execute(
            "SELECT event_id, attempts FROM deliveries WHERE next_at <= ? ORDER BY next_at, rowid", (by,)
        )
        return [(event_id, attempts) for event_id, attempts in found]

    def setting(self, name: str) -> Any:
        row = self._file.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set(self, name: str, value: object) -> None:
        self._file.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def empty(self) -> None:
        """Forget everything but where webhooks go."""
        kept = {name: self.setting(name) for name in _KEPT}
        for table in _EMPTIED:
            self._file.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        for name, value in kept.items():
            if value:
                self.set(name, value)
