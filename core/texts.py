"""Text as people type it: what can be searched for, and what can be kept."""

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from db.models import folded

SEARCH_LENGTH = 100
SEARCH_WORDS = 8
_JOINERS = "\u200c\u200d"  # invisible, but part of how some scripts are written


def search_words(text: str) -> list[str]:
    """The words of a search, without case and accents: at most eight, from the first hundred characters."""
    return folded(text[:SEARCH_LENGTH].replace("\0", " ")).split()[:SEARCH_WORDS]


def has_word(name_folded: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    """Whether a word of the folded name begins with `word`, one of `search_words`."""
    return (" " + name_folded).contains(" " + word, autoescape=True)


def is_readable(text: str) -> bool:
    """Whether `text` shows as it is: no control characters, and none that hide or turn the others round."""
    return all(character.isprintable() or character in _JOINERS for character in text)


def several_lines(text: str) -> str:
    """What somebody wrote in lines, without blanks around it, each line ended as we end them.

    Word processors end lines and pages with characters of their own.
    """
    return "\n".join(line.rstrip() for line in text.replace("\t", "    ").splitlines()).strip()


def are_readable(lines: str) -> bool:
    """Whether each line of `several_lines` is readable."""
    return all(is_readable(line) for line in lines.split("\n"))
