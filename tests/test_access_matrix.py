"""Every service, tried by every role on its own and on somebody else's: the access table is what happens.

A new service needs a recipe here, or this test fails. The expected outcome is read from `access.RULES`.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from core import (
    absences,
    calendar_feeds,
    diary_changes,
    ledger,
    profile_drafts,
    records,
    slot_previews,
    tills,
)
from core.access import RULES, Action, Actor, Relation
from core.analytics.scopes import Scope
from core.arrivals import MarkedMeanwhile, NothingToUndo, NotStarted, NotToday
from core.attachments import NotYourFile
from core.attempts import NoCards
from core.clinic_settings import Details as ClinicDetails
from core.desk_messages import NobodyWaits, NotReached
from core.errors import AccessDenied, ClinicError, NotFound
from core.figure_rows import Wanted as VisitsWanted
from core.figures import FIGURES, Table
from core.identities import Identity
from core.left_drafts import Left
from core.letters import CannotSendCodes
from core.names import NameLeftOut
from core.places import Place
from core.prices import ClinicPrices, ServicePrices
from core.privacy import VisitsAhead
from core.safeguards import SecondFactorRequired
from core.second_factors import NothingToConfirm
from core.series import SeriesTooLong
from core.series_changes import NoSeries
from core.services import Details as ServiceDetails
from core.setting_changes import ChangedMeanwhile
from core.strandings import NotStranded
from core.trails import Wanted
from core.unsettled import LeavesVisits
from db.base import Base
from db.config import config
from db.models import (
    AnswerKind,
    Appointment,
    CodePurpose,
    Doctor,
    Ending,
    ItemKind,
    LetterKind,
    Paper,
    Patient,
    PaymentMethod,
    PaymentRule,
    RecordItem,
    RefundState,
    Role,
    User,
)
from tests import clinical, make, portal, waits
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.clinical import Clinical
from tests.portal import PASSWORD
from tests.services import services

CLINICAL = "Penicillin-of-"
WHY = "Found unconscious in the waiting room"
NOTHING_WRITTEN = text(
    " UNION ALL ".join(
        f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"
        for table in sorted(Base.metadata.tables)
    )
    + " ORDER BY 1"  # the tables may be read side by side
)


@dataclass(frozen=True)
class Money:
    """Numbers of what was paid in cash for a visit: the payment, its document, and refunds of each kind."""

    payment_id: int
    entry_id: int
    waiting_id: int
    failed_id: int


@dataclass(frozen=True)
class Waiting:
    """Numbers of a wish on the waitlist and of what it is offered."""

    entry_id: int
    offer_id: int


@dataclass(frozen=True)
class World:
    """A clinic in which everybody has something of their own, and somebody else has the same.

    Ada and Ben are patients, Ada with Dr. Roth and Ben with Dr. Weiß. `OWN` is Ada's and Roth's.
    """

    cast: Cast
    visits: dict[bool, int]
    emergency_id: int
    money: dict[bool, Money]
    waits: dict[bool, Waiting]
    record: dict[bool, Clinical]
    absences: dict[bool, int]
    feeds: dict[bool, int]

    def patient_id(self, is_own: bool) -> int:
        return (self.cast.ada if is_own else self.cast.ben).patient_ids[0]

    def name(self, is_own: bool) -> str:
        return (self.cast.ada if is_own else self.cast.ben).name

    def doctor_id(self, is_own: bool) -> int:
        return (self.cast.dr_roth if is_own else self.cast.dr_weiss).id

    def actor(self, role: Role) -> Actor:
        return {
            Role.PATIENT: self.cast.ada,
            Role.DOCTOR: self.cast.roth,
            Role.STAFF: self.cast.desk,
            Role.ADMIN: self.cast.admin,
        }[role]

    def offer(self, is_own: bool) -> dict[str, Any]:
        """A free time for the patient, of the doctor whose patient it is."""
        return {
            "patient_id": self.patient_id(is_own),
            "doctor_id": self.doctor_id(is_own),
            "service_id": self.cast.checkup.id,
            "starts_at": on(4, 10),
        }


Arguments = Callable[[World, bool], dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """How to call a service, and the action that the table is to be asked about.

    `is_own_only` says that the service acts on the actor alone: there is nobody else's to try. `or_else` is
    what may stand in the way of somebody who may do it. `not_for` is a role that has another service for it.
    """

    action: Action
    arguments: Arguments = lambda _world, _is_own: {}
    is_own_only: bool = False
    or_else: type[ClinicError] | None = None
    not_for: Role | None = None


def of_patient(action: Action, *, or_else: type[ClinicError] | None = None, **more: Any) -> Recipe:
    return Recipe(
        action, lambda world, is_own: {"patient_id": world.patient_id(is_own), **more}, or_else=or_else
    )


def of_doctor(action: Action, *, or_else: type[ClinicError] | None = None, **more: Any) -> Recipe:
    return Recipe(
        action, lambda world, is_own: {"doctor_id": world.doctor_id(is_own), **more}, or_else=or_else
    )


def of_visit(action: Action, *, or_else: type[ClinicError] | None = None, **more: Any) -> Recipe:
    return Recipe(
        action, lambda world, is_own: {"appointment_id": world.visits[is_own], **more}, or_else=or_else
    )


def of_money(action: Action, name: str, **more: Any) -> Recipe:
    """A service about a payment, a refund or a document, named by `name`."""
    key = "refund_id" if name in {"waiting_id", "failed_id"} else name
    return Recipe(action, lambda world, is_own: {key: getattr(world.money[is_own], name), **more})


def of_record(action: Action, name: str, *, or_else: type[ClinicError] | None = None, **more: Any) -> Recipe:
    """A service about something in the record, whose number is called `name` there."""
    key = {
        "visit_id": "appointment_id",
        "draft_id": "prescription_id",
        "letter_draft_id": "letter_id",
    }.get(name, name)
    return Recipe(
        action, lambda world, is_own: {key: getattr(world.record[is_own], name), **more}, or_else=or_else
    )


def of_view(name: str, /, wrap: Callable[[Scope], Any] = lambda scope: scope, **more: Any) -> Recipe:
    """A service about the figures of one doctor, whose scope it takes as `name`."""
    return Recipe(
        Action.SEE_FIGURES,
        lambda world, is_own: {
            name: wrap(Scope(WEDNESDAY, WEDNESDAY, doctor_id=world.doctor_id(is_own))),
            **more,
        },
    )


def of_nobody(action: Action, *, or_else: type[ClinicError] | None = None, **arguments: Any) -> Recipe:
    return Recipe(action, lambda _world, _is_own: arguments, or_else=or_else)


def of_oneself(action: Action, *, or_else: type[ClinicError] | None = None, **arguments: Any) -> Recipe:
    """A service that acts on the account of whoever calls it, and takes no other."""
    return Recipe(action, lambda _world, _is_own: arguments, is_own_only=True, or_else=or_else)


def of_user(**more: Any) -> Recipe:
    """A service for administrators, on Ada's account or Ben's."""
    return Recipe(
        Action.MANAGE_USERS,
        lambda world, is_own: {"user_id": (world.cast.ada if is_own else world.cast.ben).user_id, **more},
    )


def of_figures(key: str, **more: Any) -> Recipe:
    """Figures of a doctor: the own, or another's."""

    def taken(world: World, is_own: bool) -> dict[str, Any]:
        return {"key": key, "scope": Scope(WEDNESDAY, MONDAY, doctor_id=world.doctor_id(is_own)), **more}

    return Recipe(Action.SEE_FIGURES, taken)


