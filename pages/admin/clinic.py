"""Clinic: its name, phone and languages, where its clocks are, and how far ahead it is booked."""

import streamlit as st

from core import clinic_settings
from core.clinic_settings import Details
from core.i18n import N_, _, languages
from core.languages import locale_name
from db.models import Role
from pages.ui import reading, require
from pages.ui.affected import settling_button

actor = require(Role.ADMIN)

PREFIX = "clinic_"


def typed() -> Details:
    """What stands in the fields."""
    return Details(
        name=st.session_state.get(f"{PREFIX}name") or "",
        text_name=st.session_state.get(f"{PREFIX}text_name") or "",
        phone=st.session_state.get(f"{PREFIX}phone") or "",
        time_zone=st.session_state.get(f"{PREFIX}time_zone") or "",
        minimum_notice_minutes=round((st.session_state.get(f"{PREFIX}notice") or 0) * 60),
        horizon_days=st.session_state.get(f"{PREFIX}horizon_days") or 0,
        locale=st.session_state.get(f"{PREFIX}locale") or "",
        locales=tuple(sorted(st.session_state.get(f"{PREFIX}locales") or ())),
    )


with reading() as session:
    now = clinic_settings.details(session, actor)
zones = clinic_settings.zones()

st.title(_("Clinic"))
st.text_input(_("Name"), value=now.name, max_chars=100, key=f"{PREFIX}name")
short, phone = st.columns(2)
short.text_input(
    _("Name in text messages"),
    value=now.text_name,
    max_chars=clinic_settings.TEXT_NAME_LENGTH,
    placeholder=now.name,
    help=_("A short one keeps a text in one piece."),
    key=f"{PREFIX}text_name",
)
phone.text_input(_("Phone of reception"), value=now.phone, max_chars=30, key=f"{PREFIX}phone")
known = zones if now.time_zone in zones else [now.time_zone, *zones]
zone = st.selectbox(_("Time zone"), known, index=known.index(now.time_zone), key=f"{PREFIX}time_zone")
if zone != now.time_zone:
    st.info(
        _(
            "Hours keep their time on the clock. Visits that are booked stay at their moment, so they show "
            "another time."
        ),
        icon=":material/schedule:",
    )
own, offered = st.columns(2)
spoken = sorted({*languages(), *now.locales})
own.selectbox(
    _("The clinic's language"),
    spoken,
    index=spoken.index(now.locale),
    format_func=locale_name,
    help=_("For patients who are written down at the desk and texts to unknown numbers."),
    key=f"{PREFIX}locale",
)
offered.multiselect(
    _("Languages to choose from"),
    spoken,
    default=now.locales,
    format_func=locale_name,
    placeholder=_("None"),
    key=f"{PREFIX}locales",
)
st.caption(
    _("The portal is translated into {languages}; no other can be chosen.").format(
        languages=", ".join(map(locale_name, spoken))
    )
)
notice, horizon = st.columns(2)
notice.number_input(
    _("Patients book at least this many hours ahead"),
    value=now.minimum_notice_minutes / 60,
    min_value=0.0,
    step=0.5,
    key=f"{PREFIX}notice",
)
horizon.number_input(
    _("And at most this many days ahead"), value=now.horizon_days, step=1, key=f"{PREFIX}horizon_days"
)
settling_button(
    actor,
    _("Save"),
    clinic_settings.change,
    {"wanted": typed(), "seen": now},
    may_strand=zone != now.time_zone,
    done=N_("Saved."),
    key=f"{PREFIX}save",
)
st.caption(
    _("Logo, address and paper are under Letterhead and letters; the currency is under Prices and payment.")
)
