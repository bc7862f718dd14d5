"""Prices and payment: what is due before a visit, what cancelling costs, and the price of each service."""

import streamlit as st

from core import clinics, prices
from core.i18n import N_, _
from db.config import config
from db.models import Role
from pages.ui import choice, perform, reading, require
from pages.ui.price_fields import clinic_fields, service_fields, show_examples, typed_clinic, typed_service

actor = require(Role.ADMIN)


def save_clinic() -> None:
    perform(prices.change_clinic, wanted=typed_clinic(), done=N_("Saved."))


def save_service() -> None:
    wanted = typed_service(service, clinic.currency)
    perform(prices.change_service, service_id=service.id, wanted=wanted, done=N_("Saved."))


with reading() as session:
    zone = clinics.zone(session)
    clinic = prices.of_clinic(session, actor)
    services = {each.id: each for each in prices.services(session, actor)}

st.title(_("Prices and payment"))
if not config().takes_cards_online:
    st.info(
        _("Nobody can pay online here yet: STRIPE_SECRET_KEY is not set. Everything is paid at the desk."),
        icon=":material/credit_card_off:",
    )
st.caption(_("Changes apply to visits booked from now on; what was agreed before stays as it is."))
st.header(_("For all services"))
clinic_fields(clinic)
st.button(_("Save"), type="primary", on_click=save_clinic, key="prices_save_clinic")

st.header(_("For one service"))
if not services:
    st.info(_("The clinic has no service yet."))
    st.stop()
chosen = choice(_("Service"), {each.id: each.name for each in services.values()}, key="prices_service")
service = services[chosen or next(iter(services))]
service_fields(service, clinic.currency)
st.button(_("Save"), type="primary", on_click=save_service, key="prices_save_service")

st.header(_("What patients read"))
show_examples(typed_clinic(), typed_service(service, clinic.currency), zone)
