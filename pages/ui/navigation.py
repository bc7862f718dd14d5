"""Which pages each role has, the first being where they land."""

from collections.abc import Iterable
from pathlib import PurePath

import streamlit as st
from streamlit.navigation.page import Page

from core.access import Actor
from core.figure_dashboards import TITLES
from core.i18n import _
from db.models import Role

FIND_DOCTOR = "pages/patient/find_doctor.py"
DOCTOR = "pages/patient/doctor.py"
MY_APPOINTMENTS = "pages/patient/my_appointments.py"
PAY = "pages/patient/pay.py"
PAYMENTS = "pages/patient/payments.py"
NOTIFICATIONS = "pages/patient/notifications.py"
MY_WAITLIST = "pages/patient/my_waitlist.py"
MY_RECORD = "pages/patient/my_record.py"
BEFORE_VISIT = "pages/patient/before_visit.py"
RECORD_ACCESS = "pages/patient/record_access.py"
MY_DATA = "pages/patient/my_data.py"
TODAY = "pages/doctor/today.py"
WEEK = "pages/doctor/week.py"
VISIT = "pages/doctor/visit.py"
MY_PROFILE = "pages/doctor/my_profile.py"
PATIENT_RECORD = "pages/doctor/patient_record.py"
BOOK_FOR_PATIENT = "pages/staff/book_for_patient.py"
BOARD = "pages/staff/board.py"
WAITLIST = "pages/staff/waitlist.py"
INBOX = "pages/staff/inbox.py"
MESSAGE_LOG = "pages/staff/message_log.py"
TILL = "pages/staff/till.py"
DAY_CLOSE = "pages/staff/day_close.py"
OVERVIEW = "pages/admin/overview.py"
REVENUE = "pages/admin/revenue.py"
UTILISATION = "pages/admin/utilisation.py"
DEMAND = "pages/admin/demand.py"
MISSED = "pages/admin/missed.py"
PATIENT_FIGURES = "pages/admin/patient_figures.py"
MESSAGE_FIGURES = "pages/admin/message_figures.py"
MY_FIGURES = "pages/doctor/my_figures.py"
COUNTS = "pages/staff/counts.py"
USERS = "pages/admin/users.py"
CLINIC = "pages/admin/clinic.py"
PLACES = "pages/admin/places.py"
SERVICES = "pages/admin/services.py"
DOCTORS = "pages/admin/doctors.py"
HISTORY = "pages/admin/history.py"
POLICIES = "pages/admin/policies.py"
RECONCILIATION = "pages/admin/reconciliation.py"
MESSAGES = "pages/admin/messages.py"
QUESTIONS = "pages/admin/questions.py"
LETTERHEAD = "pages/admin/letterhead.py"
PRICES = "pages/admin/prices.py"
PROFILES = "pages/admin/profiles.py"
AUDIT_TRAIL = "pages/admin/audit_trail.py"
SYSTEM = "pages/admin/system.py"
HOLIDAYS = "pages/admin/holidays.py"
HOURS = "pages/doctor/hours.py"
DOCTOR_HOURS = "pages/staff/doctor_hours.py"
UNSETTLED = "pages/staff/unsettled.py"
CHOOSE_TIME = "pages/account/choose_time.py"
PROFILE = "pages/account/profile.py"
SECURITY = "pages/account/security.py"
SIGN_IN = "pages/account/sign_in.py"
REGISTER = "pages/account/register.py"
RESET_PASSWORD = "pages/account/reset_password.py"  # noqa: S105 - a page, not a password
ACCEPT_INVITE = "pages/account/accept_invite.py"
DEMO_MAILBOX = "pages/account/demo_mailbox.py"

# The pages of figures beside the overview, by the names of `core.figure_dashboards`, with their pictures.
FIGURES = {
    "revenue": (REVENUE, ":material/account_balance:"),
    "utilisation": (UTILISATION, ":material/schedule:"),
    "demand": (DEMAND, ":material/trending_up:"),
    "missed": (MISSED, ":material/person_off:"),
    "patients": (PATIENT_FIGURES, ":material/groups:"),
    "messages": (MESSAGE_FIGURES, ":material/forum:"),
}
LANDING = {Role.PATIENT: FIND_DOCTOR, Role.DOCTOR: TODAY, Role.STAFF: BOARD, Role.ADMIN: BOARD}
SIGNED_OUT = (REGISTER, RESET_PASSWORD, ACCEPT_INVITE, DEMO_MAILBOX, CHOOSE_TIME)
BEHIND_GUARDS = (
    *(FIND_DOCTOR, DOCTOR, MY_APPOINTMENTS, PAY, RECORD_ACCESS, MY_DATA, TODAY, PATIENT_RECORD),
    *(PAYMENTS, MY_WAITLIST, NOTIFICATIONS, WAITLIST, INBOX, MESSAGE_LOG, TILL, DAY_CLOSE, MESSAGES),
    *(BOARD, SYSTEM, VISIT, WEEK, MY_PROFILE, PROFILES),
    *(BOOK_FOR_PATIENT, USERS, POLICIES, PRICES, RECONCILIATION, AUDIT_TRAIL, PROFILE, SECURITY),
    *(MY_RECORD, BEFORE_VISIT, QUESTIONS, LETTERHEAD),
    *(HOLIDAYS, HOURS, DOCTOR_HOURS, UNSETTLED),
    *(CLINIC, PLACES, SERVICES, DOCTORS, HISTORY),
    *(OVERVIEW, REVENUE, UTILISATION, DEMAND, MISSED, PATIENT_FIGURES, MESSAGE_FIGURES, MY_FIGURES, COUNTS),
)


