"""The money of a visit on the screen: what it comes to, in one line, and its documents."""

from datetime import tzinfo

import streamlit as st

from core.i18n import _
from core.statements import Statement
from pages.ui.money import document_links, shown
from pages.ui.visits import visit_card


def statement_head(statement: Statement, currency: str, zone: tzinfo, *, with_patient: bool) -> None:
    """The visit, what became of its money, and its documents."""
    visit_card(statement.visit, zone, with_patient=with_patient)
    settled = "" if statement.owed_minor or statement.going_back_minor else f" :green-badge[{_('Settled')}]"
    st.markdown(" · ".join(_sums(statement, currency)) + settled)
    document_links(statement.entries)


def _sums(statement: Statement, currency: str) -> list[str]:
    money = statement.standing
    whole = money.invoiced_minor if money.was_invoiced else statement.visit.price_minor
    label = _("Invoiced {amount}") if money.was_invoiced else _("Price {amount}")
    sums = [label.format(amount=shown(whole, currency))]
    for minor, words in (
        (money.paid_minor, _("Paid {amount}")),
        (money.refunded_minor, _("Paid back {amount}")),
        (statement.going_back_minor, _("Going back {amount}")),
    ):
        if minor:
            sums.append(words.format(amount=shown(minor, currency)))
    if statement.owed_minor:
        sums.append(_("**To pay {amount}**").format(amount=shown(statement.owed_minor, currency)))
    return sums