WEDNESDAY, MONDAY, TUESDAY = on(3, 0).date(), on(8, 0).date(), on(9, 0).date()
A_TABLE = Table(FIGURES["missed-by_hour"], Scope(WEDNESDAY, MONDAY), "EUR", [])
A_CLINIC = ClinicDetails("Clinic", "", "", "Europe/Berlin", 0, 30, "en", ("en",))
NO_NAME = ServiceDetails("", "", 30, 30, 0, 0, None, None, is_video=False, needs_room=False, is_active=True)
BORN = date(1990, 2, 15)
IDENTITY = Identity("https://accounts.example", "another", NOW, "a@example.org")
CLINIC_PRICES = ClinicPrices("EUR", PaymentRule.FULL, None, None, None, 20, 48, 50, 80, 3)
SERVICE_PRICES = ServicePrices(7000, 1000, PaymentRule.DEPOSIT, 12, None, 100)
# Of a patient's visits doctors have their own in their day, and the others in the record.
ALL_VISITS = Recipe(
    Action.SEE_APPOINTMENT,
    lambda world, is_own: {"patient_ids": [world.patient_id(is_own)]},
    not_for=Role.DOCTOR,
)
RECIPES = {
    "day_lists.to_print": of_doctor(Action.SEE_DAY, on=WEDNESDAY),
    "figures.as_csv": of_figures("revenue-over_time"),
    "figures.read": of_figures("revenue-over_time"),
    "history_reports.to_print": of_patient(Action.SEE_RECORD),
    "letter_pdfs.to_print": of_record(Action.SEE_RECORD, "letter_id"),
    "figure_filters.filters": of_doctor(Action.SEE_FIGURES),
    "figure_pdfs.to_print": of_view("scope", name="utilisation"),
    "figure_lists.as_csv": of_figures("revenue-by_method", of="Cash"),
    "figure_lists.read": of_view("wanted", VisitsWanted, table=A_TABLE),
    "figure_visits.behind": of_view("wanted", VisitsWanted),
    "today_figures.read": of_nobody(Action.SEE_TODAYS_FIGURES),
    "monthly_reports.to_print": of_nobody(Action.SEE_REVENUE, year=2026, month=6),
    "prescription_pdfs.to_print": of_record(Action.SEE_RECORD, "prescription_id"),
    "visit_summaries.to_print": of_record(Action.SEE_RECORD, "visit_id"),
    # A doctor sees the own day, and not the whole clinic's.
    "agendas.clinic_day": Recipe(
        Action.SEE_DAY, lambda _world, _is_own: {"on": WEDNESDAY}, not_for=Role.DOCTOR
    ),
    "agendas.day": of_doctor(Action.SEE_DAY, on=WEDNESDAY),
    "agendas.between": of_doctor(Action.SEE_DAY, from_on=WEDNESDAY, until_on=MONDAY),
    "agendas.next_patient": of_doctor(Action.SEE_DAY, on=WEDNESDAY),
    "agendas.one": of_visit(Action.SEE_APPOINTMENT),
    "agendas.past": ALL_VISITS,
    "agendas.upcoming": ALL_VISITS,
    "rooms.all_active": of_nobody(Action.SEARCH_PATIENTS),
    "clinic_settings.change": of_nobody(
        Action.CHANGE_SETTINGS, or_else=ChangedMeanwhile, wanted=A_CLINIC, seen=A_CLINIC
    ),
    "clinic_settings.details": of_nobody(Action.CHANGE_SETTINGS),
    "doctor_settings.add_specialty": of_nobody(Action.CHANGE_SETTINGS, name="Podiatry"),
    "doctor_settings.all_of_them": of_nobody(Action.CHANGE_SETTINGS),
    "doctor_settings.change": of_nobody(
        Action.CHANGE_SETTINGS, or_else=NotFound, doctor_id=0, wanted=None, seen=None
    ),
    "doctor_settings.details": of_nobody(Action.CHANGE_SETTINGS, or_else=NotFound, doctor_id=0),
    "places.add": of_nobody(Action.CHANGE_SETTINGS, wanted=Place("Annex", "Lindenstraße 2, Berlin")),
    "places.add_room": of_nobody(Action.CHANGE_SETTINGS, or_else=NotFound, location_id=0, name="101"),
    "places.all_of_them": of_nobody(Action.CHANGE_SETTINGS),
    "places.change": of_nobody(
        Action.CHANGE_SETTINGS, or_else=NotFound, location_id=0, wanted=None, seen=None
    ),
    "places.change_room": of_nobody(
        Action.CHANGE_SETTINGS, or_else=NotFound, room_id=0, wanted=None, seen=None
    ),
    "places.rooms": of_nobody(Action.CHANGE_SETTINGS),
    "services.add": of_nobody(Action.CHANGE_SETTINGS, or_else=NameLeftOut, wanted=NO_NAME),
    "services.all_of_them": of_nobody(Action.CHANGE_SETTINGS),
    "services.change": of_nobody(
        Action.CHANGE_SETTINGS, or_else=NotFound, service_id=0, wanted=NO_NAME, seen=NO_NAME
    ),
    "setting_changes.entries": of_nobody(Action.CHANGE_SETTINGS),
    "series.book": of_patient(
        Action.BOOK_SERIES, or_else=SeriesTooLong, doctor_id=1, service_id=1, starts=[], every_weeks=1
    ),
    "series.plan": of_patient(
        Action.BOOK_SERIES,
        or_else=SeriesTooLong,
        doctor_id=1,
        service_id=1,
        starts_at=on(3, 10),
        every_weeks=0,
        visits=1,
    ),
    "series_changes.cancel": of_visit(Action.BOOK_SERIES, or_else=NoSeries, reason="Better."),
    "series_changes.following": of_visit(Action.SEE_APPOINTMENT),
    "series_changes.reschedule": of_visit(Action.BOOK_SERIES, or_else=NoSeries, starts_at=on(3, 10)),
    "strandings.keep": of_visit(Action.SETTLE_VISIT, or_else=NotStranded, reason="They agreed.", causes=()),
    "settlements.call_off": of_visit(Action.SETTLE_VISIT, or_else=NotStranded),
    "settlements.move": of_visit(Action.SETTLE_VISIT, or_else=NotStranded, doctor_id=1, starts_at=on(4, 10)),
    "choices.offer_choice": of_visit(Action.SETTLE_VISIT, or_else=NotStranded, times=[]),
    "suggestions.suggest": Recipe(
        Action.SETTLE_VISIT, lambda world, is_own: {"visits": [_as_shown(world, is_own)]}
    ),
    "provider_hours.known": of_doctor(Action.SET_HOURS),
    "provider_hours.set_week": of_doctor(Action.SET_HOURS, or_else=LeavesVisits, week={}, from_on=WEDNESDAY),
    "provider_hours.set_typed_week": of_doctor(
        Action.SET_HOURS, or_else=LeavesVisits, typed={}, from_on=WEDNESDAY
    ),
    "date_hours.set_typed_dates": of_doctor(Action.SET_HOURS, dates=[TUESDAY], typed={}),
    "date_hours.ahead": of_doctor(Action.SET_HOURS),
    "date_hours.of_dates": of_doctor(Action.SET_HOURS, dates=[WEDNESDAY]),
    "date_hours.set_dates": of_doctor(Action.SET_HOURS, dates=[TUESDAY], of_day=[]),
    "date_hours.clear_dates": of_doctor(Action.SET_HOURS, dates=[TUESDAY]),
    "date_hours.copy_week": of_doctor(Action.SET_HOURS, from_on=WEDNESDAY, to_on=TUESDAY),
    "absences.ahead": of_doctor(Action.SET_HOURS),
    "absences.take_time_off": of_doctor(Action.SET_HOURS, from_on=TUESDAY, until_on=TUESDAY),
    "absences.withdraw": Recipe(
        Action.SET_HOURS, lambda world, is_own: {"absence_id": world.absences[is_own]}
    ),
    "closures.ahead": of_nobody(Action.SEARCH_DOCTORS),
    "closures.close": of_nobody(Action.CHANGE_SETTINGS, days={TUESDAY: "Works outing"}),
    "closures.reopen": of_nobody(Action.CHANGE_SETTINGS, closure_id=1, or_else=NotFound),
    "slot_previews.week": Recipe(
        Action.SET_HOURS,
        lambda world, is_own: {
            "wanted": slot_previews.Wanted(world.doctor_id(is_own), world.cast.checkup.id, TUESDAY)
        },
    ),
    "unsettled.foreseen": of_doctor(
        Action.SET_HOURS, change=absences.take_time_off, from_on=WEDNESDAY, until_on=WEDNESDAY
    ),
    "strandings.count": of_oneself(Action.SEE_DAY),
    "strandings.waiting": of_doctor(Action.SEE_DAY),
    "arrivals.call_in": of_visit(Action.CHECK_IN, or_else=MarkedMeanwhile),
    "arrivals.check_in": of_visit(Action.CHECK_IN, or_else=NotToday),
    "arrivals.complete": of_visit(Action.CHECK_IN, or_else=NotStarted),
    "arrivals.mark_missed": of_visit(Action.CHECK_IN, or_else=NotStarted),
    "arrivals.undo": of_visit(Action.CHECK_IN, or_else=NothingToUndo),
    "boards.fingerprint": Recipe(
        Action.SEE_DAY, lambda _world, _is_own: {"on": WEDNESDAY}, not_for=Role.DOCTOR
    ),
    "boards.details": Recipe(Action.SEE_DAY, lambda _world, _is_own: {"visit_ids": [1]}, not_for=Role.DOCTOR),
    "boards.rows": Recipe(Action.SEE_DAY, lambda _world, _is_own: {"on": WEDNESDAY}, not_for=Role.DOCTOR),
    "delay_messages.tell_affected": of_doctor(Action.TELL_LATE, or_else=NobodyWaits),
    "attachments.add": of_patient(Action.ADD_DOCUMENT, name="Letter.pdf", content=b"%PDF-1.7"),
    "attachments.content": of_record(Action.SEE_RECORD, "attachment_id"),
    "attachments.of_patient": of_patient(Action.SEE_RECORD),
    "attachments.remove": of_record(Action.ADD_DOCUMENT, "attachment_id", or_else=NotYourFile),
    "appointments.book": Recipe(Action.BOOK, World.offer),
    "appointments.cancel": of_visit(Action.CANCEL, reason="The patient asked"),
    "overbookings.overbook": Recipe(
        Action.OVERBOOK, lambda world, is_own: world.offer(is_own) | {"reason": "In pain"}
    ),
    "appointments.reschedule": of_visit(Action.MOVE, starts_at=on(4, 10)),
    "attendances.confirm": Recipe(  # it is the patient who says so, or the desk that has heard it
        Action.MOVE,
        lambda world, is_own: {"appointment_id": world.visits[is_own]},
        not_for=Role.DOCTOR,
    ),
    "cancellations.expected": of_visit(Action.CANCEL),
    "calendar_feeds.listed": of_doctor(Action.SUBSCRIBE),
    "calendar_feeds.make": of_doctor(Action.SUBSCRIBE),
    "calendar_feeds.revoke": Recipe(Action.SUBSCRIBE, lambda world, is_own: {"feed_id": world.feeds[is_own]}),
    "calendars.visit_ics": of_visit(Action.SEE_APPOINTMENT, public_url="https://portal.example.org"),
    "attempts.begin": of_visit(Action.PAY, or_else=NoCards),
    "attempts.progress": of_visit(Action.PAY),
    "contact_preferences.of": of_patient(Action.SEE_MESSAGES),
    "contact_preferences.save": of_patient(
        Action.SET_CONTACT, contact_by=None, wants_texts=False, wants_reminders=False, time_zone=None
    ),
    "diary_changes.expected": of_visit(
        Action.SEE_DAY, change=diary_changes.stretch, ends_at=on(3, 11), version=0
    ),
    "diary_changes.move": of_visit(Action.SEE_DAY, starts_at=on(4, 10), version=0),
    "diary_changes.stretch": of_visit(Action.SEE_DAY, ends_at=on(3, 11), version=0),
    "days.away_between": of_doctor(Action.SEE_DAY, from_on=WEDNESDAY, until_on=MONDAY),
    "days.hours_between": of_doctor(Action.SEE_DAY, from_on=WEDNESDAY, until_on=MONDAY),
    "days.timeline": of_doctor(Action.SEE_DAY, on=WEDNESDAY),
    "days.working_hours": of_doctor(Action.SEE_DAY, on=WEDNESDAY),
    "desk_messages.running_late": Recipe(
        Action.TELL_LATE,
        lambda world, is_own: {"doctor_id": world.doctor_id(is_own), "minutes": 20},
        or_else=NobodyWaits,
    ),
    "desk_messages.send_ticket": of_visit(Action.SEE_CONTACT, or_else=NotReached),
    "tickets.to_print": of_visit(Action.SEE_APPOINTMENT),
    "walk_ins.next_times": Recipe(
        Action.SEARCH_PATIENTS, lambda world, _is_own: {"service_id": world.cast.checkup.id}
    ),
    "desk_messages.send_payment_link": of_visit(Action.TAKE_PAYMENT, or_else=NoCards),
    "doctors.all_active": of_nobody(Action.SEARCH_DOCTORS),
    "doctors.bookable_services": of_nobody(Action.SEARCH_DOCTORS),
    "doctors.find": of_doctor(Action.SEARCH_DOCTORS),
    "doctors.languages": of_nobody(Action.SEARCH_DOCTORS),
    "doctors.offered_services": of_doctor(Action.SEARCH_DOCTORS),
    "doctors.offering": Recipe(
        Action.SEARCH_DOCTORS, lambda world, _is_own: {"service_id": world.cast.checkup.id}
    ),
    "doctors.photo": of_doctor(Action.SEARCH_DOCTORS, or_else=NotFound),
    "doctors.with_photo": Recipe(
        Action.SEARCH_DOCTORS, lambda world, is_own: {"doctor_ids": [world.doctor_id(is_own)]}
    ),
    "doctors.places": of_nobody(Action.SEARCH_DOCTORS),
    "doctors.profiles": Recipe(
        Action.SEARCH_DOCTORS, lambda world, is_own: {"doctor_ids": [world.doctor_id(is_own)]}
    ),
    "doctors.search": Recipe(
        Action.SEARCH_DOCTORS, lambda world, _is_own: {"service_id": world.cast.checkup.id}
    ),
    "doctors.specialties": of_nobody(Action.SEARCH_DOCTORS),
    "documents.listed": of_patient(Action.SEE_PAYMENTS),
    "documents.to_print": of_money(Action.SEE_PAYMENTS, "entry_id"),
    "emergencies.emergency_accesses": of_nobody(Action.REVIEW_ACCESS),
    "emergencies.review": Recipe(
        Action.REVIEW_ACCESS, lambda world, _is_own: {"access_id": world.emergency_id}
    ),
    "emergencies.unreviewed": of_nobody(Action.REVIEW_ACCESS),
    "guardians.family": of_patient(Action.SEE_CONTACT),
    "guardians.link_guardian": Recipe(
        Action.LINK_GUARDIAN,
        lambda world, is_own: {
            "patient_id": world.patient_id(is_own),
            "guardian_id": world.patient_id(not is_own),
        },
    ),
    "guardians.unlink_guardian": of_patient(Action.UNLINK_GUARDIAN),
    "heartbeats.look": of_nobody(Action.SEE_SYSTEM, intervals={"remind": timedelta(seconds=30)}, backlogs={}),
    "identities.link": Recipe(
        Action.CHANGE_ACCOUNT, lambda _world, _is_own: {"identity": IDENTITY, "password": PASSWORD}, True
    ),
    "identities.own": Recipe(Action.SEE_ACCOUNT, is_own_only=True),
    "identities.unlink": Recipe(Action.CHANGE_ACCOUNT, lambda _world, _is_own: {"identity_id": 1}, True),
    "inbox.answer": of_nobody(
        Action.ANSWER_MESSAGES, inbound_id=1, text="Hello", request_key=UUID(int=1), or_else=NotFound
    ),
    "inbox.confirm": Recipe(
        Action.ANSWER_MESSAGES,
        lambda world, is_own: {"inbound_id": 1, "appointment_id": world.visits[is_own]},
        or_else=NotFound,
    ),
    "inbox.count": of_nobody(Action.ANSWER_MESSAGES),
    "inbox.settle": of_nobody(Action.ANSWER_MESSAGES, inbound_id=1, or_else=NotFound),
    "inbox.waiting": of_nobody(Action.ANSWER_MESSAGES),
    "invites.invite": of_nobody(
        Action.INVITE, name="Zoë Übel", email="zoe@example.org", role=Role.STAFF, or_else=CannotSendCodes
    ),
    "invites.open_invites": of_nobody(Action.INVITE),
    "invites.resend": of_nobody(Action.INVITE, invite_id=1, or_else=ClinicError),
    "invites.withdraw": of_nobody(Action.INVITE, invite_id=1, or_else=NotFound),
    "message_logs.of_patient": of_patient(Action.SEE_MESSAGES),
    "message_logs.of_visit": of_visit(Action.SEE_MESSAGES),
    "message_settings.change": of_nobody(
        Action.CHANGE_SETTINGS,
        text_name="Linden",
        reminder_minutes=[1440],
        quiet_from=time(21),
        quiet_until=time(7),
        waitlist_offer_minutes=30,
    ),
    "message_wordings.all_own": of_nobody(Action.CHANGE_SETTINGS),
    "message_wordings.preview": of_nobody(Action.CHANGE_SETTINGS, name="moved", locale="en", text="Hi"),
    "message_wordings.restore": of_nobody(Action.CHANGE_SETTINGS, name="moved", locale="en"),
    "message_wordings.save": of_nobody(
        Action.CHANGE_SETTINGS, name="cancelled", locale="en", text="{clinic}: {when} is off."
    ),
    "left_drafts.drop": of_oneself(Action.WRITE_NOTE, kind=Left.NOTE, number=0, or_else=NotFound),
    "left_drafts.own": of_oneself(Action.WRITE_NOTE),
    "left_drafts.read": of_oneself(Action.WRITE_NOTE, kind=Left.NOTE, number=0, or_else=NotFound),
    "letter_drafts.begin": of_record(
        Action.WRITE_LETTER, "visit_id", kind=LetterKind.REFERRAL, request_key=uuid4()
    ),
    "letter_drafts.discard": of_record(Action.WRITE_LETTER, "letter_draft_id"),
    "letter_drafts.of_patient": of_patient(Action.WRITE_LETTER),
    "doctor_letters.of_patient": of_patient(Action.SEE_RECORD),
    "letter_drafts.save_words": of_record(
        Action.WRITE_LETTER, "letter_draft_id", addressee="Dr. Who", body="Hello", revision=0
    ),
    "letter_drafts.save": of_record(
        Action.WRITE_LETTER, "letter_draft_id", addressee="Dr. Who", body="Hello", revision=0
    ),
    "doctor_letters.sign_as_typed": of_record(
        Action.WRITE_LETTER, "letter_draft_id", addressee="Dr. Who", body="Hello", revision=0
    ),
    "letter_drafts.write_anew": of_record(
        Action.WRITE_LETTER,
        "visit_id",
        kind=LetterKind.REFERRAL,
        request_key=UUID(int=2),
        addressee="Dr. Who",
        body="Hello",
    ),
    "letter_drafts.own": of_record(Action.WRITE_LETTER, "letter_draft_id"),
    "doctor_letters.sign": of_record(Action.WRITE_LETTER, "letter_draft_id", revision=0),
    "intake_questions.add": Recipe(
        Action.CHANGE_SETTINGS,
        lambda world, _is_own: {
            "service_id": world.cast.checkup.id,
            "question": "Do you smoke?",
            "kind": AnswerKind.YES_NO,
        },
    ),
    "intake_questions.move_up": of_record(Action.CHANGE_SETTINGS, "question_id"),
    "intake_questions.of_service": Recipe(
        Action.CHANGE_SETTINGS, lambda world, _is_own: {"service_id": world.cast.checkup.id}
    ),
    "intake_questions.retire": of_record(Action.CHANGE_SETTINGS, "question_id"),
    "intakes.ahead": Recipe(
        Action.ANSWER_INTAKE, lambda world, is_own: {"patient_ids": [world.patient_id(is_own)]}
    ),
    "intakes.of_patient": of_patient(Action.SEE_RECORD),
    "intakes.answer": of_visit(Action.ANSWER_INTAKE, answers={}),
    "intakes.of_visit": of_record(Action.SEE_RECORD, "visit_id"),
    "letter_wordings.all_own": of_nobody(Action.CHANGE_SETTINGS),
    "letter_wordings.preview": of_nobody(
        Action.CHANGE_SETTINGS, kind=LetterKind.REFERRAL, locale="en", text="Dear colleague"
    ),
    "letter_wordings.restore": of_nobody(Action.CHANGE_SETTINGS, kind=LetterKind.REFERRAL, locale="en"),
    "letter_wordings.save": of_nobody(
        Action.CHANGE_SETTINGS, kind=LetterKind.REFERRAL, locale="en", text="Dear colleague"
    ),
    "letterheads.change": of_nobody(Action.CHANGE_SETTINGS, address="Lindenallee 1", paper=Paper.LETTER),
    "letterheads.change_logo": of_nobody(Action.CHANGE_SETTINGS, content=None),
    "note_drafts.discard": of_record(Action.WRITE_NOTE, "visit_id"),
    "note_drafts.own_visit": of_record(Action.WRITE_NOTE, "visit_id"),
    "note_drafts.save": of_record(Action.WRITE_NOTE, "visit_id", fields=clinical.TYPED, revision=-1),
    "notes.hold_back": of_record(Action.WRITE_NOTE, "visit_id"),
    "notes.of_patient": of_patient(Action.SEE_RECORD),
    "notes.of_visit": of_record(Action.WRITE_NOTE, "visit_id"),
    "notes.release": of_record(Action.WRITE_NOTE, "visit_id"),
    "notes.sign": of_record(
        Action.WRITE_NOTE, "visit_id", fields=clinical.TYPED, revision=-1, amendment="More was said"
    ),
    "patients.find": of_patient(Action.SEE_CONTACT),
    "patients.register": of_nobody(Action.REGISTER_PATIENT, name="Zoë Übel", birth_on=BORN),
    "patients.search": of_nobody(Action.SEARCH_PATIENTS, text="okafor"),
    "payouts.hand_over": of_money(Action.REFUND, "waiting_id"),
    "payouts.pay_back": of_money(
        Action.REFUND, "payment_id", amount_minor=500, reason="The doctor was called away"
    ),
    "payouts.resolve": of_money(Action.REFUND, "failed_id", method=PaymentMethod.CASH),
    "waiting_refunds.to_hand_over": of_nobody(Action.REFUND),
    "waiting_refunds.unresolved": of_nobody(Action.REFUND),
    "waiting_refunds.counted": of_nobody(Action.REFUND),
    "policies.change": of_nobody(
        Action.CHANGE_SETTINGS,
        staff_idle_minutes=10,
        patient_idle_minutes=30,
        requires_second_factor=False,
        record_retention_years=10,
    ),
    "phone_states.try_again": of_nobody(Action.ANSWER_MESSAGES, phone="+4930111111"),
    "prescription_drafts.discard": of_patient(Action.PRESCRIBE),
    "prescription_drafts.of_patient": of_patient(Action.PRESCRIBE),
    "prescription_drafts.repeat": Recipe(
        Action.PRESCRIBE,
        lambda world, is_own: {
            "appointment_id": world.record[is_own].visit_id,
            "prescription_id": world.record[is_own].prescription_id,
            "items": [clinical.ITEM],
            "revision": 2,
        },
    ),
    "prescription_drafts.save": of_record(Action.PRESCRIBE, "visit_id", items=[clinical.ITEM], revision=2),
    "prescriptions.of_patient": of_patient(Action.SEE_RECORD),
    "prescriptions.sign": of_record(Action.PRESCRIBE, "draft_id", revision=2),
    "prescriptions.sign_as_typed": of_record(Action.PRESCRIBE, "visit_id", items=[clinical.ITEM], revision=2),
    "prescriptions.withdraw": of_record(Action.PRESCRIBE, "prescription_id", reason="The wrong patient"),
    "prices.change_clinic": of_nobody(Action.CHANGE_SETTINGS, wanted=CLINIC_PRICES),
    "prices.change_service": Recipe(
        Action.CHANGE_SETTINGS,
        lambda world, _is_own: {"service_id": world.cast.checkup.id, "wanted": SERVICE_PRICES},
    ),
    "prices.of_clinic": of_nobody(Action.CHANGE_SETTINGS),
    "prices.services": of_nobody(Action.CHANGE_SETTINGS),
    "privacy.erase": Recipe(
        Action.ERASE_PATIENT,
        lambda world, is_own: {"patient_id": world.patient_id(is_own), "confirm_name": world.name(is_own)},
        or_else=VisitsAhead,
    ),
    "privacy.export": of_patient(Action.EXPORT_PATIENT),
    "profile_drafts.count_waiting": of_nobody(Action.PUBLISH_PROFILE),
    "profile_drafts.discard": of_doctor(Action.EDIT_PROFILE, seen=NOW),
    "profile_drafts.new_photo": of_doctor(Action.EDIT_PROFILE, or_else=NotFound),
    "profile_drafts.of_doctor": of_doctor(Action.EDIT_PROFILE),
    "profile_drafts.publish": of_doctor(Action.PUBLISH_PROFILE, seen=NOW),
    "profile_drafts.save": of_doctor(Action.EDIT_PROFILE, bio="Hello", languages=["de"], seen=NOW),
    "profile_drafts.send_back": of_doctor(Action.PUBLISH_PROFILE, seen=NOW, remark="Shorter, please"),
    "profile_drafts.waiting": of_nobody(Action.PUBLISH_PROFILE),
    "profiles.ask_email": of_oneself(
        Action.CHANGE_ACCOUNT, email="new@example.org", password=PASSWORD, or_else=CannotSendCodes
    ),
    "profiles.ask_phone": of_oneself(
        Action.CHANGE_ACCOUNT, phone="+49301234567", password=PASSWORD, or_else=CannotSendCodes
    ),
    "profiles.awaited": of_oneself(Action.SEE_ACCOUNT, purpose=CodePurpose.VERIFY_EMAIL),
    "profiles.changing": of_oneself(Action.CHANGE_ACCOUNT),
    "profiles.confirm_email": of_oneself(Action.CHANGE_ACCOUNT, code="123456", or_else=ClinicError),
    "profiles.confirm_phone": of_oneself(Action.CHANGE_ACCOUNT, code="123456", or_else=ClinicError),
    "profiles.own": of_oneself(Action.SEE_ACCOUNT),
    "profiles.save": of_oneself(Action.CHANGE_ACCOUNT, name="Zoë", locale="en", has_sms_consent=False),
    "reconciliations.compared": of_nobody(Action.RECONCILE, of_theirs=[], since=NOW, until=on(2, 8)),
    "record_items.add": of_patient(Action.KEEP_LISTS, kind=ItemKind.PROBLEM, name="Migraine"),
    "record_items.end": of_record(Action.KEEP_LISTS, "item_id", ending=Ending.OVER),
    "records.break_glass": Recipe(
        Action.BREAK_GLASS,
        lambda world, _is_own: {"patient_id": world.cast.child_id, "reason": WHY},
    ),
    "records.identify": of_patient(Action.SEARCH_RECORDS),
    "records.open_record": of_patient(Action.SEE_RECORD),
    "records.search_records": of_nobody(Action.SEARCH_RECORDS, text="sato"),
    "safeguards.begin_second_factor": of_oneself(Action.CHANGE_ACCOUNT, password=PASSWORD),
    "safeguards.begun_second_factor": of_oneself(Action.SEE_ACCOUNT),
    "safeguards.change_password": of_oneself(Action.CHANGE_ACCOUNT, current=PASSWORD, new="glass river pace"),
    "safeguards.confirm_second_factor": of_oneself(
        Action.CHANGE_ACCOUNT, code="123456", or_else=NothingToConfirm
    ),
    "safeguards.drop_second_factor": of_oneself(Action.CHANGE_ACCOUNT),
    "safeguards.end_other_sessions": of_oneself(Action.CHANGE_ACCOUNT),
    "safeguards.end_session": of_oneself(Action.CHANGE_ACCOUNT, sign_in_id=1, or_else=NotFound),
    "safeguards.sessions": of_oneself(Action.SEE_ACCOUNT),
    "safeguards.turn_off_second_factor": of_oneself(
        Action.CHANGE_ACCOUNT, password=PASSWORD, or_else=SecondFactorRequired
    ),
    "systems.database": of_nobody(Action.SEE_SYSTEM),
    "systems.ways": of_nobody(Action.SEE_SYSTEM),
    "terms.offered": Recipe(
        Action.BOOK,
        lambda world, is_own: {
            "patient_id": world.patient_id(is_own),
            "doctor_id": world.doctor_id(is_own),
            "service_id": world.cast.checkup.id,
        },
    ),
    "statements.of_visit": of_visit(Action.SEE_PAYMENTS),
    "statements.of_patients": Recipe(
        Action.SEE_PAYMENTS, lambda world, is_own: {"patient_ids": [world.patient_id(is_own)]}
    ),
    "till_closings.close": of_nobody(
        Action.CLOSE_TILL, counted_minor=100, terminal_counted_minor=0, left_minor=0, note="Found a coin"
    ),
    "till_closings.closings": of_nobody(Action.CLOSE_TILL),
    "till_closings.open_till": of_nobody(Action.CLOSE_TILL),
    "tills.invoice": of_visit(Action.TAKE_PAYMENT),
    "tills.take": of_visit(Action.TAKE_PAYMENT, method=PaymentMethod.CASH, amount_minor=1000),
    "trails.accesses": of_patient(Action.SEE_ACCESSES),
    "trails.as_csv": of_nobody(Action.SEE_AUDIT, wanted=Wanted()),
    "trails.check": of_nobody(Action.SEE_AUDIT),
    "trails.patients_named": of_nobody(Action.SEE_AUDIT, text="ada"),
    "trails.people_named": of_nobody(Action.SEE_AUDIT, text="ada"),
    "trails.search": of_nobody(Action.SEE_AUDIT, wanted=Wanted()),
    "waitlist_answers.accept": Recipe(
        Action.BOOK, lambda world, is_own: {"offer_id": world.waits[is_own].offer_id}
    ),
    "waitlist_answers.decline": Recipe(
        Action.JOIN_WAITLIST, lambda world, is_own: {"offer_id": world.waits[is_own].offer_id}
    ),
    "waitlist_endings.at_clinic": of_nobody(Action.SEE_WAITLIST),
    "waitlist_endings.own": Recipe(
        Action.JOIN_WAITLIST, lambda world, is_own: {"patient_ids": [world.patient_id(is_own)]}
    ),
    "waitlists.join": Recipe(
        Action.JOIN_WAITLIST,
        lambda world, is_own: {
            "patient_id": world.patient_id(is_own),
            "wish": waits.wish(world.cast, doctor_id=world.doctor_id(is_own)),
        },
    ),
    "waitlists.own": Recipe(
        Action.JOIN_WAITLIST, lambda world, is_own: {"patient_ids": [world.patient_id(is_own)]}
    ),
    "waitlists.how_many_wait": of_nobody(Action.SEE_WAITLIST),
    "waitlists.waiting": of_nobody(Action.SEE_WAITLIST),
    "waitlists.withdraw": Recipe(
        Action.JOIN_WAITLIST, lambda world, is_own: {"entry_id": world.waits[is_own].entry_id}
    ),
    "treatments.look": of_patient(Action.SEE_RECORD),
    "treatments.require_own": Recipe(
        Action.KEEP_LISTS,
        lambda world, is_own: {"patient_id": world.patient_id(is_own), "action": Action.KEEP_LISTS},
    ),
    "unreached.count": of_nobody(Action.ANSWER_MESSAGES),
    "unreached.settle": of_nobody(Action.ANSWER_MESSAGES, notification_id=1, or_else=NotFound),
    "unreached.waiting": of_nobody(Action.ANSWER_MESSAGES),
    "users.activate": of_user(),
    "users.change_role": of_user(role=Role.STAFF),
    "users.deactivate": of_user(),
    "users.end_sessions": of_user(),
    "users.reset_second_factor": of_user(),
    "users.search": of_nobody(Action.MANAGE_USERS, text="okafor"),
}


