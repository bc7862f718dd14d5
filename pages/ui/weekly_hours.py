"""The hours of every week as a grid to write in: a row for each weekday, a column for each place."""

from datetime import date, timedelta, tzinfo

import streamlit as st

from core import provider_hours, stretches
from core.access import Actor
from core.errors import ClinicError
from core.i18n import N_, _, full_weekday, short_date
from core.provider_hours import Known, Version
from core.stretches import Stretch
from db.models import Location
from pages.ui.affected import foresee, save_button, show_affected
from pages.ui.hours_places import EXAMPLE, fill, hours_fields
from pages.ui.refusals import reading
from pages.ui.slot_grid import preview_choice, show_preview
from pages.ui.words import plain

PREFIX = "hours_week"
ABREAST = 4  # places; of more, only those that are worked at
# Where columns do not fit beside each other, each field says its day and place, and no head does.
_STYLE = f"""<style>
@media (min-width: 641px) {{ .st-key-{PREFIX}_grid [data-testid="stWidgetLabel"] {{ display: none; }} }}
@media (max-width: 640px) {{ .st-key-{PREFIX}_grid [class*="st-key-{PREFIX}_name_"] {{ display: none; }} }}
</style>"""


def weekly_section(actor: Actor, doctor_id: int, places: list[Location], zone: tzinfo, today: date) -> None:
    """The hours that hold, those planned for later, and changing them from a date on."""
    with reading() as session:
        known = provider_hours.known(session, actor, doctor_id=doctor_id)
    version = _shown_version(doctor_id, known, places)
    if st.session_state[f"{PREFIX}_edition"] != known.edition:
        st.warning(_("Somebody else has changed these hours since you opened them."), icon=":material/sync:")
        st.button(_("Show them"), on_click=_forget, key=f"{PREFIX}_reload")
    st.caption(_("Write hours like {example}. What lies between is a break.").format(example=EXAMPLE))
    beside = _worked_at(places, version)
    typed = _grid(beside, has_several=len(places) > 1)
    _copy_a_day(beside)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        from_on = st.date_input(
            _("From"),
            value=max(version.from_on or today, today),
            min_value=today,
            format="YYYY-MM-DD",
            key=f"{PREFIX}_from",
            width=200,
        )
        until_on = st.date_input(
            _("Until (empty: for good)"),
            value=version.until_on,
            min_value=from_on,
            format="YYYY-MM-DD",
            key=f"{PREFIX}_until",
            width=220,
        )
    if from_on is None:
        return
    if version.until_on is not None and until_on == version.until_on:
        told = _("Other hours are planned from {day} on; they stay.")
        st.caption(plain(told.format(day=short_date(version.until_on + timedelta(days=1)))))
    wanted = preview_choice(actor, doctor_id, from_on)
    change = {
        "doctor_id": doctor_id,
        "typed": typed,
        "from_on": from_on,
        "until_on": until_on,
        "edition": st.session_state[f"{PREFIX}_edition"],
    }
    foreseen = foresee(actor, provider_hours.set_typed_week, previewing=wanted, **change)
    show_affected(foreseen, zone)
    save_button(
        _("Save"),
        foreseen,
        provider_hours.set_typed_week,
        change,
        done=N_("Saved."),
        key=f"{PREFIX}_save",
        after=_forget,
    )
    show_preview(foreseen.preview)


def _shown_version(doctor_id: int, known: Known, places: list[Location]) -> Version:
    """The version that is chosen, with its hours in the fields: written into them once, then left alone."""
    versions = known.versions
    numbers = list(range(len(versions)))
    chosen = 0
    if len(versions) > 1:
        chosen = st.selectbox(
            _("Hours"),
            numbers,
            format_func=lambda number: _named(versions[number]) if number in numbers else "",
            key=f"{PREFIX}_version",
            width=320,
        )
        chosen = chosen if chosen in numbers else 0
    version = versions[chosen]
    filled = (doctor_id, chosen, version.from_on)
    if st.session_state.get(f"{PREFIX}_filled") != filled:
        st.session_state[f"{PREFIX}_filled"] = filled
        st.session_state[f"{PREFIX}_edition"] = known.edition
        for name in ("from", "until"):
            st.session_state.pop(f"{PREFIX}_{name}", None)
        for day in provider_hours.WEEKDAYS:
            fill(f"{PREFIX}_{day}", places, version.week[day])
    return version


