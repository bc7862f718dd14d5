"""Whether everything runs, on the screen: each job with its state, and what the clinic runs on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import streamlit as st

from core.heartbeats import Beat, State
from core.i18n import N_, _, megabytes, ngettext, seconds, since
from core.systems import Database, Way, Ways
from jobs.table import JOBS
from pages.ui.words import plain

STATE = {
    State.IN_ORDER: (N_("In order"), "green", "check_circle"),
    State.OVERDUE: (N_("Overdue"), "orange", "schedule"),
    State.FAILING: (N_("Failing"), "red", "error"),
}
WAY = {
    Way.REAL: (N_("On"), "green", "check_circle"),
    Way.SIMULATED: (N_("Simulated"), "blue", "science"),
    Way.OFF: (N_("Off"), "gray", "block"),
}
# What went wrong, by the kind of the error: its own words may be about people.
ERRORS = {
    "TrailBroken": N_(
        "Entries of the audit trail were altered or taken away. `python -m core.audit verify` says which."
    ),
    "SenderMisconfigured": N_(
        "The carrier refuses whatever we send. Please look at the Twilio account and the TWILIO_ settings."
    ),
    "SmsRefused": N_("The carrier refuses us. Please look at the Twilio account and the TWILIO_ settings."),
    "SmsUnreachable": N_("The carrier cannot be reached."),
    "SmsUncertain": N_("The carrier gives no clear answer."),
    "SmsBusy": N_("The carrier asks us to wait."),
    "CardsFailed": N_("The card processor gives no clear answer."),
    "WrongAnswer": N_(
        "The card processor says paid, but not what was asked for. Somebody has to look at it."
    ),
    "OperationalError": N_("The database did not answer."),
}
_WORDS = {job.name: job.does for job in JOBS}


def overall(beats: Sequence[Beat]) -> None:
    """One sentence that says whether all is well."""
    failing, overdue = (
        sum(beat.state is state for beat in beats) for state in (State.FAILING, State.OVERDUE)
    )
    if all(beat.started_at is None for beat in beats):
        st.error(
            _("The jobs process has never run here: no messages go out. Start it with `python -m jobs`."),
            icon=":material/error:",
        )
    elif overdue == len(beats):
        st.error(
            _("The jobs process does not run: no messages go out. Start it with `python -m jobs`."),
            icon=":material/error:",
        )
    elif failing:
        text = ngettext("{count} job is failing.", "{count} jobs are failing.", failing)
        st.error(text.format(count=failing), icon=":material/error:")
    elif overdue:
        text = ngettext("{count} job is overdue.", "{count} jobs are overdue.", overdue)
        st.warning(text.format(count=overdue), icon=":material/schedule:")
    else:
        st.success(_("Everything runs."), icon=":material/check_circle:")


def job_list(beats: Iterable[Beat], now: datetime) -> None:
    """The jobs, those in trouble first."""
    for beat in sorted(beats, key=lambda beat: beat.state is State.IN_ORDER):
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"{_badge(*STATE[beat.state])} **{plain(_(_WORDS[beat.name]))}**")
            if beat.state is State.FAILING:
                st.markdown(f":red[{_failure(beat, now)}]")
            st.caption(" · ".join(_facts(beat, now)))


def _facts(beat: Beat, now: datetime) -> list[str]:
    if beat.started_at is None:
        facts = [_("Has never run")]
    else:
        facts = [_("Last run {when}").format(when=since(beat.started_at, now))]
    if beat.is_running:
        facts.append(_("running now"))
    elif beat.started_at is not None and beat.finished_at is not None:
        took = seconds((beat.finished_at - beat.started_at).total_seconds())
        facts.append(_("took {time}").format(time=took))
    if beat.next_at is not None and not beat.is_running:
        due = _("next {when}") if beat.next_at > now else _("was due {when}")
        facts.append(due.format(when=since(beat.next_at, now)))
    if beat.succeeded_at is not None and beat.state is not State.IN_ORDER:
        facts.append(_("last went well {when}").format(when=since(beat.succeeded_at, now)))
    dealt_with = ngettext("{count} row dealt with", "{count} rows dealt with", beat.touched)
    facts.append(dealt_with.format(count=beat.touched))
    if beat.backlog is not None:
        facts.append(ngettext("{count} waiting", "{count} waiting", beat.backlog).format(count=beat.backlog))
    return facts


def _failure(beat: Beat, now: datetime) -> str:
    words = _("An error in the program ({error}). The log of the jobs process says where.").format(
        error=plain(beat.error or "?")
    )
    if beat.error in ERRORS:
        words = _(ERRORS[beat.error])
    times = ngettext(
        "Failed once, {when}", "Failed {count} times in a row, first {when}", beat.failures
    ).format(count=beat.failures, when=since(beat.failed_at or now, now))
    return f"{times}: {words}"


def what_it_runs_on(ways: Ways, database: Database) -> None:
    """How things go out, and the database."""
    parts = [(_("Texts"), ways.texts), (_("Emails"), ways.emails), (_("Payments by card"), ways.cards)]
    with st.container(horizontal=True):
        for name, way in parts:
            st.markdown(f"{name} {_badge(*WAY[way])}", width="content")
    size = megabytes(database.size_bytes)
    st.caption(
        _("Database: PostgreSQL {version}, {size}").format(version=plain(database.version), size=plain(size))
    )


def last_check(beat: Beat, now: datetime) -> None:
    """When the audit trail was last found whole."""
    if beat.succeeded_at is None:
        st.caption(_("The audit trail has not been checked yet."))
    else:
        st.caption(
            _("The audit trail was last found whole {when}.").format(when=since(beat.succeeded_at, now))
        )


def _badge(word: str, color: str, icon: str) -> str:
    return f":{color}-badge[:material/{icon}: {_(word)}]"
