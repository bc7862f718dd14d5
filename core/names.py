"""Names of people: as they write them, as long as others can read them."""

from core.errors import ClinicError
from core.i18n import N_
from core.texts import is_readable

NAME_LENGTH = 200


class NameLeftOut(ClinicError):
    message = N_("Please give a name.")


class NameTooLong(ClinicError):
    message = N_("Please keep the name under {length} characters.")


class NameUnreadable(ClinicError):
    message = N_("Please write the name in letters that can be read.")


def cleaned(name: str) -> str:
    """`name` with single blanks. Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`."""
    given = " ".join(name.split())
    if not given:
        raise NameLeftOut
    if len(given) > NAME_LENGTH:
        raise NameTooLong(length=NAME_LENGTH)
    if not is_readable(given) or not any(character.isalpha() for character in given):
        raise NameUnreadable
    return given
