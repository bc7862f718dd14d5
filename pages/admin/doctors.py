"""Doctors: their specialties, what they offer and at what price, and whether they take patients."""

import streamlit as st

from core import clinics, doctor_settings, doctors, prices
from core.doctor_settings import Details
from core.i18n import N_, _, money
from db.models import Role
from pages.ui import choice, perform, plain, reading, require
from pages.ui.affected import settling_button
from pages.ui.money import amount_field, typed_minor

actor = require(Role.ADMIN)


def add_specialty() -> None:
    name = st.session_state.get("doctors_new_specialty") or ""
    perform(doctor_settings.add_specialty, name=name, done=N_("Added."), clear=["doctors_new_specialty"])


with reading() as session:
    known = {each.id: each for each in doctor_settings.all_of_them(session, actor)}
    services = {each.id: each for each in prices.services(session, actor)}
    specialties = {each.id: each.name for each in doctors.specialties(session, actor)}
    currency = clinics.settings(session).currency

st.title(_("Doctors"))
if not known:
    st.info(_("There is no doctor yet: invite one under Users, with the role of a doctor."))
else:
    names = {
        number: each.user.name + ("" if each.is_active else f" · {_('sees nobody')}")
        for number, each in known.items()
    }
    number = choice(_("Doctor"), names, key="doctors_chosen") or next(iter(known))
    with reading() as session:
        seen = doctor_settings.details(session, actor, doctor_id=number)
    key = f"doctors_{number}"
    chosen = st.multiselect(
        _("Specialties"),
        list(specialties),
        default=list(seen.specialty_ids),
        format_func=lambda each: specialties.get(each, ""),
        placeholder=_("None"),
        key=f"{key}_specialties",
    )
    offered = st.multiselect(
        _("Offers"),
        list(services),
        default=[service_id for service_id, _price in seen.prices],
        format_func=lambda each: services[each].name if each in services else "",
        placeholder=_("Nothing yet"),
        key=f"{key}_services",
    )
    own = dict(seen.prices)
    offers = []
    for service_id in offered:
        field = f"{key}_price_{service_id}"
        usual = money(services[service_id].price_minor, currency)
        amount_field(
            _("Own price for {service}; without one, {price}").format(
                service=plain(services[service_id].name), price=usual
            ),
            currency,
            key=field,
            value_minor=own.get(service_id),
            is_clearable=True,
        )
        offers.append((service_id, typed_minor(field, currency)))
    accepting = st.toggle(
        _("Patients can book online"), value=seen.is_accepting_patients, key=f"{key}_accepting"
    )
    active = st.toggle(_("Sees patients here"), value=seen.is_active, key=f"{key}_active")
    wanted = Details(tuple(sorted(chosen)), tuple(sorted(offers)), accepting, active)
    settling_button(
        actor,
        _("Save"),
        doctor_settings.change,
        {"doctor_id": number, "wanted": wanted, "seen": seen},
        may_strand=(seen.is_active and not active) or bool(own.keys() - set(offered)),
        done=N_("Saved."),
        key="doctors_save",
    )

st.header(_("New specialty"))
st.text_input(_("Name"), max_chars=100, key="doctors_new_specialty")
st.button(_("Add"), on_click=add_specialty, key="doctors_add_specialty")