def is_allowed(role: Role, recipe: Recipe, is_own: bool) -> bool:
    """What the table says."""
    allowed = RULES[role].get(recipe.action) if role is not recipe.not_for else None
    return allowed is not None and (allowed is Relation.ANY or is_own)


@pytest.fixture(scope="module")
def settled(migrated: Engine) -> Iterator[tuple[Connection, World]]:
    """The world, made once: what a test does to it is rolled back to here."""
    with migrated.connect() as connection, connection.begin() as outer, time_is(NOW):
        with pytest.MonkeyPatch.context() as patch, _session_on(connection) as session, session.begin():
            patch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/no_such_clinic")
            config.cache_clear()
            world = _settle(session)
        config.cache_clear()
        yield connection, world
        outer.rollback()


@pytest.fixture
def session(settled: tuple[Connection, World]) -> Iterator[Session]:
    connection, _world = settled
    with connection.begin_nested() as own:
        with _session_on(connection) as session:
            yield session
        own.rollback()


@pytest.fixture
def world(settled: tuple[Connection, World]) -> World:
    return settled[1]


def _session_on(connection: Connection) -> Session:
    return Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


def _settle(session: Session) -> World:
    cast = assemble(session)
    visits = {}
    for is_own, actor, doctor in ((True, cast.ada, cast.dr_roth), (False, cast.ben, cast.dr_weiss)):
        patient = session.get_one(Patient, actor.patient_ids[0])
        visit = make.appointment(session, doctor, cast.checkup, on(3, 10), patient=patient)
        visits[is_own] = visit.id
    child = records.break_glass(session, cast.weiss, patient_id=cast.child_id, reason=WHY)
    for actor in (cast.ada, cast.roth, cast.desk, cast.admin):
        session.get_one(User, actor.user_id).password_hash = portal.password_hash()
    session.flush()
    money = {
        is_own: _paid(session, cast, actor, doctor)
        for is_own, actor, doctor in ((True, cast.ada, cast.dr_roth), (False, cast.ben, cast.dr_weiss))
    }
    record = {
        is_own: _clinical(session, cast, actor, doctor, doctor_actor)
        for is_own, actor, doctor, doctor_actor in (
            (True, cast.ada, cast.dr_roth, cast.roth),
            (False, cast.ben, cast.dr_weiss, cast.weiss),
        )
    }
    away = {
        is_own: make.time_off(session, doctor, on(19, 9), on(19, 12)).id
        for is_own, doctor in ((True, cast.dr_roth), (False, cast.dr_weiss))
    }
    feeds = _feeds(session, cast)
    return World(cast, visits, child.id, money, _waiting(session, cast), record, away, feeds)


