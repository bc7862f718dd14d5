"""Documents that are laid out in the background: how many at once, for whom, and how far each is."""

import logging
from collections.abc import Callable
from io import BytesIO
from typing import IO

import pytest

from core import printouts
from core.pdf_pages import Told
from core.printouts import BrokenOff, Places, Printouts, TooBusy
from tests.presses import PATIENCE_SECONDS, Held, long_document

ADA, BEN, CHI = 1, 2, 3


def until(happened: Callable[[], object]) -> None:
    for _each in range(PATIENCE_SECONDS * 100):
        if happened():
            return
        printouts.Event().wait(0.01)
    raise AssertionError


def take(prints: Printouts, person: int, held: Held, wanted: str = "all") -> None:
    """Let it be finished, and fetch it."""
    held.finish()
    until(lambda: (found := prints.of(person, wanted)) and found.is_ready)
    file = prints.fetch(person, wanted)
    assert file is not None
    file.close()


def test_so_many_have_a_place_and_each_person_one() -> None:
    places = Places(2)
    assert places.take(ADA)
    assert not places.take(ADA)
    assert places.take(BEN)
    assert not places.take(CHI)
    places.leave(ADA)
    assert places.take(CHI)


def test_a_long_document_says_how_far_it_is_and_never_goes_back() -> None:
    shares: list[float] = []
    file = BytesIO()
    long_document().write(file, shares.append)
    assert file.getvalue().startswith(b"%PDF-")
    assert shares == sorted(shares)
    assert len(set(shares)) > 100
    assert 0 <= shares[0] < 0.05
    assert 0.95 < shares[-1] <= 1


def test_whoever_hears_how_far_it_is_can_stop_it() -> None:
    def stop(share: float) -> None:
        if share > 0.3:
            raise BrokenOff

    file = BytesIO()
    with pytest.raises(BrokenOff):
        long_document().write(file, stop)
    assert file.getvalue() == b""


def test_a_printout_is_ready_in_the_end_and_given_once_to_whom_it_belongs() -> None:
    prints, held = Printouts(Places(2)), Held()
    prints.start(ADA, "all", held)
    held.wait_until_begun()
    printout = prints.of(ADA, "all")
    assert printout is not None
    assert (printout.share, printout.is_ready) == (0.5, False)
    assert prints.fetch(ADA, "all") is None
    held.finish()
    until(lambda: printout.is_ready)
    assert prints.fetch(BEN, "all") is None
    assert prints.fetch(ADA, "something else") is None
    file = prints.fetch(ADA, "all")
    assert file is not None
    with file:
        file.seek(0)
        assert file.read() == held.content
    assert prints.fetch(ADA, "all") is None


def test_whoever_wants_something_else_waits_for_that_and_the_first_is_stopped() -> None:
    prints, first, second = Printouts(Places(2)), Held(), Held(b"%PDF-second")
    prints.start(ADA, "all", first)
    first.wait_until_begun()
    prints.start(ADA, "letters", second)
    assert first.ended.wait(PATIENCE_SECONDS)
    assert prints.of(ADA, "all") is None
    take(prints, ADA, second, "letters")


def test_a_third_waits_until_one_of_two_is_done() -> None:
    prints, held = Printouts(Places(2)), [Held(), Held(), Held()]
    for person, each in zip((ADA, BEN), held, strict=False):
        prints.start(person, "all", each)
        each.wait_until_begun()
    prints.start(CHI, "all", held[2])
    assert not held[2].begun.wait(0.2)
    held[0].finish()
    held[2].wait_until_begun()
    for person, each in zip((ADA, BEN, CHI), held, strict=True):
        take(prints, person, each)


def test_too_many_who_wait_are_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printouts, "MOST_WAITING", 1)
    prints, held = Printouts(Places(1)), Held()
    prints.start(ADA, "all", held)
    with pytest.raises(TooBusy):
        prints.start(BEN, "all", Held())
    take(prints, ADA, held)


def test_what_nobody_asks_about_any_more_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    prints, held = Printouts(Places(1)), Held()
    prints.start(ADA, "all", held)
    held.wait_until_begun()
    monkeypatch.setattr(printouts, "GIVEN_UP_SECONDS", -1)
    assert held.ended.wait(PATIENCE_SECONDS)
    until(lambda: prints.of(ADA, "all") is None)


def test_what_nobody_fetches_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printouts, "KEPT_SECONDS", 0)
    prints, held = Printouts(Places(1)), Held()
    prints.start(ADA, "all", held)
    held.finish()
    until(lambda: prints.of(ADA, "all") is None)


def test_one_that_fails_says_so_and_leaves_its_place(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def write(self, _file: IO[bytes], _told: Told) -> None:
            raise RuntimeError

    prints, held = Printouts(Places(1)), Held()
    with caplog.at_level(logging.CRITICAL + 1, "portal"):
        prints.start(ADA, "all", Broken())
        until(lambda: (found := prints.of(ADA, "all")) and found.has_failed)
    assert prints.fetch(ADA, "all") is None
    prints.start(ADA, "all", held)
    held.wait_until_begun()
    take(prints, ADA, held)
