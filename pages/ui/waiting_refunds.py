"""Refunds that wait for the desk: to be handed over, or for another way since they have failed."""

import streamlit as st

from core import payouts, waiting_refunds
from core.access import Actor
from core.documents import METHOD
from core.i18n import N_, _, ngettext
from db.models import PaymentMethod, Refund
from pages.ui.actions import perform
from pages.ui.found import named
from pages.ui.money import shown
from pages.ui.refusals import reading
from pages.ui.words import plain


def show_waiting(actor: Actor) -> None:
    """Both kinds, each folded away under how many there are; nothing where nothing waits."""
    with reading() as session:
        failed = waiting_refunds.unresolved(session, actor)
        to_hand_over = waiting_refunds.to_hand_over(session, actor)
    if failed:
        told = ngettext("{count} refund has failed", "{count} refunds have failed", len(failed))
        with st.expander(told.format(count=len(failed)), icon=":material/error:"):
            st.caption(_("The card processor could not pay these back. Choose another way for each."))
            for refund in failed:
                _row(refund, plain((refund.failure or "").replace("_", " ")))
                _ways(refund)
    if to_hand_over:
        told = ngettext(
            "{count} refund to hand over", "{count} refunds to hand over", len(to_hand_over)
        ).format(count=len(to_hand_over))
        with st.expander(told, icon=":material/payments:"):
            for refund in to_hand_over:
                _row(refund, _(METHOD[refund.method]))
                st.button(
                    _("Handed over"),
                    on_click=_hand_over,
                    args=(refund.id, refund.payment.appointment.patient.name),
                    key=f"refunds_hand_over_{refund.id}",
                )


def _row(refund: Refund, more: str) -> None:
    patient, amount = refund.payment.appointment.patient, shown(refund.amount_minor, refund.payment.currency)
    st.markdown(f"{named(patient.name, patient.birth_on)} · **{amount}** · {more}")


def _ways(refund: Refund) -> None:
    """The ways by which a refund that failed can still be made."""
    ways = {PaymentMethod.CASH: _("In cash"), PaymentMethod.TERMINAL: _("By the card terminal")}
    if refund.payment.method is PaymentMethod.ONLINE:
        ways[PaymentMethod.ONLINE] = _("Online once more")
    with st.container(horizontal=True):
        for method, label in ways.items():
            st.button(
                label,
                on_click=_resolve,
                args=(refund.id, method),
                key=f"refunds_{method}_{refund.id}",
            )


def _resolve(refund_id: int, method: PaymentMethod) -> None:
    perform(
        payouts.resolve,
        refund_id=refund_id,
        method=method,
        done=N_("Noted. If it is given out at the desk, it is now among the refunds to hand over."),
    )


def _hand_over(refund_id: int, name: str) -> None:
    perform(payouts.hand_over, refund_id=refund_id, done=N_("Handed over to {about}."), about=name)
