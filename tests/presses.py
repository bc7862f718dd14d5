"""Documents whose making a test holds up, and the parts of long ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import IO
from zoneinfo import ZoneInfo

from core import pdf_pages, pdfs
from core.pdf_pages import Document, Told
from db.models import ClinicSettings

PATIENCE_SECONDS = 20
SHEET = pdf_pages.sheet(
    ClinicSettings(name="Linden Clinic"),
    zone=ZoneInfo("Europe/Berlin"),
    at=datetime(2026, 6, 1, 6, tzinfo=UTC),
)


@dataclass
class Held:
    """Something to print that waits, half done, until the test lets it go on."""

    content: bytes = b"%PDF-held"
    look: Callable[[], object] = lambda: None
    begun: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)

    def write(self, file: IO[bytes], told: Told) -> None:
        try:
            told(0.5)
            self.look()
            self.begun.set()
            while not self.go_on.wait(0.01):
                told(0.5)
            file.write(self.content)
        finally:
            self.ended.set()

    def wait_until_begun(self) -> None:
        assert self.begun.wait(PATIENCE_SECONDS)

    def finish(self) -> None:
        self.go_on.set()
        assert self.ended.wait(PATIENCE_SECONDS)


def long_document(parts: int = 400) -> Document:
    story = [pdfs.words(f"Visit {number}. " + "A word and another. " * 20) for number in range(parts)]
    return Document([*story], SHEET, "Long")