def _as_shown(world: World, is_own: bool) -> Appointment:
    """A visit as the list of those without hours has it."""
    at, until = on(3, 10), on(3, 10, 30)
    return Appointment(
        id=world.visits[is_own],
        patient_id=world.patient_id(is_own),
        doctor_id=world.doctor_id(is_own),
        service_id=world.cast.checkup.id,
        location_id=1,
        starts_at=at,
        ends_at=until,
        blocked=Range(at, until),
    )


def _feeds(session: Session, cast: Cast) -> dict[bool, int]:
    """A calendar address of each doctor's; and a draft of their profile, which waits to be published."""
    numbers = {}
    for is_own, actor in ((True, cast.roth), (False, cast.weiss)):
        assert actor.doctor_id is not None
        calendar_feeds.make(session, actor, doctor_id=actor.doctor_id)
        profile_drafts.save(
            session,
            actor,
            doctor_id=actor.doctor_id,
            bio="Hello",
            languages=["de"],
            seen=None,
            is_submitted=True,
        )
        numbers[is_own] = calendar_feeds.listed(session, actor, doctor_id=actor.doctor_id)[0].id
    return numbers


def _clinical(session: Session, cast: Cast, actor: Actor, doctor: Doctor, signing: Actor) -> Clinical:
    patient = session.get_one(Patient, actor.patient_ids[0])
    visit = clinical.arrived(session, doctor, cast.checkup, patient)
    return clinical.written(session, signing, visit, f"{CLINICAL}{actor.name}")


