"""Find a doctor by need, name, specialty, language, price, place or time; the soonest free first."""

import streamlit as st

from core import clinics, doctors
from core.i18n import _, day_and_time, money, ngettext
from db.models import Role
from pages.ui import plain, reading, require
from pages.ui.doctor_search import ask_wishes
from pages.ui.navigation import DOCTOR
from pages.ui.profiles import photo, spoken
from pages.ui.waitlists import earlier_link

actor = require(Role.PATIENT)

SHOWN = 8

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    services = doctors.bookable_services(session, actor)
    specialties = doctors.specialties(session, actor)
    languages = doctors.languages(session, actor)
    places = doctors.places(session, actor)

st.title(_("Find a doctor"))
if not services:
    st.info(_("The clinic does not offer any bookable service yet. Please call reception."))
    st.stop()

wish = ask_wishes(clinic, services, specialties, languages, places)

shown = st.session_state.setdefault("find_shown", SHOWN)
with reading() as session:
    found = doctors.search(
        session,
        actor,
        service_id=wish.service_id,
        name=wish.name,
        specialty_id=wish.specialty_id,
        language=wish.language,
        max_price_minor=wish.max_price_minor,
        on=wish.on,
        within=wish.within,
    )
    numbers = [each.doctor_id for each in found[:shown]]
    known = doctors.profiles(session, actor, doctor_ids=numbers)
    with_photo = doctors.with_photo(session, actor, doctor_ids=numbers)

st.caption(ngettext("{count} doctor", "{count} doctors", len(found)).format(count=len(found)))
if not found:
    st.info(
        _("No doctor fits all of this. Try another day, or leave a wish out."), icon=":material/search_off:"
    )
for each in found[:shown]:
    doctor = known[each.doctor_id]
    with st.container(border=True):
        about, when = st.columns([3, 2], vertical_alignment="center")
        speaks, price = spoken(doctor.languages), money(each.price_minor, clinic.currency)
        if each.doctor_id in with_photo:
            with about:
                photo(each.doctor_id, each.name, side=72)
        about.markdown(
            f"**{plain(each.name)}**  \n"
            + ", ".join(plain(specialty.name) for specialty in doctor.specialties)
            + f"  \n:gray[:small[{plain(speaks)} · {plain(price)}]]"
        )
        if each.next_at is None:
            when.caption(
                _("No free time at present")
                if doctor.is_accepting_patients
                else _("Bookings through reception only")
            )
            label = _("Profile")
        else:
            when.markdown(_("Next: **{time}**").format(time=day_and_time(each.next_at, zone)))
            label = _("See times")
        if when.button(
            label,
            key=f"find_open_{each.doctor_id}",
            type="primary" if each.next_at else "secondary",
            width="stretch",
        ):
            wanted = {"doctor": str(each.doctor_id), "service": str(wish.service_id)}
            st.switch_page(DOCTOR, query_params=wanted | ({"on": wish.on.isoformat()} if wish.on else {}))
if len(found) > shown:

    def show_more() -> None:
        st.session_state["find_shown"] += SHOWN

    st.button(_("Show more"), on_click=show_more, key="find_more", width="stretch")
earlier_link(service_id=wish.service_id, specialty_id=wish.specialty_id)
