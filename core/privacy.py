"""A patient's own say over their data: take all of it along, or have it erased as far as the law allows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import TextIOWrapper
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, erasures, exports, summaries, waitlists
from core.access import Action, Actor
from core.errors import ClinicError, NotFound
from core.i18n import N_, _, short_date
from core.patients import ERASED_NAME
from core.pdf_pages import Document, Told, untold
from core.phones import shown
from db.models import (
    Appointment,
    AppointmentStatus,
    LedgerEntry,
    Letter,
    NoteVersion,
    Patient,
    Prescription,
    Role,
    User,
    folded,
)
from db.models.appointments import LIVE_STATUSES

UNTREATED = (
    AppointmentStatus.PENDING,
    AppointmentStatus.CANCELLED,
    AppointmentStatus.EXPIRED,
    AppointmentStatus.NO_SHOW,
)


class NameDiffers(ClinicError):
    message = N_("That is not the name. Please write it as it stands above.")


class VisitsAhead(ClinicError):
    message = N_(
        "There are visits ahead. Please cancel them first, or call {phone} about those that start too soon; "
        "then the data can be erased."
    )


class DependantsRemain(ClinicError):
    message = N_("Others depend on this account. Please ask reception to give them another guardian first.")


class WorksHere(ClinicError):
    message = N_("This account works for the clinic. An administrator has to change its role first.")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of somebody's data; `kept_until` is None when nothing has to be kept."""

    had_account: bool
    kept_until: date | None

    def __str__(self) -> str:
        """What was erased, and what is kept, why and until when."""
        erased = (
            _("Erased: the account with its user name, password, sign-ins and consents, phone and email.")
            if self.had_account
            else _("Erased: phone and email.")
        )
        if self.kept_until is None:
            kept = _("Name, birth date and record are erased too: no visit obliges us to keep them.")
        else:
            kept = _(
                "Kept until {date}: name, birth date, visits, record, invoices and receipts, because the law "
                "makes a clinic keep them. They are erased after that by themselves."
            ).format(date=short_date(self.kept_until))
        return f"{erased} {kept} " + _("The audit trail stays.")


