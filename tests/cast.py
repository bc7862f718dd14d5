"""The people of every test and the moment they act: always the same, so that a failure reads like a story."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.access import Actor
from db.models import Doctor, Patient, Role, Service, User
from tests import make

BERLIN = ZoneInfo("Europe/Berlin")
PATIENTS = ("Ada Okafor", "Ben Sato", "Stefan Fremd", "Greta Klein")  # who have accounts
NOW = datetime(2026, 6, 1, 8, 0, tzinfo=BERLIN)  # a Monday, before the doctors open


def on(day: int, hour: int, minute: int = 0, *, month: int = 6) -> datetime:
    """A wall time of June 2026 in Berlin: the 1st is the Monday of `NOW`, the 3rd its Wednesday."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@contextmanager
def time_is(at: datetime) -> Iterator[None]:
    """Stop the clock of `core` at `at`, in every thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.clock.now", lambda: at.astimezone(UTC))
        yield


@dataclass(frozen=True)
class Cast:
    """Two patients, two doctors, a receptionist, an admin, a stranger, and a guardian with a child."""

    ada: Actor
    ben: Actor
    stranger: Actor
    guardian: Actor
    child_id: int
    dr_roth: Doctor
    dr_weiss: Doctor
    roth: Actor
    weiss: Actor
    desk: Actor
    admin: Actor
    checkup: Service


def assemble(session: Session) -> Cast:
    """Everybody, at a clinic in Berlin whose two doctors offer one half-hour service."""
    make.clinic(session)
    make.main_location(session)
    checkup = make.service(session)
    dr_roth = make.doctor(session, offers=[checkup], name="Dr. Eva Roth")
    dr_weiss = make.doctor(session, offers=[checkup], name="Dr. Jonas Weiß")
    *with_accounts, rita, albert = make.accounts(
        session,
        [
            *((name, Role.PATIENT) for name in PATIENTS),
            ("Rita Empfang", Role.STAFF),
            ("Albert Admin", Role.ADMIN),
        ],
    )
    ada, ben, stranger, guardian = (
        _as_patient(account, patient)
        for account, patient in zip(with_accounts, make.patients_of(session, with_accounts), strict=True)
    )
    child = make.patient(session, name="Mila Klein", guardian_id=guardian.patient_ids[0])
    return Cast(
        ada=ada,
        ben=ben,
        stranger=stranger,
        guardian=Actor(
            guardian.user_id, Role.PATIENT, guardian.name, patient_ids=(*guardian.patient_ids, child.id)
        ),
        child_id=child.id,
        dr_roth=dr_roth,
        dr_weiss=dr_weiss,
        roth=_as_doctor(dr_roth),
        weiss=_as_doctor(dr_weiss),
        desk=_as(rita),
        admin=_as(albert),
        checkup=checkup,
    )


def patient_actor(session: Session, name: str) -> Actor:
    """A new patient with an account."""
    account = make.user(session, Role.PATIENT, name=name)
    return _as_patient(account, make.patient(session, name=name, user_id=account.id))


def _as_patient(account: User, patient: Patient) -> Actor:
    return Actor(account.id, Role.PATIENT, account.name, patient_ids=(patient.id,))


def _as_doctor(doctor: Doctor) -> Actor:
    return Actor(doctor.user_id, Role.DOCTOR, doctor.user.name, doctor_id=doctor.id)


def _as(account: User) -> Actor:
    return Actor(account.id, account.role, account.name)
