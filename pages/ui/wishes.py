"""The form of a wish for the waitlist: of whom, for what, on which days and at which times."""

from datetime import date, time, timedelta
from uuid import UUID

import streamlit as st

from core import clinics, clock, doctors, waitlists
from core.access import Actor
from core.i18n import N_, _, weekday
from core.waitlist_wishes import WEEK, Wish
from db.models import Service
from pages.ui.actions import form_key, perform
from pages.ui.choices import choice
from pages.ui.queries import asked_number
from pages.ui.refusals import reading
from pages.ui.waitlists import anybody_of

DOCTOR, SPECIALTY = "doctor", "specialty"
OFFICE_DAYS = [1, 2, 3, 4, 5]
EARLIEST, LATEST = time(8), time(18)
FORTNIGHT = timedelta(days=13)
STEP = timedelta(minutes=30)
Whom = tuple[str, int]


def wish_form(actor: Actor, *, patient_id: int, form: str) -> None:
    """Every field of a wish for a patient, and the button that puts it on the list.

    What the page's address asks for is chosen already.
    """
    with reading() as session:
        clinic, zone = clinics.settings(session), clinics.zone(session)
        services = {each.id: each for each in doctors.bookable_services(session, actor)}
    if not services:
        st.info(_("The clinic does not offer any bookable service yet. Please call reception."))
        return
    asked = next((n for n, number in enumerate(services) if number == asked_number("service")), 0)
    named = {number: each.name for number, each in services.items()}
    chosen = choice(_("What is it for?"), named, index=asked, key=f"{form}_service")
    service = services[chosen or next(iter(services))]
    whom = _whom(actor, service, form)
    today = clock.now().astimezone(zone).date()
    last_on = today + timedelta(days=service.horizon_days or clinic.horizon_days)
    wish = Wish(
        service_id=service.id,
        doctor_id=whom[1] if whom and whom[0] == DOCTOR else None,
        specialty_id=whom[1] if whom and whom[0] == SPECIALTY else None,
        **_days(today, last_on, form),
        **_times(form),
    )
    st.button(
        _("Put on the waitlist"),
        type="primary",
        icon=":material/hourglass_top:",
        on_click=_join,
        args=(patient_id, wish, form, form_key(form)),
        key=f"{form}_submit",
        width="stretch",
    )


def _whom(actor: Actor, service: Service, form: str) -> Whom | None:
    """One of the doctors who offer the service, or anybody of one of their specialties."""
    with reading() as session:
        offering = doctors.offering(session, actor, service_id=service.id)
    specialties = {each.id: each.name for doctor in offering for each in doctor.specialties}
    named: dict[Whom, str] = {(DOCTOR, doctor.id): doctor.user.name for doctor in offering}
    for number, name in sorted(specialties.items(), key=lambda each: each[1]):
        named[(SPECIALTY, number)] = anybody_of(name)
    asked = {(kind, asked_number(kind)) for kind in (DOCTOR, SPECIALTY)}
    chosen = st.selectbox(
        _("With whom?"),
        list(named),
        index=next((n for n, whom in enumerate(named) if whom in asked), None),
        format_func=lambda whom: named.get(whom, ""),
        placeholder=_("Choose a doctor or a specialty"),
        key=f"{form}_whom_{service.id}",
    )
    return chosen if chosen in named else None


def _days(today: date, last_on: date, form: str) -> dict[str, date | tuple[int, ...]]:
    bounds = {"min_value": today, "max_value": last_on, "format": "YYYY-MM-DD"}
    with st.container(horizontal=True):
        first = st.date_input(_("From"), value=today, key=f"{form}_from_on", **bounds)
        last = st.date_input(
            _("Until"), value=min(today + FORTNIGHT, last_on), key=f"{form}_until_on", **bounds
        )
    on = st.pills(
        _("On"),
        list(WEEK),
        format_func=weekday,
        selection_mode="multi",
        default=OFFICE_DAYS,
        key=f"{form}_weekdays",
    )
    return {"from_on": first, "until_on": last, "weekdays": tuple(sorted(on))}


def _times(form: str) -> dict[str, time]:
    with st.container(horizontal=True):
        earliest = st.time_input(_("Not before"), value=EARLIEST, step=STEP, key=f"{form}_from_time")
        latest = st.time_input(_("Over by"), value=LATEST, step=STEP, key=f"{form}_until_time")
    return {"from_time": earliest, "until_time": latest}


def _join(patient_id: int, wish: Wish, form: str, key: UUID) -> None:
    perform(
        waitlists.join,
        patient_id=patient_id,
        wish=wish,
        request_key=key,
        done=N_("On the waitlist. As soon as a time is free it is held for a while and offered."),
        form=form,
    )