def _waiting(session: Session, cast: Cast) -> dict[bool, Waiting]:
    """Ada waits for a time of Dr. Roth's and Ben for one of Dr. Weiß's, and both are offered one."""
    entries = [
        waits.entry(session, actor.patient_ids[0], waits.only(cast, MONDAY, time(9), doctor_id=doctor.id))
        for actor, doctor in ((cast.ada, cast.dr_roth), (cast.ben, cast.dr_weiss))
    ]
    assert waits.scan(session) == len(entries)
    offer_of = {offer.entry_id: offer.id for offer in waits.offers(session)}
    return dict(zip((True, False), (Waiting(each.id, offer_of[each.id]) for each in entries), strict=True))


def _paid(session: Session, cast: Cast, actor: Actor, doctor: Doctor) -> Money:
    """A visit paid in two parts: of the first some waits to be handed back, and some could not be."""
    patient = session.get_one(Patient, actor.patient_ids[0])
    visit = make.appointment(session, doctor, cast.checkup, on(5, 10), patient=patient)
    first, second = (
        tills.take(
            session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=amount
        )
        for amount in (4000, 2000)
    )
    ledger.owe(session, cast.desk, visit, 2000)
    waiting = make.refund(session, first, 1500)
    failed = make.refund(session, first, 2500, state=RefundState.FAILED, failure="lost card")
    return Money(second.id, ledger.entries(session, [visit.id])[-1].id, waiting.id, failed.id)


