"""What a file is, told by what is in it."""

import pytest

from core.file_kinds import FileKind, WrongFileKind, kind_of, require_kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 and so on", FileKind.PDF),
        (b"\x89PNG\r\n\x1a\n\x00", FileKind.PNG),
        (b"\xff\xd8\xff\xe0\x00", FileKind.JPEG),
        (b"", None),
        (b"%PDF", None),
        (b" %PDF-1.7", None),
        (b"\x89PNG\n\x1a\n", None),
        (b"<html>%PDF-1.7", None),
        (b"GIF89a", None),
        (b"MZ\x90\x00", None),
    ],
)
def test_the_first_bytes_tell(content: bytes, kind: FileKind | None) -> None:
    assert kind_of(content) is kind


def test_a_kind_that_was_not_asked_for_is_refused_with_those_that_were() -> None:
    assert require_kind(b"%PDF-1.7", [FileKind.PDF]) is FileKind.PDF
    with pytest.raises(WrongFileKind, match=r"choose one of these: PNG, JPEG\."):
        require_kind(b"%PDF-1.7", [FileKind.PNG, FileKind.JPEG])
