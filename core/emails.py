"""Email addresses: one spelling each, so that nobody has two accounts by the case of a letter."""

import re

from core.errors import ClinicError
from core.i18n import N_

LONGEST = 254  # RFC 5321, errata 1690
# As browsers check it (WHATWG HTML, "valid e-mail address"), with a dot in the domain. Letters beyond ASCII
# are refused: some of them fold to others, and then a code would go to somebody else's address.
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")


class EmailNotUnderstood(ClinicError):
    message = N_("That does not look like an email address, such as name@example.org.")


def folded(written: str) -> str:
    """`written` in small letters and without blanks around it. Raises `EmailNotUnderstood`."""
    address = written.strip()
    if not address.isascii() or len(address) > LONGEST or not _ADDRESS.fullmatch(address.lower()):
        raise EmailNotUnderstood
    return address.lower()
