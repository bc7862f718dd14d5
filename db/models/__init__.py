"""The tables, by what they are about."""

from db.models.accounts import CodePurpose, Invite, OneTimeCode, RecoveryCode, SocialIdentity
from db.models.appointments import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    PaymentStatus,
    RuleCause,
    Source,
)
from db.models.audit import AuditChain, AuditEntry, AuditLink, Outcome
from db.models.clinic import ClinicSettings, Location, Room
from db.models.money import (
    DocumentCounter,
    EntryKind,
    LedgerEntry,
    Payment,
    PaymentMethod,
    PaymentState,
    ProcessorCursor,
    ProcessorEvent,
    Refund,
    RefundCause,
    RefundState,
    Series,
    TillClosing,
)
from db.models.notifications import Channel, Notification, NotificationStatus
from db.models.people import Doctor, Patient, Role, Sex, Specialty, User, doctor_specialties, folded
from db.models.records import EmergencyAccess
from db.models.schedules import DateOverride, TimeOff, WeeklyHours
from db.models.services import DoctorService, PaymentRule, Service
from db.models.sign_ins import SignIn, SignInAttempts, SignInGrant

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "AppointmentStatus",
    "AuditChain",
    "AuditEntry",
    "AuditLink",
    "Channel",
    "ClinicSettings",
    "CodePurpose",
    "DateOverride",
    "Doctor",
    "DoctorService",
    "DocumentCounter",
    "EmergencyAccess",
    "EntryKind",
    "EventKind",
    "Invite",
    "LedgerEntry",
    "Location",
    "Notification",
    "NotificationStatus",
    "OneTimeCode",
    "Outcome",
    "Patient",
    "Payment",
    "PaymentMethod",
    "PaymentRule",
    "PaymentState",
    "PaymentStatus",
    "ProcessorCursor",
    "ProcessorEvent",
    "RecoveryCode",
    "Refund",
    "RefundCause",
    "RefundState",
    "Role",
    "Room",
    "RuleCause",
    "Series",
    "Service",
    "Sex",
    "SignIn",
    "SignInAttempts",
    "SignInGrant",
    "SocialIdentity",
    "Source",
    "Specialty",
    "TillClosing",
    "TimeOff",
    "User",
    "WeeklyHours",
    "doctor_specialties",
    "folded",
]
