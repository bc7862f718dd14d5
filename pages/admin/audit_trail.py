"""Audit trail: emergency access to review, who did or read what, and whether the trail is whole."""

from urllib.parse import urlencode

import streamlit as st

from core import clinics, emergencies, trails
from core.emergencies import Emergency
from core.i18n import N_, _, clock_time, ngettext, short_date
from core.trails import Wanted
from db.models import Outcome, Role
from pages.ui import perform, plain, reading, require
from pages.ui.sessions import has_cookie
from pages.ui.trail import OUTCOME, done_words, trail_table

actor = require(Role.ADMIN)


def review(access_id: int) -> None:
    perform(emergencies.review, access_id=access_id, done=N_("Reviewed."))


def turn(to: int) -> None:
    st.session_state["audit_page"] = to


def show_emergency(each: Emergency) -> None:
    on = each.opened_at.astimezone(zone).date()
    with st.container(border=True):
        what, button = st.columns([5, 1], vertical_alignment="center")
        what.markdown(
            f"**{plain(each.doctor)}** → **{plain(each.patient)}**  \n"
            f":gray[{short_date(on)}, {clock_time(each.opened_at, zone)}]  \n{plain(each.reason)}"
        )
        button.button(
            _("Reviewed"),
            on_click=review,
            args=(each.access_id,),
            key=f"audit_review_{each.access_id}",
            width="stretch",
        )


def asked() -> Wanted:
    """What the filters ask for; names become numbers here."""
    first, second, third = st.columns(3)
    anew = {"on_change": turn, "args": (0,)}
    by = first.text_input(_("Who"), max_chars=100, placeholder=_("Anybody"), key="audit_who", **anew)
    whose = second.text_input(_("Patient"), max_chars=100, placeholder=_("Any"), key="audit_patient", **anew)
    any_action = {"index": None, "placeholder": _("Anything"), "key": "audit_action"} | anew
    action = third.selectbox(_("What"), trails.ACTIONS, format_func=done_words, **any_action)
    any_outcome = {"index": None, "placeholder": _("Any"), "key": "audit_outcome"} | anew
    first, second, third = st.columns(3)  # a row of its own: on a phone the days stay beside each other
    outcome = first.selectbox(
        _("Outcome"), list(Outcome), format_func=lambda each: _(OUTCOME[each]), **any_outcome
    )
    any_day = {"value": None, "format": "YYYY-MM-DD"} | anew
    from_on = second.date_input(_("From"), key="audit_from", **any_day)
    until_on = third.date_input(_("Until"), key="audit_until", **any_day)
    with reading() as session:
        user_ids = tuple(trails.people_named(session, actor, text=by)) if by else None
        patient_ids = tuple(trails.patients_named(session, actor, text=whose)) if whose else None
    return Wanted(user_ids, patient_ids, action, outcome, from_on, until_on)


st.title(_("Audit trail"))
with reading() as session:
    zone = clinics.zone(session)
    count = emergencies.unreviewed(session, actor)
    waiting = emergencies.emergency_accesses(session, actor)
if count:
    to_review = ngettext("{count} emergency access to review", "{count} emergency accesses to review", count)
    st.header(to_review.format(count=count))
for each in waiting:
    show_emergency(each)

st.header(_("Who did what"))
wanted = asked()
at = st.session_state.setdefault("audit_page", 0)
with reading() as session:
    lines, has_more = trails.search(session, actor, wanted, page=at)
if lines:
    trail_table(lines, zone)
else:
    st.info(_("No entry fits that."))
with st.container(horizontal=True, vertical_alignment="center"):
    st.button(_("Newer"), on_click=turn, args=(at - 1,), disabled=at == 0, key="audit_newer")
    st.button(_("Older"), on_click=turn, args=(at + 1,), disabled=not has_more, key="audit_older")
    if has_cookie():
        address = f"/files/audit.csv?{urlencode(trails.as_query(wanted))}"
        st.link_button(_("Download as CSV"), address, icon=":material/download:")
        st.caption(_("At most {count} entries.").format(count=f"{trails.EXPORTED:,}"), width="content")

st.header(_("Is the trail whole?"))
if st.button(_("Check every entry"), icon=":material/fact_check:", key="audit_check"):
    with reading() as session:
        faults = trails.check(session, actor)
    if faults:
        st.error("\n".join(f"- {plain(fault)}" for fault in faults), icon=":material/error:")
    else:
        st.success(_("Every entry is as it was written, and none is missing."))
