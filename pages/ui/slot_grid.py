"""A week of times as a grid: green where patients can book, and the reason where they cannot."""

from datetime import date
from typing import Any

import streamlit as st

from core import doctors
from core.access import Actor
from core.i18n import N_, _, day, ngettext, wall_clock
from core.offers import Rule
from core.slot_previews import Cell, Preview, Wanted
from pages.ui.choices import choice
from pages.ui.refusals import reading
from pages.ui.words import plain

FREE, TAKEN, AWAY, CLOSED, SHUT = N_("Free"), N_("Taken"), N_("Away"), N_("Closed"), N_("Not offered")
_COLOURS = {FREE: "#2e9e5b", TAKEN: "#3b78c4", AWAY: "#d08a1d", CLOSED: "#a1519e", SHUT: "#8d949e55"}
_KINDS = {Rule.TAKEN: TAKEN, Rule.NO_ROOM: TAKEN, Rule.TIME_OFF: AWAY, Rule.CLOSED: CLOSED}


def preview_choice(actor: Actor, doctor_id: int, from_on: date) -> Wanted | None:
    """Whether to look at what could be booked, of which service and in which week."""
    if not st.toggle(_("Show what patients could book then"), key="preview_on"):
        return None
    with reading() as session:
        offered = doctors.offered_services(session, actor, doctor_id)
    if not offered:
        st.info(_("This doctor offers no service yet."))
        return None
    named = {service.id: service.name for service, _price in offered}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        service_id = choice(_("Service"), named, key="preview_service", width=320) or next(iter(named))
        begins = st.date_input(
            _("Seven days from"),
            value=from_on,
            min_value=from_on,
            format="YYYY-MM-DD",
            key="preview_from",
            width=200,
        )
    return Wanted(doctor_id, service_id, begins or from_on)


def show_preview(preview: Preview | None) -> None:
    """The grid. Hovering over a time tells why it is not offered, and so does pressing it, below."""
    if preview is None:
        return
    told = ngettext("{count} time can be booked.", "{count} times can be booked.", preview.free)
    st.caption(told.format(count=preview.free))
    values = [_value(number, cell) for number, cell in enumerate(preview.cells)]
    chosen = st.vega_lite_chart(
        values,
        _chart(),
        width="stretch",
        on_select="rerun",
        selection_mode="cell",
        key="preview_grid",
    )
    for each in _pressed(chosen):
        cell = preview.cells[each]
        why = cell.why or _("Patients can book this time.")
        st.markdown(f"**{plain(day(cell.on))}, {plain(wall_clock(cell.wall))}:** {plain(why)}")


def _value(number: int, cell: Cell) -> dict[str, Any]:
    kind = FREE if cell.rule is None else _KINDS.get(cell.rule, SHUT)
    return {
        "number": number,
        "day": day(cell.on),
        "order": cell.on.isoformat(),
        "time": f"{cell.wall:%H:%M}",
        "state": _(kind),
        "why": cell.why or _("Patients can book this time."),
    }


def _chart() -> dict[str, Any]:
    colours = {"domain": [_(kind) for kind in _COLOURS], "range": list(_COLOURS.values())}
    return {
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "transparent", "strokeWidth": 2},
        "height": {"step": 16},
        "params": [{"name": "cell", "select": {"type": "point", "fields": ["number"]}}],
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "sort": {"field": "order"},
                "axis": {"orient": "top", "labelAngle": 0, "title": None, "labelOverlap": False},
            },
            "y": {"field": "time", "type": "ordinal", "axis": {"title": None}},
            "color": {"field": "state", "scale": colours, "legend": {"orient": "bottom", "title": None}},
            "tooltip": [
                {"field": "day", "title": _("Day")},
                {"field": "time", "title": _("Time")},
                {"field": "why", "title": _("Why")},
            ],
        },
    }


def _pressed(chosen: Any) -> list[int]:
    picked = chosen.get("selection", {}).get("cell", []) if chosen else []
    return [int(each["number"]) for each in picked if "number" in each]
