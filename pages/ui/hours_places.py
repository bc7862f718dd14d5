"""Hours as text, a field for each place: 9-12, 13-17:30. What lies between two stretches is a break."""

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from core import stretches
from core.i18n import _
from core.stretches import Stretch
from db.models import Location
from pages.ui.words import plain

EXAMPLE = "09:00–12:00, 13:00–17:00"


def hours_fields(prefix: str, places: Sequence[Location], day: str, *, is_told: bool) -> dict[int, str]:
    """A field for each place; what stands in them, by place. `is_told` if each says which it is for."""
    typed = {}
    for place in places:
        typed[place.id] = (
            st.text_input(
                plain(f"{day}, {place.name}"),
                placeholder=_("Not at {place}").format(place=place.name),
                label_visibility="visible" if is_told else "collapsed",
                max_chars=stretches.LONGEST_TEXT,
                key=f"{prefix}_{place.id}",
            )
            or ""
        )
    return typed


def fill(prefix: str, places: Iterable[Location], of_day: Iterable[Stretch]) -> None:
    """Write hours into the fields, before these are drawn."""
    listed = list(of_day)
    for place in places:
        st.session_state[f"{prefix}_{place.id}"] = stretches.written(listed, place.id)


def at_places(of_day: Iterable[Stretch], places: Mapping[int, Location]) -> str:
    """Hours in one line, with the place where there are several."""
    told = [
        str(each)
        if len(places) < 2 or each.location_id not in places
        else f"{each} {places[each.location_id].name}"
        for each in sorted(of_day)
    ]
    return ", ".join(told) or _("does not work")