def test_every_service_has_a_recipe() -> None:
    assert sorted(RECIPES) == services()


def test_every_action_is_somebodys() -> None:
    """An action that nobody may do, or that no service asks about, is a mistake in the table."""
    assert {action for rules in RULES.values() for action in rules} == set(Action)


CASES = [
    pytest.param(name, role, is_own, id=f"{name}-{role}-{'own' if is_own else 'foreign'}")
    for name, recipe in RECIPES.items()
    for role in Role
    for is_own in ([True] if recipe.is_own_only else [True, False])
]


@pytest.mark.parametrize(("name", "role", "is_own"), CASES)
def test_the_access_table_is_what_happens(
    session: Session, world: World, name: str, role: Role, is_own: bool
) -> None:
    recipe, actor = RECIPES[name], world.actor(role)
    module, function = name.split(".")
    service = getattr(importlib.import_module(f"core.{module}"), function)
    arguments = recipe.arguments(world, is_own)
    session.expunge_all()
    before = session.execute(NOTHING_WRITTEN).all()
    if is_allowed(role, recipe, is_own):
        answer = None
        with contextlib.suppress(*([recipe.or_else] if recipe.or_else else [])):
            answer = service(session, actor, **arguments)
        assert clinical_words_of(answer, session) <= readable_by(role)
    else:
        with pytest.raises(AccessDenied):
            service(session, actor, **arguments)
        session.flush()
        assert session.execute(NOTHING_WRITTEN).all() == before


