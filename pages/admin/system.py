"""System: whether the jobs run, what waits for them, what failed, and what the clinic runs on."""

import streamlit as st

from core import clock, heartbeats, systems
from core.i18n import _
from db.models import Role
from jobs.table import JOBS
from pages.ui import reading, require
from pages.ui.sessions import acting
from pages.ui.system import job_list, last_check, overall, what_it_runs_on

actor = require(Role.ADMIN)

SECONDS = 5
INTERVALS = {job.name: job.every for job in JOBS}
BACKLOGS = {job.name: job.backlog for job in JOBS if job.backlog is not None}


@st.fragment(run_every=SECONDS)
def follow() -> None:
    """Draw the jobs again every few seconds, for as long as whoever looks may."""
    with reading() as session:
        now_acting = acting(session)
        if now_acting is None:
            return
        beats = heartbeats.look(session, now_acting, intervals=INTERVALS, backlogs=BACKLOGS)
    now = clock.now()
    overall(beats)
    what_it_runs_on(ways, database)
    last_check(next(beat for beat in beats if beat.name == "check the audit trail"), now)
    job_list(beats, now)


st.title(_("System"))
with reading() as session:
    ways, database = systems.ways(session, actor), systems.database(session, actor)
follow()
