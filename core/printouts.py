"""Documents on their way to paper: how many are laid out at once, and those that somebody waits for.

All of it is this process's own. A portal that runs as several processes lays out as many in each; one that
does not know of a printout that another has ready lays it out anew.
"""

import logging
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from threading import Condition, Event, Lock, Thread, Timer
from typing import IO, Protocol

from core.errors import ClinicError
from core.i18n import N_
from core.pdf_pages import Told

log = logging.getLogger("portal")

IN_MEMORY = 256 * 1024  # bytes of a file; what is longer lies in a temporary one without a name
KEPT_SECONDS = 300  # a printout that nobody fetches
GIVEN_UP_SECONDS = 30  # one whose page is no longer open
MOST_WAITING = 20


class TooBusy(ClinicError):
    message = N_("Too many documents are being made just now. Please try again in a minute.")


class BrokenOff(Exception):
    """Nobody waits for the document any more."""


class Printable(Protocol):
    """What was read and can be written: a document, or a pack of files."""

    def write(self, file: IO[bytes], told: Told) -> None: ...


class Places:
    """At most so many at once, and each person in one of them only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: set[int] = set()
        self._changed = Condition()

    def take(self, person: int, *, patience_seconds: float = 0) -> bool:
        """Whether there is a place for the person, now or while the patience lasts."""
        with self._changed:
            is_free = self._changed.wait_for(
                lambda: person not in self._taken and len(self._taken) < self._most, patience_seconds
            )
            if is_free:
                self._taken.add(person)
            return is_free

    def leave(self, person: int) -> None:
        with self._changed:
            self._taken.discard(person)
            self._changed.notify_all()


LONG = Places(2)  # laying out takes seconds of one processor, in which everything else is slower
SHORT = Places(4)


def paper() -> IO[bytes]:
    """An empty file for a document, which is gone once it is closed."""
    return SpooledTemporaryFile(IN_MEMORY)


@dataclass(eq=False)
class Printout:
    """A document that somebody waits for. `share` is how much is done of it, 0 to 1."""

    person: int
    wanted: Hashable
    share: float = 0
    is_ready: bool = False
    has_failed: bool = False
    file: IO[bytes] = field(default_factory=paper)
    _stopped: Event = field(default_factory=Event)
    _asked_at: float = field(default_factory=time.monotonic)

    def told(self, share: float) -> None:
        """Note how far it is. Raises `BrokenOff` when nobody has asked for a while."""
        self.share = share
        self.require_wanted()

    def require_wanted(self) -> None:
        if self._stopped.is_set() or time.monotonic() - self._asked_at > GIVEN_UP_SECONDS:
            raise BrokenOff

    def ask(self) -> None:
        self._asked_at = time.monotonic()

    def drop(self) -> None:
        """Stop the work on it, if there is any, and let go of the file."""
        self._stopped.set()
        if self.is_ready:
            self.file.close()


class Printouts:
    """The one printout that each person waits for."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._of: dict[int, Printout] = {}
        self._lock = Lock()

    def start(self, person: int, wanted: Hashable, document: Printable) -> None:
        """Lay out a document for a person in the background, in place of what they waited for before.

        Raises `TooBusy` when too many wait already.
        """
        with self._lock:
            before = self._of.get(person)
            if before is None and sum(not each.is_ready for each in self._of.values()) >= MOST_WAITING:
                raise TooBusy
            printout = self._of[person] = Printout(person, wanted)
        if before is not None:
            before.drop()
        Thread(target=self._lay_out, args=(printout, document), daemon=True).start()

    def of(self, person: int, wanted: Hashable) -> Printout | None:
        """What the person waits for, if it is what is wanted here."""
        with self._lock:
            found = self._of.get(person)
        if found is None or found.wanted != wanted:
            return None
        found.ask()
        return found

    def fetch(self, person: int, wanted: Hashable) -> IO[bytes] | None:
        """The finished file of what the person wanted, which is theirs to close. It is given out once."""
        found = self.of(person, wanted)
        if found is None or not found.is_ready or not self._forget(found):
            return None
        return found.file

    def _lay_out(self, printout: Printout, document: Printable) -> None:
        try:
            self._when_there_is_place(printout, lambda: document.write(printout.file, printout.told))
            printout.share, printout.is_ready = 1, True
            self._forget_later(printout)
        except BrokenOff:
            self._forget(printout)
            printout.file.close()
        except Exception:
            log.exception("A document could not be laid out")
            printout.has_failed = True
            printout.file.close()
            self._forget_later(printout)

    def _when_there_is_place(self, printout: Printout, work: Callable[[], None]) -> None:
        while not self._places.take(printout.person, patience_seconds=1):
            printout.require_wanted()
        try:
            work()
        finally:
            self._places.leave(printout.person)

    def _forget_later(self, printout: Printout) -> None:
        timer = Timer(KEPT_SECONDS, self._expire, [printout])
        timer.daemon = True
        timer.start()

    def _expire(self, printout: Printout) -> None:
        if self._forget(printout):
            with suppress(ValueError):
                printout.file.close()

    def _forget(self, printout: Printout) -> bool:
        """Whether it was still kept, so that only one has its file afterwards."""
        with self._lock:
            is_kept = self._of.get(printout.person) is printout
            if is_kept:
                del self._of[printout.person]
            return is_kept


HISTORIES = Printouts(LONG)
