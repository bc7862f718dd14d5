"""What somebody may wish for in a doctor and a time."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from core import clinics, clock
from core.i18n import N_, _
from core.languages import language_name
from core.slots import Within
from db.models import ClinicSettings, Location, Service, Specialty
from pages.ui.choices import choice

_HOUR = timedelta(hours=1)
PARTS_OF_DAY = {
    N_("Morning, before 12:00"): (timedelta(), 12 * _HOUR),
    N_("Afternoon, 12:00 to 17:00"): (12 * _HOUR, 17 * _HOUR),
    N_("Evening, from 17:00"): (17 * _HOUR, 24 * _HOUR),
}
FURTHEST = timedelta(days=730)


class Wishes(NamedTuple):
    """As `doctors.search` takes them."""

    service_id: int
    name: str
    specialty_id: int | None
    language: str | None
    max_price_minor: int | None
    on: date | None
    within: Within


def ask_wishes(
    clinic: ClinicSettings,
    services: Sequence[Service],
    specialties: Sequence[Specialty],
    languages: Sequence[str],
    places: Sequence[Location],
) -> Wishes:
    """Draw the fields, the more usual ones first; `services` has at least one."""
    services = _of_a_kind(services)
    left, right = st.columns(2)
    with left:
        named = {each.id: each.name for each in services}
        service_id = choice(_("What do you need?"), named, key="find_service") or services[0].id
        name = st.text_input(_("Doctor's name"), placeholder=_("Any"), max_chars=100, key="find_name")
        on = _day(clinic)
    with right:
        named = {each.id: each.name for each in specialties}
        specialty_id = choice(_("Specialty"), named, index=None, placeholder=_("Any"), key="find_specialty")
        language = st.selectbox(
            _("Speaks"),
            languages,
            format_func=language_name,
            index=None,
            placeholder=_("Any language"),
            key="find_language",
        )
        parts = {part: _(part) for part in PARTS_OF_DAY}
        part = choice(_("Time of day"), parts, index=None, placeholder=_("Any"), key="find_part")
    with left:
        place = None
        if len(places) > 1:
            addressed = {each.id: each.name for each in places}
            place = choice(_("Place"), addressed, index=None, placeholder=_("Any"), key="find_place")
    with right:
        fee = st.number_input(
            _("Fee up to ({currency})").format(currency=clinic.currency),
            value=None,
            min_value=0,
            step=10,
            placeholder=_("Any"),
            key="find_fee",
        )
    return Wishes(
        service_id=service_id,
        name=name,
        specialty_id=specialty_id,
        language=language,
        max_price_minor=None if fee is None else clinics.minor_units(fee, clinic.currency),
        on=on,
        within=Within(*(PARTS_OF_DAY[part] if part else ()), location_id=place),
    )


def _of_a_kind(services: Sequence[Service]) -> Sequence[Service]:
    """Only what is offered by video, where somebody asks for that and not everything is."""
    by_video = [each for each in services if each.is_video]
    has_both = 0 < len(by_video) < len(services)
    return by_video if has_both and st.toggle(_("By video"), key="find_video") else services


def _day(clinic: ClinicSettings) -> date | None:
    today = clock.now().astimezone(ZoneInfo(clinic.time_zone)).date()
    return st.date_input(
        _("Free on"),
        value=None,
        min_value=today,
        max_value=today + FURTHEST,
        format="YYYY-MM-DD",
        key="find_on",
    )
