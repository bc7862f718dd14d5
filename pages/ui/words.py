"""How the clinic's states and people's own words are put on the screen."""

import re
import unicodedata
from datetime import date

from core.contact_preferences import BY_PHONE, FROM_DESK, ON_PAPER
from core.i18n import N_, _
from db.models import Appointment, AppointmentStatus, Role, Sex

STATUS = {
    AppointmentStatus.PENDING: (N_("Waiting for payment"), "orange"),
    AppointmentStatus.CONFIRMED: (N_("Confirmed"), "blue"),
    AppointmentStatus.ARRIVED: (N_("Waiting"), "violet"),
    AppointmentStatus.IN_ROOM: (N_("In room"), "green"),
    AppointmentStatus.COMPLETED: (N_("Completed"), "gray"),
    AppointmentStatus.EXPIRED: (N_("Expired"), "gray"),
    AppointmentStatus.CANCELLED: (N_("Cancelled"), "gray"),
    AppointmentStatus.NO_SHOW: (N_("Did not come"), "red"),
}
ROLE = {
    Role.PATIENT: N_("Patient"),
    Role.DOCTOR: N_("Doctor"),
    Role.STAFF: N_("Reception"),
    Role.ADMIN: N_("Administrator"),
}
SEX = {
    Sex.FEMALE: N_("female"),
    Sex.MALE: N_("male"),
    Sex.OTHER: N_("other sex"),
    Sex.UNKNOWN: N_("sex not known"),
}
CONSENT = {
    "registration": N_("when you registered"),
    "profile": N_("in your profile"),
    "portal": N_("in the portal"),
    FROM_DESK: N_("at the desk"),
    BY_PHONE: N_("on the phone"),
    ON_PAPER: N_("on paper"),
}
_ADDRESS = re.compile(r"(www|https?)(\.|:)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@])")


def plain(text: str) -> str:
    """People's own words, to stand in Markdown without becoming markup, a link or an image.

    Addresses become links whatever is escaped in them, so a word joiner, which nobody sees, takes them apart.
    An email address may: it opens nothing but a new letter. What is written from right to left keeps that to
    itself: the number after an Arabic name would be read backwards.
    """
    words = _MARKUP.sub(r"\\\1", _ADDRESS.sub("\\1\u2060\\2", " ".join(text.split())))
    is_leftward = any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in words)
    return f"\u2068{words}\u2069" if is_leftward else words


def plain_lines(text: str) -> str:
    """The same for what people wrote in several lines: they stay lines, also those with nothing in them."""
    return "  \n".join(plain(line) or "\u00a0" for line in text.split("\n"))


def status_badge(status: AppointmentStatus) -> str:
    """The visit's state as a coloured word, in Markdown."""
    word, color = STATUS[status]
    return f":{color}-badge[{_(word)}]"


def visit_badge(visit: Appointment) -> str:
    """The visit's state, and whether it is only offered yet, as a coloured word, in Markdown."""
    return f":violet-badge[{_('Offered')}]" if visit.is_offered else status_badge(visit.status)


def age(birth_on: date, on: date) -> int:
    """Completed years of age on a day."""
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))
