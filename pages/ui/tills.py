"""What the desk does about the money of a visit: take it, invoice it, give it back."""

from uuid import UUID

import streamlit as st

from core import payouts, tills
from core.appointment_events import REASON_LENGTH
from core.documents import METHOD
from core.i18n import N_, _, money
from core.statements import Statement
from db.models import AppointmentStatus, Payment, PaymentMethod
from pages.ui.actions import form_key, perform, say
from pages.ui.choices import choice
from pages.ui.money import amount_field, typed_minor


def _take(visit_id: int, method: PaymentMethod, field: str, currency: str, key: UUID) -> None:
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
        say(_("Taken: {amount}.").format(amount=money(taken.amount_minor, taken.currency)))


def _invoice(visit_id: int) -> None:
    perform(tills.invoice, appointment_id=visit_id, done=N_("Invoice written. It can be paid later."))


def _give(visit_id: int, only_payment_id: int, currency: str, key: UUID) -> None:
    given = perform(
        payouts.pay_back,
        payment_id=st.session_state.get(f"till_give_payment_{visit_id}") or only_payment_id,
        amount_minor=typed_minor(f"till_give_amount_{visit_id}", currency) or 0,
        reason=st.session_state.get(f"till_give_reason_{visit_id}") or "",
        request_key=key,
        done=N_("Paid back."),
        form=f"till_give_{visit_id}",
        clear=[f"till_give_amount_{visit_id}", f"till_give_reason_{visit_id}"],
    )
    if given is not None:
        said = (
            _("{amount} goes back to the card.") if given.handed_over_by_id is None else _("Given: {amount}.")
        )
        say(said.format(amount=money(given.amount_minor, currency)))


def take_panel(statement: Statement, currency: str) -> None:
    """A form to take what is owed for a visit or a part of it, and to put it on an invoice instead."""
    visit, owed = statement.visit, statement.owed_minor
    field = f"till_take_{visit.id}_{owed}"
    with st.form(f"{field}_form", border=False, enter_to_submit=False):
        amount_field(_("Amount"), currency, key=field, value_minor=owed)
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
                    args=(visit.id, method, field, currency, form_key(f"till_take_{visit.id}")),
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