def name_of(page: str) -> str:
    """Under which name in the address Streamlit finds a page."""
    return PurePath(page).stem


def pages_for(actor: Actor | None) -> dict[str, list[Page]]:
    """The pages of whoever is here, by place in the menu. A menu is no permission: each has its guard."""
    if actor is None:
        # Every page, so that a link leads to its guard, which lets one sign in and stay there.
        front = st.Page(SIGN_IN, title=_("Sign in"), default=True)
        return {"": [front, *_hidden((*SIGNED_OUT, *BEHIND_GUARDS))]}
    menu = {"": [*_of_role(actor), *_hidden((DEMO_MAILBOX, CHOOSE_TIME))]}
    if actor.role is Role.ADMIN:
        menu[_("Figures")] = _figures()
        menu[_("Administration")] = [
            st.Page(USERS, title=_("Users"), icon=":material/group:"),
            st.Page(CLINIC, title=_("Clinic"), icon=":material/local_hospital:"),
            st.Page(PLACES, title=_("Places and rooms"), icon=":material/location_on:"),
            st.Page(SERVICES, title=_("Services"), icon=":material/medical_services:"),
            st.Page(DOCTORS, title=_("Doctors"), icon=":material/stethoscope:"),
            st.Page(PROFILES, title=_("Doctors' profiles"), icon=":material/badge:"),
            st.Page(POLICIES, title=_("Policies"), icon=":material/rule:"),
            st.Page(RECONCILIATION, title=_("Card payments"), icon=":material/balance:"),
            st.Page(PRICES, title=_("Prices and payment"), icon=":material/payments:"),
            st.Page(MESSAGES, title=_("Texts and reminders"), icon=":material/sms:"),
            st.Page(QUESTIONS, title=_("Questions before visits"), icon=":material/quiz:"),
            st.Page(LETTERHEAD, title=_("Letterhead and letters"), icon=":material/contract:"),
            st.Page(HOLIDAYS, title=_("Closed days"), icon=":material/event_busy:"),
            st.Page(HISTORY, title=_("History"), icon=":material/history:"),
            st.Page(AUDIT_TRAIL, title=_("Audit trail"), icon=":material/policy:"),
            st.Page(SYSTEM, title=_("System"), icon=":material/monitor_heart:"),
        ]
    menu[_("My account")] = [
        st.Page(PROFILE, title=_("Profile"), icon=":material/person:"),
        st.Page(SECURITY, title=_("Security"), icon=":material/lock:"),
        *(_about_patient() if actor.role is Role.PATIENT else ()),
    ]
    return menu


def _of_role(actor: Actor) -> list[Page]:
    today = st.Page(TODAY, title=_("Today"), icon=":material/today:", default=LANDING[actor.role] == TODAY)
    week = st.Page(WEEK, title=_("Week"), icon=":material/calendar_view_week:")
    if actor.role is Role.PATIENT:
        return [
            st.Page(FIND_DOCTOR, title=_("Find a doctor"), icon=":material/search:", default=True),
            st.Page(MY_APPOINTMENTS, title=_("My appointments"), icon=":material/event:"),
            st.Page(MY_RECORD, title=_("My record"), icon=":material/clinical_notes:"),
            st.Page(MY_WAITLIST, title=_("Waitlist"), icon=":material/hourglass_top:"),
            st.Page(PAYMENTS, title=_("Payments"), icon=":material/payments:"),
            *_hidden((DOCTOR, PAY, BEFORE_VISIT)),
        ]
    if actor.role is Role.DOCTOR:
        return [
            today,
            week,
            st.Page(PATIENT_RECORD, title=_("Records"), icon=":material/clinical_notes:"),
            st.Page(HOURS, title=_("My hours"), icon=":material/schedule:"),
            st.Page(MY_FIGURES, title=_("My figures"), icon=":material/bar_chart:"),
            st.Page(MY_PROFILE, title=_("My profile"), icon=":material/badge:"),
            *_hidden((VISIT, UNSETTLED)),
        ]
    return [
        st.Page(BOARD, title=_("Board"), icon=":material/view_kanban:", default=True),
        st.Page(BOOK_FOR_PATIENT, title=_("Book for a patient"), icon=":material/event_available:"),
        today,
        week,
        st.Page(WAITLIST, title=_("Waitlist"), icon=":material/hourglass_top:"),
        st.Page(UNSETTLED, title=_("Visits without hours"), icon=":material/event_busy:"),
        st.Page(DOCTOR_HOURS, title=_("Hours"), icon=":material/schedule:"),
        st.Page(INBOX, title=_("Inbox"), icon=":material/inbox:"),
        st.Page(MESSAGE_LOG, title=_("Messages"), icon=":material/sms:"),
        st.Page(TILL, title=_("Till"), icon=":material/point_of_sale:"),
        st.Page(DAY_CLOSE, title=_("Day close"), icon=":material/calculate:"),
        st.Page(COUNTS, title=_("Today's figures"), icon=":material/bar_chart:"),
    ]


def _figures() -> list[Page]:
    overview = st.Page(OVERVIEW, title=_("Overview"), icon=":material/dashboard:")
    others = [st.Page(page, title=_(TITLES[name]), icon=icon) for name, (page, icon) in FIGURES.items()]
    return [overview, *others]


def _about_patient() -> list[Page]:
    return [
        st.Page(NOTIFICATIONS, title=_("Notifications"), icon=":material/notifications:"),
        st.Page(RECORD_ACCESS, title=_("Who opened my record"), icon=":material/visibility:"),
        st.Page(MY_DATA, title=_("My data"), icon=":material/folder_shared:"),
    ]


def _hidden(pages: Iterable[str]) -> list[Page]:
    return [st.Page(page, visibility="hidden") for page in pages]
