"""The fields of a service: what it is, how long it takes, when and where it can be booked."""

from collections.abc import Mapping

import streamlit as st

from core import services
from core.i18n import _
from core.services import Details

NEW = Details(
    name="",
    description="",
    duration_minutes=30,
    step_minutes=30,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    minimum_notice_minutes=None,
    horizon_days=None,
    is_video=False,
    needs_room=False,
    is_active=True,
)


def service_fields(now: Details, rooms: Mapping[int, str], key: str) -> Details:
    """Draw the fields, filled with `now`; what stands in them. `rooms` are named by number."""
    name = st.text_input(_("Name"), value=now.name, max_chars=100, key=f"{key}_name")
    description = st.text_area(
        _("What patients read about it"), value=now.description, max_chars=1000, key=f"{key}_description"
    )
    numbers = _minutes(now, key)
    with st.container(horizontal=True, gap="large"):
        is_video = st.toggle(_("By video"), value=now.is_video, key=f"{key}_video")
        needs_room = st.toggle(_("Needs a room"), value=now.needs_room, key=f"{key}_needs_room")
        is_active = st.toggle(_("Can be booked"), value=now.is_active, key=f"{key}_active")
    room_ids: list[int] = []
    if needs_room:
        room_ids = st.multiselect(
            _("Rooms that will do"),
            list(rooms),
            default=[each for each in now.room_ids if each in rooms],
            format_func=lambda number: rooms.get(number, ""),
            placeholder=_("Any room of the place"),
            key=f"{key}_rooms",
        )
    return Details(
        name=name or "",
        description=description or "",
        **numbers,
        is_video=is_video,
        needs_room=needs_room,
        is_active=is_active,
        room_ids=tuple(sorted(room_ids)),
    )


def _minutes(now: Details, key: str) -> dict[str, int]:
    fields = {
        "duration_minutes": (_("Takes (minutes)"), services.MINUTES),
        "step_minutes": (_("Starts every … minutes"), services.MINUTES),
        "buffer_before_minutes": (_("Before it, the doctor is kept free (minutes)"), services.BUFFER_MINUTES),
        "buffer_after_minutes": (_("After it (minutes)"), services.BUFFER_MINUTES),
        "minimum_notice_minutes": (_("Booked at least … minutes ahead"), services.NOTICE_MINUTES),
        "horizon_days": (_("Booked at most … days ahead"), services.HORIZON_DAYS),
    }
    typed = {}
    columns = st.columns(2)
    for index, (name, (label, bounds)) in enumerate(fields.items()):
        value = getattr(now, name)
        typed[name] = columns[index % 2].number_input(
            label,
            value=value,
            min_value=bounds.start,
            max_value=bounds.stop - 1,
            step=1 if name == "horizon_days" else 5,
            placeholder=_("As the clinic"),
            key=f"{key}_{name}",
        )
    return {name: _or_else(name, value) for name, value in typed.items()}


def _or_else(name: str, value: int | None) -> int:
    """A field that must be filled counts as 0 while it is empty: the service says what it takes."""
    may_be_empty = name in {"minimum_notice_minutes", "horizon_days"}
    return value if value is not None or may_be_empty else 0  # type: ignore[return-value]
