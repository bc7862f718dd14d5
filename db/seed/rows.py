"""The rows of the big tables as plain tuples, whose fields are the columns they are copied into.

The small tables are filled with model objects; a million of those would take minutes to make.
"""

from datetime import date, datetime
from typing import NamedTuple


class UserRow(NamedTuple):
    id: int
    username: str
    email: str | None
    password_hash: str | None
    role: str
    name: str
    name_folded: str
    phone: str | None
    locale: str
    is_active: bool
    sms_consent_at: datetime | None
    sms_consent_source: str | None
    created_at: datetime
    email_verified_at: datetime | None
    phone_verified_at: datetime | None


class PatientRow(NamedTuple):
    id: int
    user_id: int | None
    guardian_id: int | None
    name: str
    name_folded: str
    birth_on: date
    sex: str
    phone: str | None
    email: str | None
    locale: str
    created_at: datetime


class RecordItemRow(NamedTuple):
    patient_id: int
    kind: str
    name: str
    details: str
    severity: str | None
    noted_at: datetime


class AppointmentRow(NamedTuple):
    id: int
    patient_id: int
    doctor_id: int
    service_id: int
    location_id: int
    room_id: int | None
    starts_at: datetime
    ends_at: datetime
    blocked: str  # a range as PostgreSQL writes it
    status: str
    payment_status: str
    price_minor: int
    payment_rule: str
    rule_cause: str
    cancellation_hours: int
    late_fee_minor: int
    refund_percent: int
    source: str
    version: int
    created_at: datetime
    updated_at: datetime
    attending_at: datetime | None
    arrived_at: datetime | None
    in_room_at: datetime | None
    completed_at: datetime | None


class EventRow(NamedTuple):
    id: int
    appointment_id: int
    kind: str
    at: datetime
    by_user_id: int | None
    before: str | None  # JSON
    after: str | None  # JSON
    reason: str | None


class TakingRow(NamedTuple):
    """A line of the ledger to be: `db.seed.ledgers` numbers them all once the last visit is made.

    `is_open` is of a refund that the desk still has to hand over, and so not in the ledger yet.
    """

    appointment_id: int
    step: int  # the lines of one visit in their order
    kind: str
    at: datetime
    amount_minor: int
    method: str | None
    by_user_id: int | None
    is_open: bool
