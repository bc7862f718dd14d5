"""The whole history as one PDF: a period, and the sections of the record that go into it."""

from datetime import date
from typing import Any

import streamlit as st

from core import history_choices, history_reports
from core.access import Actor
from core.errors import ClinicError
from core.history_choices import SECTIONS, Choices
from core.i18n import _, percent
from core.printouts import HISTORIES
from core.records import Record
from pages.ui.actions import perform
from pages.ui.downloads import download, say_if_none
from pages.ui.sessions import has_cookie

_SECONDS = 0.5


def history_report(actor: Actor, record: Record, today: date, *, is_long: bool) -> None:
    """Choose what goes into the report, and get it; what cannot be is said instead of the link.

    One that `is_long` is prepared first, and the page shows how far it is.
    """
    with st.expander(_("Download the history as PDF"), icon=":material/picture_as_pdf:"):
        try:
            choices = _chosen(record, today)
        except ClinicError as impossible:
            st.warning(str(impossible))
            return
        if is_long and has_cookie():
            _prepared(actor, record.patient_id, choices)
        else:
            _link(record.patient_id, choices)
            say_if_none()


def _chosen(record: Record, today: date) -> Choices:
    key = f"history_{record.patient_id}"  # a day before a child's birth may be one in the mother's life
    first, last = st.columns(2)
    latest = max([today, *(each.starts_at.date() for each in record.coming)])
    bounds = {"value": None, "min_value": record.birth_on, "max_value": latest, "format": "YYYY-MM-DD"}
    from_on = first.date_input(_("From"), help=_("Empty: from the beginning."), key=f"{key}_from", **bounds)
    until_on = last.date_input(_("Until"), help=_("Empty: to the end."), key=f"{key}_until", **bounds)
    sections = st.pills(
        _("What goes into it"),
        list(SECTIONS),
        format_func=lambda each: _(SECTIONS.get(each, "")),
        selection_mode="multi",
        default=list(SECTIONS),
        key=f"{key}_sections",
    )
    return history_choices.chosen(from_on, until_on, sections)


def _prepared(actor: Actor, patient_id: int, choices: Choices) -> None:
    printout = HISTORIES.of(actor.user_id, (patient_id, choices))
    if printout is None or printout.has_failed:
        if printout is not None:
            st.error(_("The document could not be made. Please try again."))
        st.button(
            _("Prepare the history"),
            icon=":material/picture_as_pdf:",
            type="primary",
            on_click=_prepare,
            args=(patient_id, choices),
            key=f"history_{patient_id}_prepare",
        )
        st.caption(_("It is long: laying it out takes a few seconds."))
    elif printout.is_ready:
        st.success(_("The document is ready."), icon=":material/check:")
        _link(patient_id, choices)
    else:
        _follow(actor.user_id, patient_id, choices)


def _prepare(patient_id: int, choices: Choices) -> None:
    perform(_start, done="", patient_id=patient_id, choices=choices)


def _start(session: Any, actor: Actor, *, patient_id: int, choices: Choices) -> None:
    """Read the history, and have it laid out in the background. Raises `TooBusy`."""
    document = history_reports.to_print(session, actor, patient_id=patient_id, **choices._asdict())
    HISTORIES.start(actor.user_id, (patient_id, choices), document)


@st.fragment(run_every=_SECONDS)
def _follow(user_id: int, patient_id: int, choices: Choices) -> None:
    """How far it is, until it is ready: then the page is drawn again, with the link."""
    printout = HISTORIES.of(user_id, (patient_id, choices))
    if printout is None or printout.is_ready or printout.has_failed:
        st.rerun()
    share = round(printout.share * 100)
    st.progress(share, text=_("Laying out the history: {percent}").format(percent=percent(share)))


def _link(patient_id: int, choices: Choices) -> None:
    address = f"/files/history/{patient_id}.pdf?{choices.query()}"
    download(_("Download the history"), address, is_main=True)
