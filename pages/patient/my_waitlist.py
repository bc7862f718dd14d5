"""Waitlist: what is offered right now, what one waits for, what became of the rest, and a new wish."""

import streamlit as st

from core import agendas, clinics, patients, waitlist_endings, waitlists
from core.i18n import _, span
from db.models import Role
from pages.ui import reading, require
from pages.ui.waitlist_endings import show_ended
from pages.ui.waitlists import show_line, show_offers
from pages.ui.wishes import wish_form

actor = require(Role.PATIENT)

with reading() as session:
    clinic, zone = clinics.settings(session), clinics.zone(session)
    family = {each.id: each.name for each in patients.own(session, actor)}
    lines = waitlists.own(session, actor, patient_ids=actor.patient_ids)
    coming = agendas.upcoming(session, actor, patient_ids=actor.patient_ids)
    ended = waitlist_endings.own(
        session, actor, patient_ids=actor.patient_ids, limit=waitlist_endings.MOST + 1
    )

st.title(_("Waitlist"))
if not family:
    st.info(_("There is no patient with this account yet. Please call reception."))
    st.stop()
show_offers(actor, lines, coming, clinic, zone)
if not lines:
    st.info(
        _("Nothing is wished for yet. Tell us when you could come, and we offer you what becomes free."),
        icon=":material/hourglass_empty:",
    )
for line in lines:
    show_line(actor, line, with_patient=len(family) > 1)
if ended:
    with st.expander(_("Wishes that have ended"), icon=":material/history:"):
        show_ended(actor, ended, zone, with_patient=len(family) > 1)

st.header(_("A new wish"))
st.caption(
    _(
        "The first in line is offered a time that becomes free, by a message and here. It is held for "
        "{span}: say yes, and it is yours. Otherwise the next one is asked, and you stay on the list. Where "
        "something is to be paid first, it goes to the next one too if that is not done in time."
    ).format(span=span(clinic.waitlist_offer_minutes))
)
patient_id = next(iter(family))
if len(family) > 1:
    chosen = st.segmented_control(
        _("For whom?"),
        list(family),
        format_func=lambda number: family.get(number, ""),
        default=patient_id,
        required=True,
        key="wish_patient",
    )
    patient_id = chosen if chosen in family else patient_id
wish_form(actor, patient_id=patient_id, form="wish")