def readable_by(role: Role) -> set[str]:
    """Whose clinical words somebody may come across: Ada's are hers and Dr. Roth's."""
    return {"Ada Okafor"} if role in {Role.PATIENT, Role.DOCTOR} else set()


def clinical_words_of(answer: object, session: Session) -> set[str]:
    """Whose clinical words are in what a service gave back, or in a row that it has loaded on the way."""
    said = " ".join(_texts([answer, *session.identity_map.values()], set()))
    return {name for name in ("Ada Okafor", "Ben Sato") if CLINICAL + name in said}


def _texts(thing: object, seen: set[int]) -> Iterator[str]:
    """Every text in a value, whatever it is made of."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, bytes):
        yield thing.decode(errors="replace")
    elif isinstance(thing, dict):
        yield from _texts([*thing, *thing.values()], seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for each in thing:
            yield from _texts(each, seen)
    elif is_dataclass(thing):
        yield from _texts([getattr(thing, field.name) for field in fields(thing)], seen)
    elif isinstance(thing, Base):
        yield from _texts(dict(vars(thing)), seen)


def test_the_search_for_clinical_words_finds_them(session: Session, world: World) -> None:
    record = records.open_record(session, world.cast.roth, patient_id=world.patient_id(True))
    assert clinical_words_of([{"record": record}], session) == {"Ada Okafor"}
    session.expunge_all()
    _kept = session.get_one(RecordItem, world.record[False].item_id)
    assert clinical_words_of(None, session) == {"Ben Sato"}
