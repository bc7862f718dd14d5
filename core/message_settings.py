"""When the clinic reminds, when nobody wants a text, and what it is called in one."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import access, audit, clinics, names, setting_changes, sms_lengths
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_
from core.setting_changes import Subject
from db.models import ClinicSettings

REMINDERS = 5
REMINDER_MINUTES = range(60, 14 * 24 * 60 + 1)
NAME_LENGTH = 30
OFFER_MINUTES = range(5, 1441)


class TooManyReminders(ClinicError):
    message = N_("Please choose up to {count} reminders.")


class ReminderOutOfBounds(ClinicError):
    message = N_("Reminders can be sent from 1 hour to 14 days before a visit.")


class QuietHoursOutOfOrder(ClinicError):
    message = N_("The quiet hours must begin in the evening and end in the morning.")


class TextNameTooLong(ClinicError):
    message = N_("The name in texts can have {length} characters at most.")


class OfferOutOfBounds(ClinicError):
    message = N_("A time from the waitlist can be offered for 5 minutes to 24 hours.")


def change(
    session: Session,
    actor: Actor,
    *,
    text_name: str,
    reminder_minutes: Sequence[int],
    quiet_from: time,
    quiet_until: time,
    waitlist_offer_minutes: int,
) -> None:
    """Set how the clinic is called in texts, when it reminds (minutes before), and its quiet hours.

    Also for how many minutes a time from the waitlist is kept. What is in the outbox already stays. Raises
    `TooManyReminders`, `ReminderOutOfBounds`, `QuietHoursOutOfOrder`, `TextNameTooLong`, `OfferOutOfBounds`,
    `NameUnreadable`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    name = sms_lengths.plainer(names.cleaned(text_name)) if text_name.strip() else ""
    if len(name) > NAME_LENGTH:
        raise TextNameTooLong(length=NAME_LENGTH)
    minutes = sorted(set(reminder_minutes), reverse=True)
    if len(minutes) > REMINDERS:
        raise TooManyReminders(count=REMINDERS)
    if any(each not in REMINDER_MINUTES for each in minutes):
        raise ReminderOutOfBounds
    if quiet_from <= quiet_until:
        raise QuietHoursOutOfOrder
    if waitlist_offer_minutes not in OFFER_MINUTES:
        raise OfferOutOfBounds
    wanted: dict[str, Any] = {
        "text_name": name,
        "reminder_minutes": minutes,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "waitlist_offer_minutes": waitlist_offer_minutes,
    }
    before = clinics.settings(session)
    changed = {key: value for key, value in wanted.items() if getattr(before, key) != value}
    if not changed:
        return
    session.execute(update(ClinicSettings).values(**changed))
    session.info.pop("clinic_settings", None)  # read once a session
    noted: dict[str, Any] = {
        key: str(value) if isinstance(value, time) else value for key, value in changed.items()
    }
    audit.record(session, actor, audit.Event.SETTINGS_CHANGED, kind="settings", number=1, **noted)
    known = {key: getattr(before, key) for key in changed}
    setting_changes.note(session, actor, Subject.MESSAGES, 1, before.name, before=known, after=changed)
