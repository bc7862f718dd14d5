"""What the desk does about the money of a visit: take it, ask for it, invoice it, give it back."""

from datetime import tzinfo
from uuid import UUID

import streamlit as st

from core import desk_messages, payouts, tills
from core.appointment_events import REASON_LENGTH
from core.documents import METHOD
from core.i18n import N_, _, day_and_time, money
from core.phones import shown
from core.statements import Statement
from db.models import AppointmentStatus, Channel, Payment, PaymentMethod
from pages.ui.actions import form_key, perform, say
from pages.ui.choices import choice
from pages.ui.money import amount_field, typed_minor

OPEN = "till_open"  # the visit for which money is being taken: one at a time, since cards move when it is


def _take(visit_id: int, named: str, method: PaymentMethod, field: str, currency: str, key: UUID) -> None:
    taken = perform(
        tills.take,
        appointment_id=visit_id,
        method=method,
        amount_minor=typed_minor(field, currency) or 0,
        request_key=key,
        done=N_("Payment taken."),
        form=f"till_take_{visit_id}",
    )
    if taken is not None:
        st.session_state[OPEN] = None
        said = _("Taken: {amount}, for {visit}.")
        say(said.format(amount=money(taken.amount_minor, taken.currency), visit=named))


def _invoice(visit_id: int) -> None:
    perform(tills.invoice, appointment_id=visit_id, done=N_("Invoice written. It can be paid later."))


def _give(visit_id: int, only_payment_id: int, currency: str, key: UUID) -> None:
    given = perform(
        payouts.pay_back,
        payment_id=st.session_state.get(f"till_give_payment_{visit_id}") or only_payment_id,
        amount_minor=typed_minor(f"till_give_amount_{visit_id}", currency) or 0,
        reason=st.session_state.get(f"till_give_reason_{visit_id}") or "",
        is_still_owed=bool(st.session_state.get(f"till_give_mistake_{visit_id}")),
        request_key=key,
        done=N_("Paid back."),
        form=f"till_give_{visit_id}",
        clear=[f"till_give_{field}_{visit_id}" for field in ("amount", "reason", "mistake")],
    )
    if given is not None:
        said = (
            _("{amount} goes back to the card.") if given.handed_over_by_id is None else _("Given: {amount}.")
        )
        say(said.format(amount=money(given.amount_minor, currency)))


def take_panel(statement: Statement, currency: str, zone: tzinfo) -> None:
    """Take what is owed for a visit: a button that opens a form, so that no stray click takes money."""
    visit_id = statement.visit.id
    if st.session_state.get(OPEN) == visit_id:
        _take_form(statement, currency, zone)
    else:
        with st.container(horizontal=True):
            st.button(
                _("Take payment"),
                icon=":material/point_of_sale:",
                type="primary",
                on_click=st.session_state.update,
                args=({OPEN: visit_id},),
                key=f"till_open_{visit_id}",
            )
            st.button(
                _("Send a link to pay online"),
                icon=":material/send:",
                on_click=_send_link,
                args=(visit_id, currency, form_key(f"till_link_{visit_id}")),
                key=f"till_link_{visit_id}",
            )


def _send_link(visit_id: int, currency: str, key: UUID) -> None:
    """Say what is sent to whom: the desk can tell the person who stands there."""
    asked = perform(
        desk_messages.send_payment_link,
        appointment_id=visit_id,
        request_key=key,
        done="",
        form=f"till_link_{visit_id}",
    )
    if asked is not None:
        is_text = asked.channel is Channel.SMS
        said = (
            _("A link to pay {amount} goes to {name}, by text to {place}.")
            if is_text
            else _("A link to pay {amount} goes to {name}, by email to {place}.")
        )
        place = shown(asked.sent_to) if is_text else asked.sent_to
        say(said.format(amount=money(asked.amount_minor, currency), name=asked.name, place=place))


def _take_form(statement: Statement, currency: str, zone: tzinfo) -> None:
    """All of it or a part, in cash or by card, or on an invoice to be paid later."""
    visit, owed = statement.visit, statement.owed_minor
    named = f"{visit.service.name}, {day_and_time(visit.starts_at, zone)}"
    field = f"till_take_{visit.id}_{owed}"
    with st.form(f"{field}_form", border=False, enter_to_submit=False):
        amount_field(_("Amount"), currency, key=field, value_minor=owed, is_clearable=True)
        with st.container(horizontal=True):
            for method, label, icon in (
                (PaymentMethod.CASH, _("Taken in cash"), "payments"),
                (PaymentMethod.TERMINAL, _("Taken by card"), "credit_card"),
            ):
                st.form_submit_button(
                    label,
                    icon=f":material/{icon}:",
                    type="primary",
                    on_click=_take,
                    args=(visit.id, named, method, field, currency, form_key(f"till_take_{visit.id}")),
                    key=f"till_take_{method}_{visit.id}",
                )
            if not statement.standing.was_invoiced and visit.status is not AppointmentStatus.PENDING:
                st.form_submit_button(
                    _("Invoice, to be paid later"),
                    icon=":material/description:",
                    on_click=_invoice,
                    args=(visit.id,),
                    key=f"till_invoice_{visit.id}",
                )


def give_panel(statement: Statement, currency: str) -> None:
    """A form, folded away, to pay back what is left of a payment; nothing where nothing is."""
    visit_id = statement.visit.id
    named = {
        each.id: _payment(each, statement.refundable_minor(each))
        for each in statement.payments
        if statement.refundable_minor(each)
    }
    if not named:
        return
    is_begun = bool(st.session_state.get(f"till_give_reason_{visit_id}"))
    with (
        st.expander(_("Pay back"), icon=":material/undo:", expanded=is_begun),
        st.form(f"till_give_form_{visit_id}", border=False, enter_to_submit=False),
    ):
        choice(_("Of which payment"), named, key=f"till_give_payment_{visit_id}")
        amount_field(_("Amount"), currency, key=f"till_give_amount_{visit_id}")
        st.text_input(_("Reason"), max_chars=REASON_LENGTH, key=f"till_give_reason_{visit_id}")
        st.checkbox(
            _("It was taken by mistake: the visit is still to be paid for"),
            key=f"till_give_mistake_{visit_id}",
        )
        st.form_submit_button(
            _("Pay back"),
            on_click=_give,
            args=(visit_id, next(iter(named)), currency, form_key(f"till_give_{visit_id}")),
            key=f"till_give_submit_{visit_id}",
        )


def _payment(payment: Payment, left_minor: int) -> str:
    return _("{method}: {amount}, of which {left} can be paid back").format(
        method=_(METHOD[payment.method]),
        amount=money(payment.amount_minor, payment.currency),
        left=money(left_minor, payment.currency),
    )
