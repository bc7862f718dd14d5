"""A visit on the screen, with what may be done about it: move, cancel, add to a calendar."""

from datetime import datetime, timedelta, tzinfo
from uuid import UUID

import streamlit as st

from core import appointments, availability, cancellations, clock, terms, wordings
from core.access import Actor
from core.cancellations import Outcome
from core.i18n import N_, _, clock_time, dated, full_time
from core.phones import shown
from db.config import config
from db.models import Appointment, AppointmentStatus, ClinicSettings, PaymentStatus
from pages.ui.actions import form_key, perform
from pages.ui.messages import visit_messages
from pages.ui.refusals import reading
from pages.ui.series import cancel_following, following_choice, move_following
from pages.ui.sessions import has_cookie
from pages.ui.slots import pick_time
from pages.ui.terms import pay_place
from pages.ui.words import plain, visit_badge

OUR_REASONS = (N_("The doctor is not there"), N_("Booked by mistake"))  # for which nobody should pay
DESK_REASONS = (N_("The patient asked"), *OUR_REASONS)
REASONS = (
    N_("I am not free then"),
    N_("I am better"),
    N_("I have found another time or doctor"),
    N_("Another reason"),
)


def visit_card(visit: Appointment, zone: tzinfo, *, with_patient: bool) -> None:
    """Who, what, when and where, in a few lines."""
    starts = visit.starts_at.astimezone(zone)
    st.markdown(
        f"**{dated(starts.date())}, {clock_time(visit.starts_at, zone)}–{clock_time(visit.ends_at, zone)}** "
        f"{visit_badge(visit)}  \n{plain(visit.service.name)} · {plain(visit.doctor.user.name)}"
        + (f" · {plain(visit.patient.name)}" if with_patient else "")
    )
    place = visit.location.name if visit.room is None else f"{visit.location.name}, {visit.room.name}"
    st.caption(_("Video visit") if visit.service.is_video else plain(f"{place}, {visit.location.address}"))
    if visit.attending_at is not None and visit.status is AppointmentStatus.CONFIRMED:
        st.caption(f":material/check: {_('Attendance confirmed.')}")
    if visit.hold_expires_at is not None:
        held = (
            _("Offered until {time}.")
            if visit.is_offered
            else _("Held until {time}: it is yours once it is paid.")
        )
        st.caption(plain(held.format(time=clock_time(visit.hold_expires_at, zone))))


def visit_actions(visit: Appointment, actor: Actor, clinic: ClinicSettings, zone: tzinfo) -> None:
    """The buttons of a visit that can still change, and the panel that one of them opened."""
    is_over = visit.status not in appointments.CHANGEABLE or visit.starts_at <= clock.now()
    if is_over or visit.is_offered:
        return
    is_late = terms.is_late(visit, clock.now())
    if is_late and not actor.is_desk:
        st.caption(
            _("Less than {hours} hours ahead: to move it, please call {phone}.").format(
                hours=visit.cancellation_hours, phone=shown(clinic.phone)
            )
        )
    with st.container(horizontal=True):
        if not actor.is_desk:
            _pay_button(visit)
        for panel, label, icon in (
            ("move", _("Move"), "event_repeat"),
            ("cancel", _("Cancel"), "event_busy"),
        ):
            if panel == "cancel" or not is_late or actor.is_desk:
                st.button(
                    label,
                    icon=f":material/{icon}:",
                    key=f"visits_{panel}_{visit.id}",
                    on_click=_toggle,
                    args=((panel, visit.id),),
                )
        if has_cookie():
            st.link_button(
                _("Add to calendar"), f"/files/appointments/{visit.id}.ics", icon=":material/calendar_add_on:"
            )
    if actor.is_desk:
        visit_messages(actor, visit.id, zone)
    open_panel = st.session_state.get("visits_open")
    if open_panel == ("move", visit.id):
        _move_panel(visit, actor, clinic.currency, zone, is_late=is_late)
    elif open_panel == ("cancel", visit.id):
        _cancel_panel(visit, actor, clinic.currency)


def _pay_button(visit: Appointment) -> None:
    """To the payment of a visit that waits for it, or that may be paid before it as well."""
    is_held = visit.hold_expires_at is not None and visit.hold_expires_at > clock.now()
    is_unpaid = visit.payment_status in {PaymentStatus.UNPAID, PaymentStatus.PARTLY_PAID}
    may_pay = visit.status is AppointmentStatus.CONFIRMED and is_unpaid
    if not config().takes_cards_online or not (
        is_held or (may_pay and visit.price_minor >= terms.SMALLEST_ONLINE_MINOR)
    ):
        return
    if st.button(
        _("Pay now") if is_held else _("Pay online"),
        icon=":material/credit_card:",
        type="primary" if is_held else "secondary",
        key=f"visits_pay_{visit.id}",
    ):
        place = pay_place(visit)
        st.switch_page(place.page, query_params=dict(place.query))


