"""Which patient comes to which doctor on a given day."""

from bisect import bisect_left
from datetime import date
from random import Random

from db.seed.doctors import Practice
from db.seed.families import FAMILY
from db.seed.patients import CHILD_SHARE
from db.seed.rows import PatientRow

_LOYALTY = 0.75  # how often a visit goes to a patient of the doctor's own panel
_TRIES = 8


class _Group:
    """Adults or children in the order of registration, so that those here by a date are a prefix."""

    def __init__(self, patients: list[PatientRow]) -> None:
        self._patients = patients
        self._registered_on = [patient.created_at.date() for patient in patients]
        self._size = 0

    def open_on(self, on: date) -> None:
        self._size = bisect_left(self._registered_on, on)

    def one(self, rng: Random, panel: int, panels: int) -> PatientRow | None:
        """Somebody registered before the day, often from the panel; those who came first come most."""
        if not self._size:
            return None
        number = int(self._size * rng.random() ** 1.25)
        if rng.random() < _LOYALTY:
            number = number - number % panels + panel % panels
        return self._patients[number] if number < self._size else None

    def first_not_in(self, seen: set[int]) -> PatientRow | None:
        return next((patient for patient in self._patients[: self._size] if patient.id not in seen), None)


class Panels:
    """Picks a patient for each visit of a day, nobody twice: no two visits of one patient can overlap."""

    def __init__(self, patients: list[PatientRow], doctors: int, rng: Random) -> None:
        others = [patient for patient in patients if patient.id not in FAMILY]
        self._adults = _Group([patient for patient in others if patient.guardian_id is None])
        self._children = _Group([patient for patient in others if patient.guardian_id is not None])
        self._doctors = doctors
        self._children_panels = max(1, round(doctors * CHILD_SHARE))
        self._rng = rng
        self._seen: set[int] = set()

    def open_on(self, on: date, already_coming: set[int]) -> None:
        """Begin a day. Days must be asked for one at a time."""
        self._seen = already_coming
        self._adults.open_on(on)
        self._children.open_on(on)

    def pick(self, practice: Practice) -> PatientRow | None:
        """Somebody for this doctor who is not yet coming today, None when everybody already is."""
        sees_children = practice.part.sees_children
        for attempt in range(_TRIES):
            if sees_children and attempt < _TRIES / 2:
                patient = self._children.one(self._rng, practice.doctor_id, self._children_panels)
            else:
                patient = self._adults.one(self._rng, practice.doctor_id, self._doctors)
            if patient and patient.id not in self._seen:
                break
        else:
            patient = self._adults.first_not_in(self._seen) or self._children.first_not_in(self._seen)
        if patient:
            self._seen.add(patient.id)
        return patient
