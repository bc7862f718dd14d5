"""A series on the screen: what it would be, visit by visit, before anything is saved."""

from datetime import datetime, tzinfo
from uuid import UUID

import streamlit as st

from core import series, series_changes
from core.access import Actor
from core.i18n import N_, _, clock_time, day_and_time, long_day, ngettext
from core.series import Planned
from db.models import Appointment
from pages.ui.actions import form_key, perform, say
from pages.ui.refusals import reading
from pages.ui.words import plain


def series_form(
    actor: Actor, *, patient_id: int, doctor_id: int, service_id: int, starts_at: datetime, zone: tzinfo
) -> None:
    """How often and how many, what that comes to, and the button that books all of it."""
    with st.container(horizontal=True):
        every = st.number_input(
            _("Every … weeks"), 1, series.MOST_WEEKS, value=1, key="series_every", width=160
        )
        visits = st.number_input(_("Visits"), 2, series.MOST_VISITS, value=6, key="series_visits", width=160)
    wish = {"patient_id": patient_id, "doctor_id": doctor_id, "service_id": service_id}
    with reading() as session:
        planned = series.plan(
            session, actor, **wish, starts_at=starts_at, every_weeks=int(every), visits=int(visits)
        )
    chosen = [_planned_row(each, zone) for each in planned]
    starts = [at for at in chosen if at is not None]
    missing = sum(bool(each.problem) and at is None for each, at in zip(planned, chosen, strict=True))
    if missing:
        left_out = ngettext("{count} visit is left out.", "{count} visits are left out.", missing)
        st.caption(left_out.format(count=missing))
    st.button(
        ngettext("Book {count} visit", "Book {count} visits", len(starts)).format(count=len(starts)),
        type="primary",
        disabled=len(starts) < 2,
        on_click=_book,
        args=(wish, starts, int(every), form_key("series")),
        key="series_submit",
        width="stretch",
    )


def _planned_row(planned: Planned, zone: tzinfo) -> datetime | None:
    """One visit of the plan; the time it gets, None where it is left out."""
    when = f"{long_day(planned.wanted.date())}, {planned.wanted:%H:%M}"
    if planned.starts_at is not None and not planned.problem:
        when = f"{long_day(planned.wanted.date())}, {clock_time(planned.starts_at, zone)}"
        st.markdown(f":green[:material/check:] {plain(when)}")
        return planned.starts_at
    st.markdown(f":orange[:material/event_busy:] {plain(when)}  \n{plain(planned.problem)}")
    return st.selectbox(
        _("Instead of {when}").format(when=when),
        planned.alternatives,
        index=None,
        format_func=lambda at: day_and_time(at, zone),
        placeholder=_("Leave it out"),
        label_visibility="collapsed",
        key=f"series_instead_{planned.wanted.isoformat()}",
    )


def _book(wish: dict[str, int], starts: list[datetime], every_weeks: int, key: UUID) -> None:
    booked = perform(
        series.book, **wish, starts=starts, every_weeks=every_weeks, request_key=key, done="", form="series"
    )
    if booked is not None:
        count = len(booked)
        say(ngettext("{count} visit is booked.", "{count} visits are booked.", count).format(count=count))


def following_choice(visit: Appointment, actor: Actor, panel: str) -> bool:
    """For the desk, at a visit of a series: whether what is done is done to those after it as well."""
    if visit.series_id is None or not actor.is_desk:
        return False
    with reading() as session:
        after = len(series_changes.following(session, actor, appointment_id=visit.id)) - 1
    if after < 1:
        return False
    one = _("Only this visit")
    rest = ngettext("This visit and the one after it", "This visit and the {count} after it", after)
    labels = {False: one, True: rest.format(count=after)}
    return bool(
        st.radio(
            _("It is part of a series"),
            list(labels),
            format_func=labels.__getitem__,
            key=f"series_{panel}_{visit.id}",
            horizontal=True,
        )
    )


def move_following(visit_id: int, starts_at: datetime, key: UUID) -> bool:
    """Move a visit and those after it; whether it was done."""
    moved = perform(
        series_changes.reschedule,
        appointment_id=visit_id,
        starts_at=starts_at,
        request_key=key,
        done=N_("Moved, and those after it too."),
        form=f"move_{visit_id}",
    )
    return moved is not None


def cancel_following(visit_id: int, reason: str, key: UUID, waive: bool) -> bool:
    """Call a visit off and those after it; whether it was done."""
    ended = perform(
        series_changes.cancel,
        appointment_id=visit_id,
        reason=reason,
        waive_policy=waive,
        request_key=key,
        done=N_("Cancelled, and those after it too. Their times are free for others now."),
        form=f"cancel_{visit_id}",
    )
    return ended is not None
