"""Find a doctor by need, name, specialty, language, price or day; the soonest free first."""

from datetime import timedelta

import streamlit as st

from core import clinics, clock, doctors
from core.i18n import _, day_and_time, language_name, money, ngettext
from db.models import Role
from pages.ui import choice, plain, reading, require
from pages.ui.navigation import DOCTOR
from pages.ui.waitlists import earlier_link

actor = require(Role.PATIENT)

SHOWN = 8

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    services = doctors.bookable_services(session, actor)
    specialties = doctors.specialties(session, actor)
    languages = doctors.languages(session, actor)

st.title(_("Find a doctor"))
if not services:
    st.info(_("The clinic does not offer any bookable service yet. Please call reception."))
    st.stop()

left, right = st.columns(2)
with left:
    service_id = choice(_("What do you need?"), {each.id: each.name for each in services}, key="find_service")
    name = st.text_input(_("Doctor's name"), placeholder=_("Any"), max_chars=100, key="find_name")
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
today = clock.now().astimezone(zone).date()
on = left.date_input(
    _("Free on"),
    value=None,
    min_value=today,
    max_value=today + timedelta(days=730),
    format="YYYY-MM-DD",
    key="find_on",
)
fee = right.number_input(
    _("Fee up to ({currency})").format(currency=clinic.currency),
    value=None,
    min_value=0,
    step=10,
    placeholder=_("Any"),
    key="find_fee",
)

shown = st.session_state.setdefault("find_shown", SHOWN)
with reading() as session:
    found = doctors.search(
        session,
        actor,
        service_id=service_id or services[0].id,
        name=name,
        specialty_id=specialty_id,
        language=language,
        max_price_minor=None if fee is None else clinics.minor_units(fee, clinic.currency),
        on=on,
    )
    known = doctors.profiles(session, actor, doctor_ids=[each.doctor_id for each in found[:shown]])

st.caption(ngettext("{count} doctor", "{count} doctors", len(found)).format(count=len(found)))
if not found:
    st.info(
        _("No doctor fits all of this. Try another day, or leave a wish out."), icon=":material/search_off:"
    )
for each in found[:shown]:
    doctor = known[each.doctor_id]
    with st.container(border=True):
        about, when = st.columns([3, 2], vertical_alignment="center")
        spoken = ", ".join(language_name(code) for code in doctor.languages)
        about.markdown(
            f"**{plain(each.name)}**  \n"
            + ", ".join(plain(specialty.name) for specialty in doctor.specialties)
            + f"  \n:gray[:small[{plain(spoken)} · {plain(money(each.price_minor, clinic.currency))}]]"
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
            wanted = {"doctor": str(each.doctor_id), "service": str(service_id)}
            st.switch_page(DOCTOR, query_params=wanted | ({"on": on.isoformat()} if on else {}))
if len(found) > shown:

    def show_more() -> None:
        st.session_state["find_shown"] += SHOWN

    st.button(_("Show more"), on_click=show_more, key="find_more", width="stretch")
earlier_link(service_id=service_id, specialty_id=specialty_id)
