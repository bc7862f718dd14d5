"""The patient who signs in as `patient`: a mother of two, with visits behind and ahead of her."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from db.models import AppointmentStatus, ItemKind, Severity, Sex, folded
from db.seed.accounts import demo_password_hash
from db.seed.diaries import Slot
from db.seed.names import CULTURES, PersonName
from db.seed.patients import Registrations, film_number
from db.seed.rows import PatientRow

MOTHER, SON, DAUGHTER = 1, 2, 3
FAMILY = frozenset({MOTHER, SON, DAUGHTER})


class Wish(NamedTuple):
    """A visit of the demo family: the first one in the diary on or after a day, with such a doctor."""

    days_ahead: int
    patient_id: int
    specialty: str
    status: AppointmentStatus

    def fits(self, slot: Slot, today: date) -> bool:
        """Whether the slot is that visit. What is over stays in the past, what is to come in the future."""
        is_over = self.status is AppointmentStatus.COMPLETED
        return (
            not slot.is_given_up
            and self.specialty in slot.practice.part.specialties
            and (slot.on < today if is_over else slot.on != today)
        )


_COMPLETED, _CONFIRMED = AppointmentStatus.COMPLETED, AppointmentStatus.CONFIRMED
WISHES = [
    Wish(-430, MOTHER, "General practice", _COMPLETED),
    Wish(-372, SON, "Paediatrics", _COMPLETED),
    Wish(-298, MOTHER, "Dermatology", _COMPLETED),
    Wish(-214, MOTHER, "Gynaecology", _COMPLETED),
    Wish(-150, DAUGHTER, "Paediatrics", _COMPLETED),
    Wish(-121, MOTHER, "General practice", _COMPLETED),
    Wish(-83, MOTHER, "Orthopaedics", AppointmentStatus.CANCELLED),
    Wish(-61, SON, "Paediatrics", _COMPLETED),
    Wish(-47, MOTHER, "General practice", _COMPLETED),
    Wish(-18, MOTHER, "Dermatology", _COMPLETED),
    Wish(2, MOTHER, "General practice", _CONFIRMED),
    Wish(5, DAUGHTER, "Paediatrics", _CONFIRMED),
    Wish(12, MOTHER, "Dermatology", _CONFIRMED),
    Wish(26, MOTHER, "Gynaecology", _CONFIRMED),
]


def register_family(registrations: Registrations, today: date, at: datetime) -> None:
    """Register the mother with her account, then her two children. They are the first patients of all."""
    german = next(culture for culture in CULTURES if culture.locale == "de")
    name = PersonName("Katharina", "Lindner", german)
    written = name.written(Sex.FEMALE)
    mother = PatientRow(
        id=MOTHER,
        user_id=None,
        guardian_id=None,
        name=written,
        name_folded=folded(written),
        birth_on=today - timedelta(days=13_987),
        sex=Sex.FEMALE.value,
        phone=film_number(1),
        email="patient@example.org",
        locale="en_GB",
        created_at=at,
    )
    registrations.list_allergy(MOTHER, "Penicillin", "Rash on the arms and chest", Severity.MODERATE, at)
    registrations.list_item(MOTHER, ItemKind.PROBLEM, "Migraine with aura", "Two or three times a month", at)
    registrations.list_item(MOTHER, ItemKind.MEDICATION, "Sumatriptan 50 mg", "One tablet at an attack", at)
    registrations.add(name, mother, "patient", demo_password_hash())
    for given, sex, days_old in (("Emil", Sex.MALE, 3_420), ("Mia", Sex.FEMALE, 1_630)):
        child_name = PersonName(given, "Lindner", german)
        registrations.add_child(child_name, sex, today - timedelta(days=days_old), mother, at)
