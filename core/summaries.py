"""A patient's data on paper: what a person would want to read of an export."""

from datetime import date, datetime, tzinfo
from typing import Any

from core import pdf_pages, pdfs
from core.i18n import N_, _, clock_time, full_time, short_date
from core.pdf_pages import Document
from core.phones import shown
from core.record_items import LISTS, SEVERITIES
from db.models import AppointmentStatus, ClinicSettings, Severity, Sex

STATUS = {
    AppointmentStatus.PENDING: N_("Waiting for payment"),
    AppointmentStatus.CONFIRMED: N_("Confirmed"),
    AppointmentStatus.ARRIVED: N_("Waiting"),
    AppointmentStatus.IN_ROOM: N_("In room"),
    AppointmentStatus.COMPLETED: N_("Completed"),
    AppointmentStatus.EXPIRED: N_("Expired"),
    AppointmentStatus.CANCELLED: N_("Cancelled"),
    AppointmentStatus.NO_SHOW: N_("Did not come"),
}
SEX = {
    Sex.FEMALE: N_("Female"),
    Sex.MALE: N_("Male"),
    Sex.OTHER: N_("Other"),
    Sex.UNKNOWN: N_("Not stated"),
}
Sections = dict[str, list[dict[str, Any]]]


def summary(
    sections: Sections, *, clinic: ClinicSettings, zone: tzinfo, made_at: datetime, locale: str
) -> Document:
    """The sections of `exports.collect` to print: the person, the record, the visits, who opened it."""
    [patient] = sections["patient"]
    heading = _("Your data at {clinic}").format(clinic=clinic.name)
    as_of = _("As of {time}. The file data.json holds all of it.").format(time=full_time(made_at, zone))
    sheet = pdf_pages.sheet(clinic, zone=zone, at=made_at, locale=locale)
    parts = [
        *pdfs.letterhead(sheet),
        pdfs.title(heading),
        pdfs.note(as_of),
        pdfs.heading(patient["name"]),
        pdfs.facts(_person(patient, sections["account"], zone)),
        *_lists(sections["record"]),
        pdfs.heading(_("Visits")),
        *_visits(sections, zone),
        *_emergencies(sections["emergency_accesses"], zone),
    ]
    about = pdf_pages.About(patient["name"], date.fromisoformat(patient["birth_on"]))
    return Document(parts, sheet, heading, about)


def _person(patient: dict[str, Any], accounts: list[dict[str, Any]], zone: tzinfo) -> list[tuple[str, str]]:
    nothing = _("none")
    found = [
        (_("Birth date"), short_date(date.fromisoformat(patient["birth_on"]))),
        (_("Sex"), _(SEX[Sex(patient["sex"])])),
        (_("Phone"), shown(patient["phone"]) if patient["phone"] else nothing),
        (_("Email"), patient["email"] or nothing),
    ]
    for account in accounts:
        consent = account["sms_consent_at"]
        agreed = nothing if consent is None else short_date(datetime.fromisoformat(consent).date())
        found += [(_("User name"), account["username"]), (_("Consent to SMS"), agreed)]
    return found


def _lists(items: list[dict[str, Any]]) -> list[Any]:
    """The lists of the record as they stand; the file of data has what has ended too."""
    found: list[Any] = []
    for kind, heading in LISTS.items():
        found.append(pdfs.heading(_(heading)))
        lines = [_line(item) for item in items if item["kind"] == kind and item["ended_at"] is None]
        found.append(pdfs.words("\n".join(lines) or _("Nothing written down.")))
    return found


def _line(item: dict[str, Any]) -> str:
    severity = _(SEVERITIES[Severity(item["severity"])]) if item["severity"] else ""
    rest = ", ".join(each for each in (item["details"], severity) if each)
    return f"{item['name']}: {rest}" if rest else item["name"]


def _visits(sections: Sections, zone: tzinfo) -> list[Any]:
    visits = sections["visits"]
    offered = {each["appointment_id"] for each in sections["waitlist_offers"] if each["ended_at"] is None}
    if not visits:
        return [pdfs.words(_("None."))]
    rows = [
        (
            _time(visit["starts_at"], zone),
            visit["service"],
            visit["doctor"],
            _("Offered") if visit["id"] in offered else _(STATUS[AppointmentStatus(visit["status"])]),
        )
        for visit in visits
    ]
    return [pdfs.table((_("When"), _("Service"), _("Doctor"), _("Status")), rows, (40, None, None, 32))]


def _emergencies(accesses: list[dict[str, Any]], zone: tzinfo) -> list[Any]:
    if not accesses:
        return []
    rows = [(_time(each["opened_at"], zone), each["doctor"], each["reason"]) for each in accesses]
    return [
        pdfs.heading(_("Opened in an emergency")),
        pdfs.table((_("When"), _("Doctor"), _("Reason")), rows, (40, 45, None)),
    ]


def _time(written: str, zone: tzinfo) -> str:
    at = datetime.fromisoformat(written)
    return f"{short_date(at.astimezone(zone).date())}, {clock_time(at, zone)}"
