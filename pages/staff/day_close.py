"""Day close: what one has taken and given since the last time, counted and closed."""

from uuid import UUID

import streamlit as st

from core import clinics, till_closings
from core.appointment_events import REASON_LENGTH
from core.i18n import N_, _, day_and_time
from db.models import PaymentMethod, Role
from pages.ui import form_key, perform, plain, reading, require
from pages.ui.closings import closings_table, entries_table
from pages.ui.money import amount_field, shown, typed_minor

actor = require(Role.STAFF, Role.ADMIN)

FIELDS = ("close_counted", "close_terminal", "close_left", "close_note")


def close(currency: str, key: UUID) -> None:
    perform(
        till_closings.close,
        counted_minor=typed_minor("close_counted", currency),
        terminal_counted_minor=typed_minor("close_terminal", currency),
        left_minor=typed_minor("close_left", currency),
        note=st.session_state.get("close_note") or "",
        request_key=key,
        done=N_("The till is closed."),
        form="close",
        clear=FIELDS,
    )


with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    till = till_closings.open_till(session, actor)
    closings = till_closings.closings(session, actor)
currency = clinic.currency

st.title(_("Day close"))
if till.since is None:
    st.caption(_("Your till has not been closed before."))
else:
    since = _("Your till since {time}").format(time=day_and_time(till.since, zone))
    st.caption(plain(since))
cash, terminal = st.columns(2)
for column, label, minor, method in (
    (cash, _("Cash that should be in the drawer"), till.expected_minor, PaymentMethod.CASH),
    (terminal, _("Total of the card terminal"), till.terminal_minor, PaymentMethod.TERMINAL),
):
    column.metric(label, shown(minor, currency), border=True)
    said = _("Taken {taken}, given back {given}").format(
        taken=shown(till.taken(method), currency), given=shown(till.given(method), currency)
    )
    column.caption(said)
if till.opening_minor:
    cash.caption(_("Left in it last time: {amount}").format(amount=shown(till.opening_minor, currency)))

with st.form("close", enter_to_submit=False):
    amount_field(_("Cash counted"), currency, key="close_counted")
    amount_field(_("Total on the terminal's slip"), currency, key="close_terminal")
    amount_field(_("Cash that stays in the drawer"), currency, key="close_left")
    st.text_input(
        _("Note"),
        placeholder=_("Needed where what was counted differs"),
        max_chars=REASON_LENGTH,
        key="close_note",
    )
    st.form_submit_button(
        _("Close the till"),
        type="primary",
        on_click=close,
        args=(currency, form_key("close")),
        key="close_submit",
    )

st.header(_("In this till"))
entries_table(till.entries, zone)
st.header(_("Tills closed before"))
closings_table(closings, zone)
