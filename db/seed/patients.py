"""Patients of all ages, some with an account, some children of others."""

from datetime import date, datetime, timedelta
from random import Random

from db.models import ItemKind, Role, Severity, Sex, folded
from db.seed.names import PersonName, any_name, given_name, login_letters
from db.seed.rows import PatientRow, RecordItemRow, UserRow

CHILD_SHARE = 0.085  # a few find no guardian of a fitting age and are left out
ACCOUNT_SHARE = 0.55
_SEXES = [Sex.FEMALE, Sex.MALE, Sex.OTHER, Sex.UNKNOWN]
_SEX_WEIGHTS = [52, 46, 1, 1]
_AGES = [(18, 29), (30, 44), (45, 59), (60, 74), (75, 97)]
_AGE_WEIGHTS = [18, 27, 25, 20, 10]
_ADULT_DAYS = 18 * 366
_ALLERGIES = [
    ("Penicillin", "Rash", Severity.MODERATE),
    ("Amoxicillin", "Hives", Severity.MODERATE),
    ("Birch and hazel pollen", "Runny nose, itching eyes", Severity.MILD),
    ("House dust mites", "Sneezing at night", Severity.MILD),
    ("Nuts", "Carries an adrenaline pen", Severity.SEVERE),
    ("Ibuprofen", "Asthma attack", Severity.SEVERE),
    ("Latex", "", None),
    ("Nickel", "Eczema", Severity.MILD),
    ("Bee and wasp venom", "Anaphylaxis in 2019", Severity.SEVERE),
    ("Cow's milk protein", "", None),
    ("Iodine contrast medium", "", None),
]
_HISTORIES = [
    (ItemKind.PROBLEM, "High blood pressure", "Treated since 2018"),
    (ItemKind.PROBLEM, "Asthma", "Since childhood, uses an inhaler"),
    (ItemKind.PROBLEM, "Type 2 diabetes", "Diet and metformin"),
    (ItemKind.HISTORY, "Appendix removed in 2009", ""),
    (ItemKind.PROBLEM, "Hypothyroidism", "Takes levothyroxine"),
    (ItemKind.PROBLEM, "Migraine with aura", "Two or three times a month"),
    (ItemKind.HISTORY, "Slipped disc L4/L5 in 2021", "Physiotherapy"),
    (ItemKind.PROBLEM, "Hay fever", "In spring"),
    (ItemKind.HISTORY, "Knee replacement on the left in 2022", ""),
    (ItemKind.HISTORY, "Former smoker", "Stopped in 2020"),
]
# Numbers that the Bundesnetzagentur keeps free for films and books: they ring nowhere. A large clinic
# has more patients than there are of them and repeats them.
_FILM_NUMBERS = ["+493023125", "+494066969", "+498999998", "+496990009", "+492214710"]


def film_number(number: int) -> str:
    """The fictitious telephone number with this index."""
    block, last = divmod(number, 1000)
    return f"{_FILM_NUMBERS[block % len(_FILM_NUMBERS)]}{last:03}"


