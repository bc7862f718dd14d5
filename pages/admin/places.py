"""Places and rooms: where the clinic is, and which rooms it has there."""

import streamlit as st

from core import places
from core.i18n import N_, _, ngettext
from core.places import Place, RoomOfPlace
from db.models import Location, Role, Room
from pages.ui import perform, plain, reading, require
from pages.ui.affected import settling_button

actor = require(Role.ADMIN)


def typed_place(key: str) -> Place:
    """What stands in the fields of a place."""
    state = st.session_state
    return Place(
        name=state.get(f"{key}_name") or "",
        address=state.get(f"{key}_address") or "",
        is_active=bool(state.get(f"{key}_active", True)),
    )


def add_place() -> None:
    fields = ("places_new_name", "places_new_address")
    perform(places.add, wanted=typed_place("places_new"), done=N_("Added."), clear=fields)


def add_room(number: int) -> None:
    field = f"places_{number}_room"
    name = st.session_state.get(field) or ""
    perform(places.add_room, location_id=number, name=name, done=N_("Added."), clear=[field])


def show_room(room: Room) -> None:
    """A room with its fields."""
    name, active, save = st.columns([4, 2, 1], vertical_alignment="bottom")
    typed = name.text_input(_("Room"), value=room.name, max_chars=100, key=f"rooms_{room.id}_name")
    in_use = active.toggle(_("In use"), value=room.is_active, key=f"rooms_{room.id}_active")
    ends = room.is_active and not in_use
    with st.container() if ends else save:
        settling_button(
            actor,
            _("Save"),
            places.change_room,
            {
                "room_id": room.id,
                "wanted": RoomOfPlace(typed or "", in_use),
                "seen": RoomOfPlace(room.name, room.is_active),
            },
            may_strand=ends,
            done=N_("Saved."),
            key=f"rooms_{room.id}_save",
            is_main=False,
        )


def show_place(place: Location, rooms: list[Room]) -> None:
    """A place with its fields and rooms."""
    count = ngettext("{count} room", "{count} rooms", len(rooms)).format(count=len(rooms))
    closed = "" if place.is_active else f" · {_('closed')}"
    with st.expander(f"{plain(place.name)} · {count}{closed}"):
        key = f"places_{place.id}"
        st.text_input(_("Name"), value=place.name, max_chars=100, key=f"{key}_name")
        st.text_input(_("Address"), value=place.address, max_chars=300, key=f"{key}_address")
        in_use = st.toggle(_("In use"), value=place.is_active, key=f"{key}_active")
        settling_button(
            actor,
            _("Save"),
            places.change,
            {
                "location_id": place.id,
                "wanted": typed_place(key),
                "seen": Place(place.name, place.address, place.is_active),
            },
            may_strand=place.is_active and not in_use,
            done=N_("Saved."),
            key=f"{key}_save",
        )
        for room in rooms:
            show_room(room)
        name, add = st.columns([4, 1], vertical_alignment="bottom")
        name.text_input(_("New room"), max_chars=100, key=f"{key}_room")
        add.button(_("Add"), on_click=add_room, args=(place.id,), key=f"{key}_add_room")


with reading() as session:
    known = places.all_of_them(session, actor)
    rooms = places.rooms(session, actor)

st.title(_("Places and rooms"))
if not known:
    st.info(_("The clinic has no place yet: add the first one, so that doctors can have hours there."))
for place in known:
    show_place(place, [room for room in rooms if room.location_id == place.id])
st.header(_("New place"))
st.text_input(_("Name"), max_chars=100, key="places_new_name")
st.text_input(_("Address"), max_chars=300, key="places_new_address")
st.button(_("Add"), type="primary", on_click=add_place, key="places_add")
