"""What the clinic itself is called, its languages, where its clocks are, and how far ahead it is booked."""

from collections.abc import Collection
from typing import NamedTuple
from zoneinfo import available_timezones

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import access, clinics, phones, setting_changes, titles, unsettled
from core.access import Action, Actor
from core.i18n import languages
from core.names import NameTooLong
from core.services import HORIZON_DAYS, NOTICE_MINUTES
from core.set_up_errors import (
    DaysOutOfBounds,
    MinutesOutOfBounds,
    OwnLanguageMissing,
    UnknownLanguage,
    UnknownZone,
)
from core.setting_changes import ChangedMeanwhile, Subject
from db.models import ClinicSettings

TEXT_NAME_LENGTH = 30  # in text messages


class Details(NamedTuple):
    """The clinic, named as the columns of its settings. `text_name` is what texts call it, "" for `name`.

    `locale` is the language of whoever has chosen none, one of `locales`, which the portal offers.
    """

    name: str
    text_name: str
    phone: str
    time_zone: str
    minimum_notice_minutes: int
    horizon_days: int
    locale: str
    locales: tuple[str, ...]


def details(session: Session, actor: Actor) -> Details:
    """The clinic as it is now."""
    access.require(actor, Action.CHANGE_SETTINGS)
    return _details(clinics.settings(session))


def zones() -> list[str]:
    """The time zones that a clinic can be in, as IANA names them."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def change(
    session: Session, actor: Actor, *, wanted: Details, seen: Details, accepting: Collection[int] = ()
) -> None:
    """Set what the clinic is. `seen` is what the form was filled with.

    Where its zone changes, hours keep their wall time and visits their instant; `accepting` are the visits
    that the person knows will be without hours then. Raises `NameLeftOut`, `NameTooLong`, `NameUnreadable`,
    `PhoneNotUnderstood`, `UnknownZone`, `UnknownLanguage`, `OwnLanguageMissing`, `MinutesOutOfBounds`,
    `DaysOutOfBounds`, `ChangedMeanwhile`, `LeavesVisits`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    session.execute(select(ClinicSettings.id).with_for_update())
    session.info.pop("clinic_settings", None)  # read once a session
    before = _details(clinics.settings(session))
    if before != seen:
        raise ChangedMeanwhile
    checked = _checked(session, wanted)
    noted = setting_changes.record(
        session,
        actor,
        Subject.CLINIC,
        1,
        checked.name,
        before=before._asdict(),
        after=checked._asdict(),
    )
    if noted:
        with unsettled.accounted(session, accepting=accepting):
            values = {**checked._asdict(), "locales": list(checked.locales)}
            session.execute(update(ClinicSettings).values(**values))
            session.info.pop("clinic_settings", None)


def _checked(session: Session, wanted: Details) -> Details:
    if wanted.time_zone not in available_timezones():
        raise UnknownZone
    if not set(wanted.locales) <= set(languages()):
        raise UnknownLanguage
    if wanted.locale not in wanted.locales:
        raise OwnLanguageMissing
    if wanted.minimum_notice_minutes not in NOTICE_MINUTES:
        raise MinutesOutOfBounds(least=0, most=NOTICE_MINUTES.stop - 1)
    if wanted.horizon_days not in HORIZON_DAYS:
        raise DaysOutOfBounds(least=HORIZON_DAYS.start, most=HORIZON_DAYS.stop - 1)
    short = " ".join(wanted.text_name.split())
    if len(short) > TEXT_NAME_LENGTH:
        raise NameTooLong(length=TEXT_NAME_LENGTH)
    return wanted._replace(
        name=titles.required(wanted.name),
        text_name=titles.required(short) if short else "",
        phone=phones.e164(session, wanted.phone) or "",
        locales=tuple(sorted(set(wanted.locales))),
    )


def _details(row: ClinicSettings) -> Details:
    known = Details(**{name: getattr(row, name) for name in Details._fields})
    return known._replace(locales=tuple(sorted(row.locales)))