def _toggle(panel: tuple[str, int]) -> None:
    is_open = st.session_state.get("visits_open") == panel
    st.session_state["visits_open"] = None if is_open else panel


def _move(
    visit_id: int, doctor_id: int, starts_at: datetime, key: UUID, waive: bool, with_following: bool
) -> None:
    if with_following:
        if move_following(visit_id, starts_at, key):
            st.session_state["visits_open"] = None
    elif perform(
        appointments.reschedule,
        appointment_id=visit_id,
        doctor_id=doctor_id,
        starts_at=starts_at,
        waive_policy=waive,
        request_key=key,
        done=N_("Moved."),
        form=f"move_{visit_id}",
        picker=f"move_{visit_id}",
    ):
        st.session_state["visits_open"] = None


def _cancel(visit_id: int, key: UUID, waive: bool, seen: Outcome, with_following: bool) -> None:
    reason = st.session_state.get(f"cancel_reason_{visit_id}") or ""
    if with_following:
        if cancel_following(visit_id, reason, key, waive):
            st.session_state["visits_open"] = None
    elif perform(
        appointments.cancel,
        appointment_id=visit_id,
        reason=reason,
        waive_policy=waive,
        seen=seen,
        request_key=key,
        done=N_("Cancelled. The time is free for somebody else now."),
        form=f"cancel_{visit_id}",
    ):
        st.session_state["visits_open"] = None


def _move_panel(visit: Appointment, actor: Actor, currency: str, zone: tzinfo, *, is_late: bool) -> None:
    with reading() as session:
        free = availability.all_free(
            session,
            doctor_id=visit.doctor_id,
            service_id=visit.service_id,
            by_staff=actor.is_desk,
            ignoring=visit.id,
        )
    picker = f"move_{visit.id}"
    start = pick_time(picker, [at for at in free if at != visit.starts_at], zone)
    with_following = following_choice(visit, actor, "move")
    waive = is_late and st.checkbox(
        _("Waive the cancellation window for this visit"), key=f"move_waive_{visit.id}"
    )
    hours = timedelta(hours=visit.cancellation_hours)
    if start is not None and not actor.is_desk and start - clock.now() < hours:
        st.caption(plain(wordings.moving_late(visit, currency)))
    label = (
        _("Choose a new time") if start is None else _("Move to {time}").format(time=full_time(start, zone))
    )
    st.button(
        label,
        type="primary",
        disabled=start is None,
        on_click=_move,
        args=(visit.id, visit.doctor_id, start, form_key(picker), waive, with_following),
        key=f"move_submit_{visit.id}",
        width="stretch",
    )


def _cancel_panel(visit: Appointment, actor: Actor, currency: str) -> None:
    st.selectbox(
        _("Why?"),
        [_(reason) for reason in (DESK_REASONS if actor.is_desk else REASONS)],
        index=None,
        placeholder=_("Choose or write a reason"),
        accept_new_options=True,
        on_change=_suggest_waiver,
        args=(visit.id, [_(reason) for reason in OUR_REASONS]),
        key=f"cancel_reason_{visit.id}",
    )
    with_following = following_choice(visit, actor, "cancel")
    waive, seen = _what_it_costs(visit, actor)
    if with_following:
        st.caption(_("What is kept and paid back is worked out in the same way for each of them."))
    st.markdown(plain(wordings.outcome(seen, currency)))
    st.button(
        _("Cancel this visit"),
        type="primary",
        on_click=_cancel,
        args=(visit.id, form_key(f"cancel_{visit.id}"), waive, seen, with_following),
        key=f"cancel_submit_{visit.id}",
        width="stretch",
    )


def _suggest_waiver(visit_id: int, our_reasons: list[str]) -> None:
    """Tick or untick that nothing is asked: the desk may still choose otherwise."""
    reason = st.session_state.get(f"cancel_reason_{visit_id}")
    st.session_state[f"cancel_waive_{visit_id}"] = reason in our_reasons


def _what_it_costs(visit: Appointment, actor: Actor) -> tuple[bool, Outcome]:
    """What cancelling comes to, and whether the desk chooses to ask nothing: only where something is kept."""
    with reading() as session:
        costs = cancellations.expected(session, actor, appointment_id=visit.id)
        for_nothing = cancellations.expected(session, actor, appointment_id=visit.id, is_waived=True)
    waive = bool(costs.kept_minor and actor.is_desk) and st.checkbox(
        _("Ask nothing for it, and give back all that was paid"), key=f"cancel_waive_{visit.id}"
    )
    return waive, for_nothing if waive else costs
