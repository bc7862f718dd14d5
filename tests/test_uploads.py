"""Who may send a file to which tab, and until when."""

from collections.abc import Iterator

import pytest

from pages.front.visitors import Visitor
from pages.ui import uploads
from tests.cast import NOW, time_is

HERS = Visitor("a live token", "her session")
ADDRESS = f"{uploads.PATH}tab/file"


@pytest.fixture(autouse=True)
def _asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Her tab has asked for a file at `NOW`."""
    permit = uploads._Permit(HERS.owner, NOW + uploads.PERMIT_LIFE)
    monkeypatch.setitem(uploads._permits, "tab", permit)
    with time_is(NOW):
        yield


def test_the_tabs_owner_may_send_a_file_for_ten_minutes() -> None:
    assert uploads.refusal("PUT", ADDRESS, HERS) is None
    with time_is(NOW + uploads.PERMIT_LIFE):
        assert isinstance(uploads.refusal("PUT", ADDRESS, HERS), uploads.NothingAsked)
        assert uploads.refusal("DELETE", ADDRESS, HERS) is None, "what was sent can still be taken back"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_nothing_else_is_done_with_files(method: str) -> None:
    assert isinstance(uploads.refusal(method, ADDRESS, HERS), uploads.NothingAsked)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("address", "visitor"),
    [
        (ADDRESS, Visitor("a live token", "his session")),
        (ADDRESS, Visitor(None, HERS.owner)),
        (f"{uploads.PATH}other/file", HERS),
        (uploads.PATH, HERS),
        (f"{uploads.PATH}tab2/file", HERS),
    ],
)
def test_nobody_else_and_nowhere_else(method: str, address: str, visitor: Visitor) -> None:
    assert isinstance(uploads.refusal(method, address, visitor), uploads.NothingAsked)
