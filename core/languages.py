"""The names of languages, in the reader's and in their own."""

from functools import cache

from babel import Locale, UnknownLocaleError

from core.i18n import spoken


def locale_name(code: str) -> str:
    """A language as it calls itself, with its country: British English, Deutsch."""
    name: str | None = Locale.parse(code).get_display_name(code)
    return name or code


def language_name(code: str) -> str:
    """The name of a language in the reader's language; the code itself where it is unknown."""
    name: str = Locale.parse(spoken()).languages.get(code, code)
    return name


def language_in_both(code: str) -> str:
    """The name of a language in the reader's, and how it calls itself: German (Deutsch)."""
    name = language_name(code)
    try:
        own: str = Locale.parse(code).languages.get(code, name)
    except UnknownLocaleError:
        return name
    return name if own.casefold() == name.casefold() else f"{name} ({own})"


@cache
def language_codes() -> frozenset[str]:
    """The ISO 639-1 codes of the world's languages."""
    return frozenset(code for each in Locale.parse("en").languages if len(code := str(each)) == 2)
