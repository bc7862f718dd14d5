"""The clinic itself: its settings, places, specialties and services."""

from datetime import time
from typing import NamedTuple

from db.models import ClinicSettings, Location, PaymentRule, Service, Specialty
from db.seed.calendars import ZONE

HORIZON_DAYS = 90
CANCELLATION_HOURS, LATE_FEE_PERCENT, REFUND_PERCENT = 24, 50, 100

SPECIALTIES = [
    "General practice",
    "Paediatrics",
    "Dermatology",
    "Cardiology",
    "Gynaecology",
    "Orthopaedics",
    "Psychiatry",
    "Ear, nose and throat",
]

MITTE, PARK = 1, 2


class Offer(NamedTuple):
    """A service as one doctor offers it, in plain values because a million visits read them."""

    service_id: int
    duration: int
    step: int
    buffer_before: int
    buffer_after: int
    price_minor: int
    has_own_rule: bool
    cancellation_hours: int
    late_fee_percent: int
    is_video: bool

    @property
    def late_fee_minor(self) -> int:
        """What a late cancellation costs, halves of a cent rounded up."""
        return (self.price_minor * self.late_fee_percent + 50) // 100

    @property
    def blocks(self) -> int:
        """The minutes that a visit takes from the doctor, with its buffers."""
        return self.buffer_before + self.duration + self.buffer_after


def settings() -> ClinicSettings:
    return ClinicSettings(
        name="Lindenhof Clinic",
        time_zone=ZONE.key,
        currency="EUR",
        phone="+493023125100",
        address="Lindenhofgasse 14\n10115 Berlin",
        minimum_notice_minutes=120,
        horizon_days=HORIZON_DAYS,
        cancellation_hours=CANCELLATION_HOURS,
        late_fee_percent=LATE_FEE_PERCENT,
        refund_percent=REFUND_PERCENT,
        first_visit_rule=PaymentRule.DEPOSIT,
        no_show_limit=2,
        no_show_rule=PaymentRule.FULL,
        is_demo=True,
        quiet_from=time(23, 59),  # so that the demo texts at whatever hour it is tried
        quiet_until=time(0),
        requires_second_factor=False,
    )


def locations() -> list[Location]:
    return [
        Location(id=MITTE, name="Lindenhof Mitte", address="Lindenhofgasse 14, 10115 Berlin"),
        Location(id=PARK, name="Lindenhof am Park", address="Kastanienring 3, 12435 Berlin"),
    ]


def specialties() -> list[Specialty]:
    return [Specialty(id=number, name=name) for number, name in enumerate(SPECIALTIES, 1)]


# Name, description, minutes, step, buffers before and after, price and deposit in cents.
_SERVICES = [
    ("Consultation", "A first talk about anything that troubles you.", 30, 30, 0, 0, 6000, 0),
    ("Follow-up", "A short visit about something we have seen before.", 15, 15, 0, 0, 3000, 0),
    ("Video consultation", "The same talk from home, in your browser.", 20, 20, 0, 0, 4500, 0),
    ("Health check", "Bloods, blood pressure and a look at your risks.", 45, 15, 0, 0, 9500, 0),
    ("Vaccination", "Travel and routine vaccinations. Bring your vaccination card.", 15, 15, 0, 0, 2500, 0),
    ("Child check-up", "Growth, hearing, sight and everything parents want to ask.", 30, 30, 0, 0, 5500, 0),
    ("Skin check", "Every mole looked at with a dermatoscope.", 20, 20, 0, 0, 6500, 0),
    ("Mole removal", "Under local anaesthetic, with a laboratory report.", 45, 15, 5, 10, 14000, 4000),
    ("ECG and cardiac check", "Resting ECG and a talk about the result.", 45, 15, 5, 10, 12000, 3000),
    ("Ultrasound", "Heart or abdomen. Please come with an empty stomach.", 30, 30, 0, 10, 9000, 2000),
    ("Gynaecological check-up", "Yearly check-up with smear test.", 30, 30, 0, 5, 7000, 0),
    ("Joint injection", "For knees and shoulders, after a consultation.", 20, 20, 0, 5, 8000, 2000),
    ("Psychiatric first interview", "Fifty minutes to begin with.", 50, 30, 0, 10, 13000, 3000),
    ("Hearing test", "Audiogram in a quiet cabin, with the result in your hand.", 20, 20, 0, 0, 5000, 0),
]  # fmt: skip

EVERYBODY_OFFERS = ["Consultation", "Follow-up"]
VIDEO = "Video consultation"
LONG_INTERVIEW = "Psychiatric first interview"  # an hour that nobody else can take at short notice


def services() -> list[Service]:
    return [
        Service(
            id=number,
            name=name,
            description=description,
            duration_minutes=minutes,
            step_minutes=step,
            buffer_before_minutes=before,
            buffer_after_minutes=after,
            price_minor=price,
            deposit_minor=deposit,
            payment_rule=_rule_of(name, deposit),
            cancellation_hours=48 if name == LONG_INTERVIEW else None,
            late_fee_percent=80 if name == LONG_INTERVIEW else None,
            is_video=name == VIDEO,
            is_active=True,
        )
        for number, (name, description, minutes, step, before, after, price, deposit) in enumerate(
            _SERVICES, 1
        )
    ]


def _rule_of(name: str, deposit: int) -> PaymentRule | None:
    """Video visits are paid when booked, what has a deposit asks for that, the rest is as usual."""
    if name == VIDEO:
        return PaymentRule.FULL
    return PaymentRule.DEPOSIT if deposit else None
