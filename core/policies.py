"""The clinic's policies on signing in and on keeping records, as an administrator sets them."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import access, audit, clinics, setting_changes
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from core.setting_changes import Subject
from db.models import ClinicSettings

IDLE_MINUTES = range(1, 721)
RETENTION_YEARS = range(101)


class IdleOutOfBounds(ClinicError):
    message = N_("Please choose a time of 1 to 720 minutes.")


class RetentionOutOfBounds(ClinicError):
    message = N_("Please choose 0 to 100 years.")


def change(
    session: Session,
    actor: Actor,
    *,
    staff_idle_minutes: int,
    patient_idle_minutes: int,
    requires_second_factor: bool,
    record_retention_years: int,
) -> None:
    """Set after how long without use people are signed out, who needs a second factor, how long records stay.

    They count from the next click, also for whoever is signed in. Raises `IdleOutOfBounds`,
    `RetentionOutOfBounds`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    if staff_idle_minutes not in IDLE_MINUTES or patient_idle_minutes not in IDLE_MINUTES:
        raise IdleOutOfBounds
    if record_retention_years not in RETENTION_YEARS:
        raise RetentionOutOfBounds
    wanted = {
        "staff_idle_minutes": staff_idle_minutes,
        "patient_idle_minutes": patient_idle_minutes,
        "requires_second_factor": requires_second_factor,
        "record_retention_years": record_retention_years,
    }
    before = clinics.settings(session)
    changed: dict[str, Any] = {
        name: value for name, value in wanted.items() if getattr(before, name) != value
    }
    if not changed:
        return
    session.execute(update(ClinicSettings).values(**changed))
    session.info.pop("clinic_settings", None)  # read once a session
    audit.record(session, actor, audit.Event.SETTINGS_CHANGED, kind="settings", number=1, **changed)
    known = {name: getattr(before, name) for name in changed}
    setting_changes.note(session, actor, Subject.CLINIC, 1, before.name, before=known, after=changed)
