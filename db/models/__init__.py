"""The tables, by what they are about."""

from db.models.accounts import CodePurpose, Invite, OneTimeCode, RecoveryCode, SocialIdentity
from db.models.appointments import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    PaymentStatus,
    Source,
)
from db.models.audit import AuditChain, AuditEntry, AuditLink, Outcome
from db.models.clinic import ClinicSettings, Location, Room
from db.models.notifications import Channel, Notification, NotificationStatus
from db.models.people import Doctor, Patient, Role, Sex, Specialty, User, doctor_specialties, folded
from db.models.records import EmergencyAccess
from db.models.schedules import DateOverride, TimeOff, WeeklyHours
from db.models.services import DoctorService, Service
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
    "EmergencyAccess",
    "EventKind",
    "Invite",
    "Location",
    "Notification",
    "NotificationStatus",
    "OneTimeCode",
    "Outcome",
    "Patient",
    "PaymentStatus",
    "RecoveryCode",
    "Role",
    "Room",
    "Service",
    "Sex",
    "SignIn",
    "SignInAttempts",
    "SignInGrant",
    "SocialIdentity",
    "Source",
    "Specialty",
    "TimeOff",
    "User",
    "WeeklyHours",
    "doctor_specialties",
    "folded",
]