@dataclass(frozen=True)
class Export:
    """Everything held about a patient, read and not packed yet."""

    sections: summaries.Sections
    summary: Document
    made_at: datetime

    def write(self, file: IO[bytes], told: Told = untold) -> None:
        """Pack a ZIP into `file`: data.json with all of it, summary.pdf to read. `told` as of a document."""
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            with (
                archive.open(self._named("data.json"), "w") as packed,
                TextIOWrapper(packed, "utf-8") as text,
            ):
                json.dump(self.sections, text, ensure_ascii=False, indent=2)
            with archive.open(self._named("summary.pdf"), "w") as packed:
                self.summary.write(packed, told)

    def _named(self, name: str) -> ZipInfo:
        entry = ZipInfo(name, self.made_at.astimezone(UTC).timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        return entry


def export(session: Session, actor: Actor, *, patient_id: int) -> Export:
    """Everything held about the patient. Raises `AccessDenied`."""
    access.require(actor, Action.EXPORT_PATIENT, patient_id=patient_id)
    now = clock.now()
    sections = exports.collect(session, patient_id)
    readable = summaries.summary(
        sections,
        clinic=clinics.settings(session),
        zone=clinics.zone(session),
        made_at=now,
        locale=actor.locale,
    )
    audit.record(
        session, actor, Action.EXPORT_PATIENT, kind="patient", number=patient_id, patient_id=patient_id
    )
    return Export(sections, readable, now)


def erase(session: Session, actor: Actor, *, patient_id: int, confirm_name: str) -> Erasure:
    """Erase the patient's account and contact details, and the rest too unless the law makes us keep it.

    Records of treatment are kept for the clinic's `record_retention_years` after the last visit: ten in
    Germany (section 630f(3) BGB). Raises `NameDiffers`, `VisitsAhead`, `DependantsRemain`, `WorksHere`,
    `AccessDenied`, `NotFound`.
    """
    access.require(actor, Action.ERASE_PATIENT, patient_id=patient_id)
    waitlists.withdraw_all(session, actor, patient_id)
    patient = session.get(Patient, patient_id, with_for_update=True, populate_existing=True)
    if patient is None or patient.erased_at is not None:
        raise NotFound
    if folded(" ".join(confirm_name.split())) != folded(" ".join(patient.name.split())):
        raise NameDiffers
    account = (
        None if patient.user_id is None else session.get_one(User, patient.user_id, with_for_update=True)
    )
    _require_erasable(session, patient, account)
    today = clock.now().astimezone(clinics.zone(session)).date()
    kept_until = kept(session, [patient_id]).get(patient_id)
    erasures.erase_messages(session, exports.own_addresses(session, patient_id))
    erasures.erase_contact(session, patient)
    if account is not None:
        erasures.erase_account(session, account)
    if kept_until is None or kept_until <= today:
        kept_until = None
        erasures.anonymise(session, [patient_id])
    audit.record(
        session, actor, Action.ERASE_PATIENT, kind="patient", number=patient_id, patient_id=patient_id
    )
    return Erasure(account is not None, kept_until)


def _require_erasable(session: Session, patient: Patient, account: User | None) -> None:
    if account is not None and account.role is not Role.PATIENT:
        raise WorksHere
    if session.scalar(select(Patient.id).where(Patient.guardian_id == patient.id).limit(1)):
        raise DependantsRemain
    ahead = select(Appointment.id).where(
        Appointment.patient_id == patient.id,
        Appointment.status.in_(LIVE_STATUSES),
        Appointment.ends_at > clock.now(),
    )
    if session.scalar(ahead.limit(1)):
        raise VisitsAhead(phone=shown(clinics.settings(session).phone))


def kept(session: Session, patient_ids: Sequence[int]) -> dict[int, date]:
    """Until when the law keeps each patient's record; who was never treated and never paid is not in it.

    A visit that was called off, missed or never paid for is no treatment; what a doctor has signed is.
    Invoices and receipts are kept as long as records are, which is longer than most tax laws ask (section
    147(3) AO in Germany: eight years).
    """
    years, zone = clinics.settings(session).record_retention_years, clinics.zone(session)
    treated = select(Appointment.patient_id, Appointment.starts_at.label("at")).where(
        Appointment.patient_id.in_(patient_ids), Appointment.status.not_in(UNTREATED)
    )
    entered = select(LedgerEntry.patient_id, LedgerEntry.at).where(LedgerEntry.patient_id.in_(patient_ids))
    noted = (
        select(Appointment.patient_id, NoteVersion.signed_at)
        .join(NoteVersion.appointment)
        .where(Appointment.patient_id.in_(patient_ids))
    )
    signed = [
        select(each.patient_id, each.signed_at).where(
            each.patient_id.in_(patient_ids), each.signed_at.is_not(None)
        )
        for each in (Prescription, Letter)
    ]
    reasons = union_all(treated, entered, noted, *signed).subquery()
    last = session.execute(
        select(reasons.c.patient_id, func.max(reasons.c.at)).group_by(reasons.c.patient_id)
    )
    return {number: _years_after(at.astimezone(zone).date(), years) for number, at in last}


def _years_after(on: date, years: int) -> date:
    try:
        return on.replace(year=on.year + years)
    except ValueError:  # the 29th of February
        return date(on.year + years, 3, 1)


def expired_records(session: Session) -> int:
    """Erase what was kept of erased patients once its years are over; how many. Safe to run twice at once."""
    # Both, since somebody may have been called so, or born then.
    is_left = or_(Patient.name != ERASED_NAME, Patient.birth_on != erasures.ERASED_BIRTH)
    waiting = session.scalars(
        select(Patient.id)
        .where(Patient.erased_at.is_not(None), is_left)
        .order_by(Patient.id)
        .with_for_update(skip_locked=True)
    ).all()
    if not waiting:
        return 0
    today = clock.now().astimezone(clinics.zone(session)).date()
    still = {number for number, until in kept(session, waiting).items() if until > today}
    over = [number for number in waiting if number not in still]
    erasures.anonymise(session, over)
    erasures.record_expired(session, over)
    return len(over)
