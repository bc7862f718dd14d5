"""The whole history as one PDF: a period, and the sections of the record that go into it."""

from datetime import date
from urllib.parse import urlencode

import streamlit as st

from core.history_reports import SECTIONS, NoSuchSection, PeriodTurnedRound
from core.i18n import _
from core.records import Record
from pages.ui.downloads import download, say_if_none


def history_report(record: Record, today: date) -> None:
    """Choose what goes into the report, and get it; what cannot be is said instead of the link."""
    with st.expander(_("Download the history as PDF"), icon=":material/picture_as_pdf:"):
        key = f"history_{record.patient_id}"  # a day before a child's birth may be one in the mother's life
        first, last = st.columns(2)
        latest = max([today, *(each.starts_at.date() for each in record.coming)])
        bounds = {"value": None, "min_value": record.birth_on, "max_value": latest, "format": "YYYY-MM-DD"}
        from_on = first.date_input(
            _("From"), help=_("Empty: from the beginning."), key=f"{key}_from", **bounds
        )
        until_on = last.date_input(_("Until"), help=_("Empty: to the end."), key=f"{key}_until", **bounds)
        chosen = st.pills(
            _("What goes into it"),
            list(SECTIONS),
            format_func=lambda each: _(SECTIONS.get(each, "")),
            selection_mode="multi",
            default=list(SECTIONS),
            key=f"{key}_sections",
        )
        if from_on and until_on and until_on < from_on:
            st.warning(str(PeriodTurnedRound()))
        elif not chosen:
            st.warning(str(NoSuchSection()))
        else:
            download(
                _("Download the history"),
                _address(record.patient_id, from_on, until_on, chosen),
                is_main=True,
            )
            say_if_none()


def _address(patient_id: int, from_on: date | None, until_on: date | None, chosen: list[str]) -> str:
    wanted = {"sections": ",".join(each for each in SECTIONS if each in chosen)}
    if from_on is not None:
        wanted["from"] = from_on.isoformat()
    if until_on is not None:
        wanted["until"] = until_on.isoformat()
    return f"/files/history/{patient_id}.pdf?{urlencode(wanted, safe=',')}"
