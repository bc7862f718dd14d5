"""Choose another time by the link of a text or email: no sign-in, and nothing of what the visit is for."""

from datetime import datetime
from functools import partial

import streamlit as st

from core import choices, clinics
from core.choices import LinkOver
from core.i18n import N_, _, full_time
from core.phones import shown
from db.models import Role
from pages.ui import perform_signed_out, plain, reading
from pages.ui.navigation import MY_APPOINTMENTS
from pages.ui.sessions import current_actor

secret = st.query_params.get("link", "")[:100]


def take(doctor_id: int, starts_at: datetime) -> None:
    st.session_state["choose_done"] = (
        perform_signed_out(
            choices.choose,
            trying=partial(choices.is_over, secret=secret),
            secret=secret,
            doctor_id=doctor_id,
            starts_at=starts_at,
            done=N_("Thank you. Your visit has moved."),
        )
        and starts_at
    )


with reading() as session:
    zone, clinic = clinics.zone(session), clinics.settings(session)
    offered = choices.look(session, secret=secret)

st.title(_("Choose another time"))
call = _("Please call {phone}.").format(phone=shown(clinic.phone)) if clinic.phone else ""
if moved_to := st.session_state.get("choose_done"):
    st.success(
        plain(_("Your visit is on {time} now.").format(time=full_time(moved_to, zone))),
        icon=":material/check_circle:",
    )
elif offered is None:
    st.error(plain(str(LinkOver())), icon=":material/link_off:")
    st.caption(plain(call))
    actor = current_actor()
    if actor is None or actor.role is Role.PATIENT:  # of anybody else's pages it is none
        st.page_link(MY_APPOINTMENTS, label=_("My appointments"), icon=":material/event:")
else:
    was = _("{clinic} is sorry: your visit on {time} cannot take place.")
    st.write(plain(was.format(clinic=clinic.name, time=full_time(offered.was_at, zone))))
    if not offered.times:
        st.info(plain(" ".join([_("All the times that we offered have been taken."), call])))
    for number, (doctor_id, at) in enumerate(offered.times):
        label = full_time(at, zone)
        if doctor_id != offered.doctor_id:
            label = _("{time}, with another doctor").format(time=label)
        st.button(label, on_click=take, args=(doctor_id, at), key=f"choose_{number}", width="stretch")
    if offered.times:
        st.caption(plain(" ".join([_("None of them suits you?"), call])))
