"""Keeping the lists of a record at a visit: putting something on one, and letting an entry end."""

from datetime import date, tzinfo
from typing import Any

import streamlit as st

from core import clock, record_items
from core.i18n import N_, _, short_date
from core.record_items import LISTS, SEVERITIES, Item
from core.records import Record
from db.models import Ending, ItemKind
from pages.ui.actions import form_key, perform
from pages.ui.words import plain

ENDINGS = {Ending.OVER: N_("It is over"), Ending.MISTAKE: N_("It was a mistake")}
FORM = "visit_list"


def lists_section(record: Record, zone: tzinfo) -> None:
    """The lists as they count, each entry with its end, and a form for another entry."""
    with st.expander(_("Add to a list"), icon=":material/playlist_add:"):
        _form(record, zone)
    for kind, heading in LISTS.items():
        items = [each for each in record.items if each.kind is kind and each.ended_at is None]
        if items:
            with st.expander(f"{_(heading)} ({len(items)})", icon=":material/list:"):
                for item in items:
                    _entry(item)


def _entry(item: Item) -> None:
    severity = f" :red-badge[{_(SEVERITIES[item.severity])}]" if item.severity else ""
    since = (
        f"  \n:gray[{plain(_('since {date}').format(date=short_date(item.since_on)))}]"
        if item.since_on
        else ""
    )
    details = f"  \n{plain(item.details)}" if item.details else ""
    st.markdown(f"**{plain(item.name)}**{severity}{details}{since}")
    with st.popover(_("End"), icon=":material/event_busy:", key=f"visit_item_{item.item_id}"):
        st.write(_("The entry stays readable, and says why it no longer counts."))
        for ending, label in ENDINGS.items():
            st.button(
                _(label),
                on_click=_end,
                args=(item.item_id, ending),
                key=f"visit_item_{item.item_id}_{ending.value}",
            )


def _form_of(patient_id: int) -> str:
    """What is typed for one patient and not added does not stand at the next."""
    return f"{FORM}_{patient_id}"


def _form(record: Record, zone: tzinfo) -> None:
    form = _form_of(record.patient_id)
    kind = st.selectbox(_("List"), list(LISTS), format_func=lambda each: _(LISTS[each]), key=f"{form}_kind")
    st.text_input(_("What it is"), max_chars=record_items.NAME_LENGTH, key=f"{form}_name")
    st.text_input(_("More about it"), max_chars=record_items.DETAILS_LENGTH, key=f"{form}_details")
    if kind is ItemKind.ALLERGY:
        st.selectbox(
            _("Severity"),
            list(SEVERITIES),
            index=None,
            format_func=lambda each: _(SEVERITIES[each]),
            placeholder=_("not known"),
            key=f"{form}_severity",
        )
    today = clock.now().astimezone(zone).date()
    st.date_input(
        _("Since"),
        value=None,
        min_value=record.birth_on,
        max_value=today,
        format="YYYY-MM-DD",
        key=f"{form}_since",
    )
    st.button(
        _("Add"),
        type="primary",
        on_click=_add,
        args=(record.patient_id, form_key(form)),
        key=f"{form}_add",
    )


def _add(patient_id: int, key: Any) -> None:
    form, chosen = _form_of(patient_id), st.session_state
    kind = ItemKind(chosen.get(f"{form}_kind"))
    severity = chosen.get(f"{form}_severity") if kind is ItemKind.ALLERGY else None
    since: date | None = chosen.get(f"{form}_since")
    perform(
        record_items.add,
        patient_id=patient_id,
        kind=kind,
        name=chosen.get(f"{form}_name") or "",
        details=chosen.get(f"{form}_details") or "",
        severity=severity,
        since_on=since,
        request_key=key,
        done=N_("It stands on the list."),
        form=form,
        clear=[f"{form}_{each}" for each in ("name", "details", "since", "severity")],
    )


def _end(item_id: int, ending: Ending) -> None:
    perform(record_items.end, item_id=item_id, ending=ending, done=N_("The entry is ended."))
