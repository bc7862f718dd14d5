"""A payment on the screen: what became of it, and the link by which it is made."""

import streamlit as st

from core import attempts, checkouts
from core.attempts import Progress
from core.i18n import N_, _
from core.payments import UNSETTLED
from core.terms import SMALLEST_ONLINE_MINOR
from db.models import Appointment, AppointmentStatus, Payment, PaymentState
from db.models.appointments import LIVE_STATUSES
from pages.ui.actions import perform
from pages.ui.money import shown
from pages.ui.navigation import FIND_DOCTOR
from pages.ui.refusals import reading
from pages.ui.sessions import acting

SECONDS = 3  # between two looks at an attempt that is open


def what_became(visit: Appointment, stands: Progress, currency: str) -> None:
    """Say how it stands with the visit and its payment, and offer what can be done next."""
    attempt = stands.attempt
    state = attempt.state if attempt else None
    if attempt is not None and state is PaymentState.PAID:
        _say_paid(visit, attempt)
    elif visit.status is AppointmentStatus.EXPIRED:
        st.warning(
            _("The time was held for you for a while and is free again now. Nothing was paid."),
            icon=":material/event_busy:",
        )
        st.page_link(FIND_DOCTOR, label=_("Find a doctor"), icon=":material/search:")
    elif attempt is not None and state is PaymentState.OPEN:
        _offer_link(attempt)
    elif state is PaymentState.CLOSING:
        st.info(
            _("This attempt to pay is being closed. You need not do anything."), icon=":material/hourglass:"
        )
    elif attempt is not None and stands.left_minor:
        st.info(_("Nothing was paid last time."), icon=":material/info:")
    elif not stands.left_minor:
        st.info(_("There is nothing to pay for this visit."), icon=":material/info:")
    if state not in UNSETTLED and stands.left_minor:
        _offer_to_begin(visit, stands.left_minor, currency)


def _offer_to_begin(visit: Appointment, left_minor: int, currency: str) -> None:
    """What is left can be paid now, or at the desk."""
    if visit.hold_expires_at is None:
        left = _("{amount} is left to pay: online, or at the desk.")
        st.markdown(left.format(amount=shown(left_minor, currency)))
    if left_minor >= SMALLEST_ONLINE_MINOR:
        st.button(
            _("Pay online"),
            type="primary",
            icon=":material/credit_card:",
            on_click=begin,
            args=(visit.id,),
            key="pay_begin",
            width="stretch",
        )


def begin(visit_id: int) -> None:
    """Begin to pay for a visit; the page then leads to the processor."""
    perform(attempts.begin, appointment_id=visit_id, done=N_("You can pay now."))


def _say_paid(visit: Appointment, attempt: Payment) -> None:
    amount = shown(attempt.amount_minor, attempt.currency)
    if visit.status in LIVE_STATUSES:
        st.success(
            _("{amount} is paid. Your appointment is confirmed.").format(amount=amount),
            icon=":material/check_circle:",
        )
    elif visit.status is AppointmentStatus.CANCELLED:
        st.info(
            _(
                "{amount} was paid. The appointment is cancelled: what of it is yours goes back to your card."
            ).format(amount=amount),
            icon=":material/undo:",
        )
    else:
        st.warning(
            _(
                "{amount} was paid when the time was no longer kept for you, and it is somebody else's now. "
                "All of it goes back to your card; that can take some days."
            ).format(amount=amount),
            icon=":material/undo:",
        )


def _offer_link(attempt: Payment) -> None:
    amount = shown(attempt.amount_minor, attempt.currency)
    if attempt.checkout_url is None:
        st.warning(
            _("The payment page does not answer at the moment. Please leave this page open: we keep trying."),
            icon=":material/cloud_off:",
        )
        return
    st.link_button(
        _("Pay {amount}").format(amount=amount),
        attempt.checkout_url,
        type="primary",
        icon=":material/credit_card:",
        width="stretch",
    )
    st.caption(
        _(
            "It opens in a new tab, on the pages of our card processor, Stripe. Your card's number never "
            "reaches the clinic. This page follows by itself."
        )
    )


def follow(visit: Appointment, stands: Progress) -> None:
    """Look again every few seconds while an attempt is open, and draw the page anew when that has changed.

    The processor is asked as often as the jobs would, however many such pages are open: it allows some
    twenty-five questions a second. Who comes back from it has asked at once, and here that is seen.
    """
    attempt = stands.attempt
    if attempt is None or attempt.state not in UNSETTLED:
        return

    @st.fragment(run_every=SECONDS)
    def look() -> None:
        checkouts.advance(attempt.id, only_when_due=True)
        with reading() as session:
            actor = acting(session)
            if actor is None:
                return
            now = attempts.progress(session, actor, appointment_id=visit.id)
        seen = (stands.status, attempt.id, attempt.state, attempt.checkout_url)
        if now.attempt is None or seen != (
            now.status,
            now.attempt.id,
            now.attempt.state,
            now.attempt.checkout_url,
        ):
            st.rerun()

    look()
