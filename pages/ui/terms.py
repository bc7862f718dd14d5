"""The terms of a booking on the screen, before somebody agrees to them, and where they lead after that."""

from datetime import datetime, tzinfo

import streamlit as st

from core import clock, payments, wordings
from core.i18n import N_, _, money, span
from core.terms import Terms
from db.models import Appointment, AppointmentStatus
from pages.ui.actions import Place
from pages.ui.navigation import MY_APPOINTMENTS, PAY
from pages.ui.words import plain

_MINUTE = 60


def show_terms(agreed: Terms, starts_at: datetime, zone: tzinfo, currency: str) -> None:
    """What a visit costs, what of it is due and why, how long its time is held, and what cancelling costs."""
    st.markdown(plain(wordings.to_pay(agreed, currency)))
    if agreed.due_minor:
        minutes = int(payments.CHECKOUT_LASTS.total_seconds()) // _MINUTE
        held = _("The time is held for you for {span} while you pay; it is yours once it is paid.")
        st.markdown(plain(held.format(span=span(minutes))))
    st.caption(plain(wordings.cancelling(agreed, starts_at, clock.now(), zone, currency)))


def book_label(agreed: Terms, currency: str) -> str:
    """What the button says: what pressing it costs now."""
    if not agreed.due_minor:
        return _("Book this time")
    return plain(_("Book and pay {due}").format(due=money(agreed.due_minor, currency)))


def booked_words(agreed: Terms, *, is_asked: bool) -> str:
    """What is said once it is booked, marked for translation: nothing where it has to be paid first."""
    if agreed.due_minor:
        return ""
    if is_asked:
        return N_(
            "Your appointment is booked. Please answer the questions before the visit: they are with it."
        )
    return N_("Your appointment is booked.")


def where_next(visit: Appointment) -> Place:
    """To the payment of a visit that waits for it, else to all visits."""
    return pay_place(visit) if visit.status is AppointmentStatus.PENDING else Place(MY_APPOINTMENTS)


def pay_place(visit: Appointment) -> Place:
    """The page on which a visit is paid for."""
    return Place(PAY, {"visit": str(visit.id)})
