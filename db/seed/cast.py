"""The twelve doctors of the demo clinic, written by hand. A larger clinic repeats them under other names."""

from typing import NamedTuple

from db.models import Sex
from db.seed.clinics import MITTE, PARK


class Hours(NamedTuple):
    """The same stretch of working time on several weekdays, as ISO digits: "135" is Mon, Wed, Fri."""

    weekdays: str
    opens: str
    closes: str
    location_id: int


class Part(NamedTuple):
    """What one doctor is like.

    `services` come on top of what everybody offers, with the doctor's own price in cents where it is not
    None; `demand` is how full the diary is compared with the clinic's average.
    """

    name: str
    sex: Sex
    specialties: list[str]
    languages: list[str]
    bio: str
    hours: list[Hours]
    services: dict[str, int | None]
    demand: float = 1.0
    opens_saturdays: bool = False
    has_room: bool = True
    is_accepting_patients: bool = True
    is_active: bool = True

    @property
    def sees_children(self) -> bool:
        return "Paediatrics" in self.specialties


CAST = [
    Part(
        "Dr. Amélie Laurent",
        Sex.FEMALE,
        ["General practice"],
        ["fr", "de", "en"],
        "Family doctor with a liking for long-standing questions: tiredness, back pain, sleep. "
        "Trained in Lyon and Berlin, and happy to look after three generations of one family.",
        [
            Hours("12345", "08:00", "12:30", MITTE),
            Hours("1245", "13:30", "17:00", MITTE),
            Hours("3", "15:00", "19:00", MITTE),
        ],
        {"Video consultation": None, "Health check": None, "Vaccination": None, "Ultrasound": 8000},
        demand=1.15,
    ),
    Part(
        "Dr. Mehmet Aydın",
        Sex.MALE,
        ["Paediatrics"],
        ["tr", "de", "en"],
        "Looks after children from the first week to the last school year. Takes time for worried parents, "
        "keeps a box of finger puppets and vaccinates faster than one can count to three.",
        [Hours("1245", "08:30", "12:30", PARK), Hours("14", "14:00", "18:00", PARK)],
        {"Child check-up": None, "Vaccination": None, "Video consultation": None},
        demand=0.65,
        opens_saturdays=True,
    ),
    Part(
        "Dr. Ingrid Sjögren",
        Sex.FEMALE,
        ["Dermatology"],
        ["sv", "de", "en"],
        "Skin cancer screening, eczema and acne. Photographs every mole she wants to see again and explains "
        "why; removes the few that should go, the same week where possible.",
        [Hours("135", "09:00", "13:00", MITTE), Hours("13", "14:00", "17:30", MITTE)],
        {"Skin check": None, "Mole removal": None},
    ),
    Part(
        "Prof. Dr. Rajesh Menon",
        Sex.MALE,
        ["Cardiology"],
        ["hi", "ml", "en", "de"],
        "Heart rhythm, heart failure and high blood pressure. Fifteen years in a university hospital; "
        "came here to know his patients by name.",
        [
            Hours("24", "08:00", "12:00", PARK),
            Hours("24", "13:00", "16:30", PARK),
            Hours("5", "08:00", "13:00", MITTE),
        ],
        {"ECG and cardiac check": 13500, "Ultrasound": None, "Video consultation": 5500},
        demand=1.1,
    ),
    Part(
        "Dr. Olena Kovalenko",
        Sex.FEMALE,
        ["Gynaecology"],
        ["uk", "ru", "de", "pl"],
        "Check-ups, contraception and care during pregnancy, without hurry and without judgement. Talks with "
        "teenagers alone when they ask for it.",
        [
            Hours("12", "09:00", "13:00", MITTE),
            Hours("12", "14:00", "18:00", MITTE),
            Hours("4", "14:00", "19:30", MITTE),
        ],
        {"Gynaecological check-up": None, "Ultrasound": None},
    ),
    Part(
        "Dr. Tomás Herrera",
        Sex.MALE,
        ["Orthopaedics"],
        ["es", "de", "en", "pt"],
        "Knees, shoulders and everything runners do to themselves. Prefers exercise to injections and "
        "injections to operations, and shows the exercises himself.",
        [Hours("1234", "08:00", "12:00", PARK), Hours("13", "13:00", "17:00", PARK)],
        {"Joint injection": None, "Video consultation": None},
        demand=1.05,
        has_room=False,
    ),
    Part(
        "Dr. Noa Friedman",
        Sex.FEMALE,
        ["Psychiatry"],
        ["he", "en", "de"],
        "Depression, anxiety and the exhaustion that comes with both. Combines talking with medicine only "
        "where medicine helps. Many of her follow-ups are by video.",
        [Hours("235", "10:00", "13:00", MITTE), Hours("23", "14:00", "20:00", MITTE)],
        {"Psychiatric first interview": None, "Video consultation": None},
        demand=1.1,
        has_room=False,
    ),
    Part(
        "Dr. Giulia Moretti",
        Sex.FEMALE,
        ["Ear, nose and throat"],
        ["it", "de", "en"],
        "Hearing, balance, noses that never clear. Singers and teachers come to her for their voices.",
        [Hours("145", "08:30", "12:30", MITTE), Hours("4", "13:30", "18:00", MITTE)],
        {"Hearing test": None},
        demand=0.85,
    ),
    Part(
        "Dr. Samuel Okafor",
        Sex.MALE,
        ["General practice", "Cardiology"],
        ["en", "de", "ig"],
        "General practitioner with a second training in cardiology: long-term care of blood pressure, "
        "diabetes and the heart in one place. Works evenings for people who work days.",
        [
            Hours("124", "13:00", "16:00", PARK),
            Hours("124", "16:30", "20:30", PARK),
            Hours("5", "14:00", "18:00", PARK),
        ],
        {
            "ECG and cardiac check": 11000,
            "Health check": None,
            "Video consultation": None,
            "Vaccination": None,
        },
        demand=0.95,
    ),
    Part(
        "Dr. Sophie Brandt",
        Sex.FEMALE,
        ["Paediatrics", "General practice"],
        ["de", "en", "fr"],
        "Children and their tired parents. Takes no new families at the moment, because the ones she has "
        "deserve an appointment in the same week.",
        [Hours("13", "09:00", "13:00", MITTE), Hours("5", "14:00", "17:00", PARK)],
        {"Child check-up": 6000, "Vaccination": None},
        demand=0.65,
        is_accepting_patients=False,
    ),
    Part(
        "Dr. Nguyễn Minh Anh",
        Sex.FEMALE,
        ["Dermatology", "General practice"],
        ["vi", "de", "en"],
        "Eczema, allergies and skin in all its colours, which textbooks still show in one. Saturday hours "
        "once a month.",
        [Hours("24", "08:00", "12:00", PARK), Hours("24", "12:45", "16:00", PARK)],
        {"Skin check": 6000, "Vaccination": None, "Video consultation": None},
        opens_saturdays=True,
    ),
    Part(
        "Dr. Wolfgang Krüger",
        Sex.MALE,
        ["Orthopaedics"],
        ["de", "en"],
        "Forty years of hips and hands. Retired from practice; his patients are now with Dr. Herrera.",
        [Hours("124", "08:00", "12:00", MITTE)],
        {"Joint injection": 9000},
        demand=0.8,
        is_active=False,
    ),
]
