"""Services: what can be booked, for how long, how far ahead, and in which rooms."""

import streamlit as st

from core import rooms, services
from core.i18n import N_, _, span
from core.services import Details
from db.models import Role
from pages.ui import choice, perform, reading, require
from pages.ui.affected import settling_button
from pages.ui.service_fields import NEW, service_fields

actor = require(Role.ADMIN)

NEW_SERVICE = 0


def add(wanted: Details) -> None:
    made = perform(
        services.add,
        wanted=wanted,
        done=N_("Added. Give it a price under Prices and payment, and say under Doctors who offers it."),
    )
    if made is not None:
        for key in [each for each in st.session_state if str(each).startswith("services_0_")]:
            del st.session_state[key]
        st.session_state["services_chosen"] = made.id


with reading() as session:
    known = services.all_of_them(session, actor)
    named_rooms = {each.id: f"{each.location.name}, {each.name}" for each in rooms.all_active(session, actor)}

st.title(_("Services"))
if not known:
    st.info(_("The clinic has no service yet: add the first one, so that something can be booked."))
labels = {
    number: f"{each.name} · {span(each.duration_minutes)}"
    + ("" if each.is_active else f" · {_('cannot be booked')}")
    for number, each in known.items()
}
chosen = choice(
    _("Service"),
    {NEW_SERVICE: _("A new service"), **labels},
    index=None if known else 0,
    placeholder=_("Choose a service to change it, or a new one"),
    key="services_chosen",
)
if chosen is None:  # so that nobody changes the first one who wants to add another
    st.stop()
number = chosen
seen = known.get(number, NEW)
wanted = service_fields(seen, named_rooms, f"services_{number}")
if number in known:
    settling_button(
        actor,
        _("Save"),
        services.change,
        {"service_id": number, "wanted": wanted, "seen": seen},
        may_strand=seen.is_active and not wanted.is_active,
        done=N_("Saved."),
        key="services_save",
    )
else:
    st.button(_("Add"), type="primary", on_click=add, args=(wanted,), key="services_save")
