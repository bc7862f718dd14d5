"""Which kinds of file the clinic takes, told by what is in them: names and types are the sender's word."""

from collections.abc import Collection
from enum import StrEnum

from core.errors import ClinicError
from core.i18n import N_


class FileKind(StrEnum):
    """The kinds, as the media types under which they are handed out."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"


_BEGINNINGS = {  # ISO 32000-1 7.5.2, PNG 5.2, ISO 10918-1 B.1.1.3
    FileKind.PDF: b"%PDF-",
    FileKind.PNG: b"\x89PNG\r\n\x1a\n",
    FileKind.JPEG: b"\xff\xd8\xff",
}


class WrongFileKind(ClinicError):
    message = N_("This file cannot be used. Please choose one of these: {kinds}.")


def kind_of(content: bytes) -> FileKind | None:
    """What a file is, None when it is of no kind that the clinic takes."""
    return next((kind for kind, beginning in _BEGINNINGS.items() if content.startswith(beginning)), None)


def require_kind(content: bytes, kinds: Collection[FileKind]) -> FileKind:
    """Which of `kinds` a file is. Raises `WrongFileKind`."""
    kind = kind_of(content)
    if kind is None or kind not in kinds:
        raise WrongFileKind(kinds=", ".join(each.name for each in kinds))
    return kind
