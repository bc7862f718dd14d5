"""The tables, by what they are about."""

from db.models.appointments import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    EventKind,
    PaymentStatus,
    Source,
)
from db.models.clinic import ClinicSettings, Location, Room
from db.models.people import Doctor, Patient, Role, Sex, Specialty, User, doctor_specialties, folded
from db.models.schedules import DateOverride, TimeOff, WeeklyHours
from db.models.services import DoctorService, Service
from db.models.sign_ins import SignIn, SignInAttempts, SignInGrant

__all__ = [
    "Appointment",
    "AppointmentEvent",
    "AppointmentStatus",
    "ClinicSettings",
    "DateOverride",
    "Doctor",
    "DoctorService",
    "EventKind",
    "Location",
    "Patient",
    "PaymentStatus",
    "Role",
    "Room",
    "Service",
    "Sex",
    "SignIn",
    "SignInAttempts",
    "SignInGrant",
    "Source",
    "Specialty",
    "TimeOff",
    "User",
    "WeeklyHours",
    "doctor_specialties",
    "folded",
]
