"""Phone numbers: kept as E.164 (ITU-T: a plus and up to 15 digits), understood as people write them."""

import phonenumbers
from sqlalchemy.orm import Session

from core import clinics
from core.errors import ClinicError
from core.i18n import N_


class PhoneNotUnderstood(ClinicError):
    message = N_(
        "That does not look like a phone number. Please write it with the country, such as +49 30 123456."
    )


def e164(session: Session, written: str) -> str | None:
    """`written` as E.164, None when it is blank. A national number is taken to be of the clinic's country."""
    if not written.strip():
        return None
    try:
        number = phonenumbers.parse(written, _clinic_country(session))
    except phonenumbers.NumberParseException:
        raise PhoneNotUnderstood from None
    if not phonenumbers.is_possible_number(number):
        raise PhoneNotUnderstood
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown(e164_number: str) -> str:
    """An E.164 number with spaces where its country puts them; anything else as it is."""
    try:
        number = phonenumbers.parse(e164_number)
    except phonenumbers.NumberParseException:
        return e164_number
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _clinic_country(session: Session) -> str | None:
    """The two-letter country of the clinic's own phone number, None when it has none."""
    try:
        own = phonenumbers.parse(clinics.settings(session).phone)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.region_code_for_number(own)