class Registrations:
    """Registers patients one after the other; `patients`, `accounts` and `items` of their records grow."""

    def __init__(self, rng: Random, now: datetime, first_user_id: int) -> None:
        self._rng = rng
        self._now = now
        self._next_user_id = first_user_id
        self.patients: list[PatientRow] = []
        self.accounts: list[UserRow] = []
        self.items: list[RecordItemRow] = []
        self._names: list[PersonName] = []
        self._by_chance_from = 0  # the demo family before them gets no further children

    def register_many(self, count: int, since: datetime) -> None:
        """Register until there are `count`: half before `since`, the others in the time from then to now."""
        self._by_chance_from = len(self.patients)
        missing = max(count - len(self.patients), 0)
        before = [since - timedelta(days=self._rng.uniform(1, 1000)) for _ in range(missing // 2)]
        span = (self._now - timedelta(days=1) - since).total_seconds()
        during = [since + timedelta(seconds=self._rng.uniform(0, span)) for _ in range(missing - len(before))]
        for at in sorted(before + during):
            if self._rng.random() >= CHILD_SHARE or not self._register_child(at):
                self._register_adult(at)

    def _register_adult(self, at: datetime) -> None:
        rng = self._rng
        sex = rng.choices(_SEXES, _SEX_WEIGHTS)[0]
        name = any_name(rng, sex)
        youngest, oldest = rng.choices(_AGES, _AGE_WEIGHTS)[0]
        birth_on = at.date() - timedelta(days=rng.randint(youngest * 366, oldest * 365))
        number = len(self.patients) + 1
        login = f"{login_letters(name.written(sex)) or 'patient'}.{number}"
        self.add(
            name,
            PatientRow(
                id=number,
                user_id=None,
                guardian_id=None,
                name=name.written(sex),
                name_folded=folded(name.written(sex)),
                birth_on=birth_on,
                sex=sex.value,
                phone=film_number(number + 200) if rng.random() < 0.94 else None,
                email=f"{login}@{rng.choice(['example.org', 'example.com'])}",
                locale=rng.choices([name.culture.locale, "de", "en_GB"], [55, 25, 20])[0],
                created_at=at,
            ),
            login if rng.random() < ACCOUNT_SHARE else None,
        )
        self._list_by_chance(number, at, allergic=0.18, treated=0.25)

    def list_item(self, patient_id: int, kind: ItemKind, name: str, details: str, at: datetime) -> None:
        """Put something that is no allergy into a patient's record."""
        self.items.append(RecordItemRow(patient_id, kind.value, name, details, None, at))

    def list_allergy(
        self, patient_id: int, name: str, details: str, severity: Severity | None, at: datetime
    ) -> None:
        """Put an allergy into a patient's record, `details` the reaction."""
        kept = severity.value if severity else None
        self.items.append(RecordItemRow(patient_id, ItemKind.ALLERGY.value, name, details, kept, at))

    def _list_by_chance(self, patient_id: int, at: datetime, *, allergic: float, treated: float) -> None:
        rng = self._rng
        if rng.random() < allergic:
            self.list_allergy(patient_id, *rng.choice(_ALLERGIES), at)
        if rng.random() < treated:
            self.list_item(patient_id, *rng.choice(_HISTORIES), at)

    def _register_child(self, at: datetime) -> bool:
        """Register a child of somebody already here; false when nobody is of a fitting age."""
        rng = self._rng
        youngest_birth = self._now.date() - timedelta(days=_ADULT_DAYS - 366)
        birth_on = at.date() - timedelta(days=int(rng.random() * (at.date() - youngest_birth).days))
        guardian = self._guardian_for(birth_on)
        if guardian is None:
            return False
        sex = rng.choices(_SEXES, _SEX_WEIGHTS)[0]
        family = self._names[guardian.id - 1]
        name = PersonName(given_name(rng, family.culture, sex), family.family, family.culture)
        self.add_child(name, sex, birth_on, guardian, at)
        return True

    def _guardian_for(self, birth_on: date) -> PatientRow | None:
        """An adult who was between 19 and 45 when the child was born, after a few tries."""
        candidates = range(self._by_chance_from, len(self.patients))
        for _ in range(10 if candidates else 0):
            candidate = self.patients[self._rng.choice(candidates)]
            if 19 * 366 <= (birth_on - candidate.birth_on).days <= 45 * 365:
                return candidate
        return None

    def add_child(
        self, name: PersonName, sex: Sex, birth_on: date, guardian: PatientRow, at: datetime
    ) -> None:
        """Add a dependant, who is reached through the guardian and has no account."""
        written = name.written(sex)
        child = PatientRow(
            id=len(self.patients) + 1,
            user_id=None,
            guardian_id=guardian.id,
            name=written,
            name_folded=folded(written),
            birth_on=birth_on,
            sex=sex.value,
            phone=None,
            email=None,
            locale=guardian.locale,
            created_at=at,
        )
        self.add(name, child, None)
        self._list_by_chance(child.id, at, allergic=0.18, treated=0)

    def add(
        self, name: PersonName, patient: PatientRow, username: str | None, password_hash: str | None = None
    ) -> None:
        """Add a patient, with an account if there is a user name for it."""
        self._names.append(name)
        if username is None:
            self.patients.append(patient)
            return
        consents = patient.phone is not None and self._rng.random() < 0.6
        self.accounts.append(
            UserRow(
                id=self._next_user_id,
                username=username,
                email=patient.email,
                password_hash=password_hash,
                role=Role.PATIENT.value,
                name=patient.name,
                name_folded=patient.name_folded,
                phone=patient.phone,
                locale=patient.locale,
                is_active=True,
                sms_consent_at=patient.created_at if consents else None,
                sms_consent_source="portal" if consents else None,
                created_at=patient.created_at,
                email_verified_at=patient.created_at if patient.email else None,
                phone_verified_at=patient.created_at if consents else None,
            )
        )
        self.patients.append(patient._replace(user_id=self._next_user_id))
        self._next_user_id += 1