def _worked_at(places: list[Location], version: Version) -> list[Location]:
    """The places that have a column: all of a few, else those with hours and those that are asked for."""
    if len(places) <= ABREAST:
        return places
    used = {each.location_id for of_day in version.week.values() for each in of_day}
    others = {each.id: each.name for each in places if each.id not in used}
    key = f"{PREFIX}_also"
    st.session_state[key] = [each for each in st.session_state.get(key, []) if each in others]
    added = st.multiselect(
        _("Also at"),
        list(others),
        format_func=lambda number: others.get(number, ""),
        placeholder=_("Choose another place"),
        max_selections=ABREAST,
        key=key,
    )
    return [each for each in places if each.id in used or each.id in added]


def _named(version: Version) -> str:
    if version.from_on is None:
        if version.until_on is None:
            return _("Now")
        return _("Now, until {day}").format(day=short_date(version.until_on))
    if version.until_on is None:
        return _("From {day}").format(day=short_date(version.from_on))
    return _("{first} until {last}").format(
        first=short_date(version.from_on), last=short_date(version.until_on)
    )


def _grid(places: list[Location], *, has_several: bool) -> dict[tuple[int, int], str]:
    with st.container(key=f"{PREFIX}_grid"):
        typed = _rows(places, has_several=has_several)
    total = _total(typed)
    if total is not None:
        st.caption(_("{hours} hours a week").format(hours=f"{total / 60:g}"))
    return typed


def _rows(places: list[Location], *, has_several: bool) -> dict[tuple[int, int], str]:
    """The fields, which say where they are for unless the clinic has one place."""
    if not places:
        return {}
    shape = [2, *[4] * len(places)]
    if has_several:
        st.html(_STYLE)
        with st.container(key=f"{PREFIX}_name_places"):
            for column, place in zip(st.columns(shape)[1:], places, strict=True):
                column.markdown(f"**{plain(place.name)}**")
    typed = {}
    for day in provider_hours.WEEKDAYS:
        name, *cells = st.columns(shape, vertical_alignment="center")
        with name, st.container(key=f"{PREFIX}_name_{day}"):
            st.markdown(plain(full_weekday(day)))
        for place, cell in zip(places, cells, strict=True):
            with cell:
                of_day = hours_fields(f"{PREFIX}_{day}", [place], full_weekday(day), is_told=has_several)
            typed[day, place.id] = of_day[place.id]
    return typed


def _total(typed: dict[tuple[int, int], str]) -> int | None:
    """The minutes of the week, None while something cannot be read."""
    found: list[Stretch] = []
    try:
        for (day, location_id), text in typed.items():
            found += stretches.parsed(text, location_id, day=full_weekday(day))
    except ClinicError:
        return None
    return stretches.minutes(found)


def _copy_a_day(places: list[Location]) -> None:
    days = list(provider_hours.WEEKDAYS)
    with st.popover(_("Copy a day"), icon=":material/content_copy:"):
        like = st.selectbox(_("The hours of"), days, format_func=full_weekday, key=f"{PREFIX}_copy_from")
        others = [day for day in days if day != like]
        to_days = st.pills(
            _("also on"),
            others,
            format_func=full_weekday,
            selection_mode="multi",
            wrap=True,
            key=f"{PREFIX}_copy_to",
        )
        st.button(
            _("Copy"),
            disabled=not to_days,
            on_click=_copy,
            args=(like, to_days, [place.id for place in places]),
            key=f"{PREFIX}_copy",
        )


def _copy(like: int, to_days: list[int], place_ids: list[int]) -> None:
    for place_id in place_ids:
        text = st.session_state.get(f"{PREFIX}_{like}_{place_id}") or ""
        for day in to_days:
            st.session_state[f"{PREFIX}_{day}_{place_id}"] = text
    st.session_state[f"{PREFIX}_copy_to"] = []


def _forget() -> None:
    """Write the fields anew from what is saved."""
    st.session_state.pop(f"{PREFIX}_filled", None)
