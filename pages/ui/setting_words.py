"""What administrators set up, in words: the fields of the history and their values."""

from typing import Any

from core.i18n import N_, _, full_weekday, money
from core.setting_changes import Subject

SUBJECTS = {
    Subject.CLINIC: N_("Clinic"),
    Subject.PRICES: N_("Prices and payment"),
    Subject.SERVICE: N_("Service"),
    Subject.PLACE: N_("Place"),
    Subject.ROOM: N_("Room"),
    Subject.CLOSED_DAY: N_("Closed day"),
    Subject.DOCTOR: N_("Doctor"),
    Subject.SPECIALTY: N_("Specialty"),
    Subject.HOURS: N_("Hours"),
}
FIELDS = {
    "address": N_("Address"),
    "buffer_after_minutes": N_("Kept free after it (minutes)"),
    "buffer_before_minutes": N_("Kept free before it (minutes)"),
    "cancellation_hours": N_("Cancelling is late from (hours before)"),
    "currency": N_("Currency"),
    "deposit_minor": N_("Deposit"),
    "deposit_percent": N_("Deposit (%)"),
    "description": N_("What patients read about it"),
    "duration_minutes": N_("Takes (minutes)"),
    "first_visit_rule": N_("Due on a first visit"),
    "from_on": N_("From"),
    "on_date": N_("Day"),
    "until_on": N_("Until"),
    "horizon_days": N_("Booked at most ahead (days)"),
    "is_accepting_patients": N_("Patients can book online"),
    "is_active": N_("In use"),
    "is_video": N_("By video"),
    "late_fee_percent": N_("Late fee (%)"),
    "minimum_notice_minutes": N_("Booked at least ahead (minutes)"),
    "name": N_("Name"),
    "needs_room": N_("Needs a room"),
    "no_show_limit": N_("Missed visits before the stricter rule"),
    "no_show_rule": N_("Due after missed visits"),
    "patient_idle_minutes": N_("Patients are signed out after (minutes)"),
    "payment_rule": N_("Due when booked online"),
    "phone": N_("Phone of reception"),
    "place": N_("Place"),
    "price_minor": N_("Price"),
    "record_retention_years": N_("Records are kept (years)"),
    "refund_percent": N_("Goes back when cancelled in time (%)"),
    "requires_second_factor": N_("A second step for people who work here"),
    "rooms": N_("Rooms that will do"),
    "services": N_("Services"),
    "specialties": N_("Specialties"),
    "staff_idle_minutes": N_("People who work here are signed out after (minutes)"),
    "step_minutes": N_("Starts every (minutes)"),
    "text_name": N_("Name in text messages"),
    "time_zone": N_("Time zone"),
    "unpaid_holds": N_("Unpaid visits that one account may hold"),
}
NOTHING = "–"


def field_name(field: str) -> str:
    """What a field of a change is called."""
    if field.startswith("weekday_"):
        return full_weekday(int(field.removeprefix("weekday_")))
    known = FIELDS.get(field)
    return _(known) if known else field.replace("_", " ")


def field_value(field: str, value: Any, currency: str) -> str:
    """A value of a change as one reads it: sums in the clinic's currency."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, dict):  # services with their own prices
        priced = (name if own is None else f"{name} ({money(own, currency)})" for name, own in value.items())
        return ", ".join(priced)
    return money(value, currency) if field.endswith("_minor") else str(value)
