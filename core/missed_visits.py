"""Visits that nobody has marked when their day is over: noted as missed."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import (
    clinics,
    clock,
    heartbeats,
    stranding_notes,
    stranding_watch,
    strandings,
    uncovered,
    wall_time,
)
from core.audit import Event
from core.strandings import LOOKS_BACK_DAYS, kinds
from core.uncovered import Uncovered

# A day counts where somebody has marked on it that one of its visits has come.
_NOTE_MISSED = text("""
    WITH days AS (
        SELECT * FROM unnest(CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[])) AS d (begins, ends)
    ), used AS (
        SELECT * FROM days WHERE EXISTS (
            SELECT FROM appointments a JOIN appointment_events e ON e.appointment_id = a.id
            WHERE a.doctor_id = ANY (ARRAY(SELECT id FROM doctors))
            AND a.starts_at >= days.begins AND a.starts_at < days.ends
            AND e.kind IN ('arrived', 'completed') AND e.by_user_id IS NOT NULL
            AND e.at >= days.begins AND e.at < days.ends)
    ), due AS (
        SELECT a.id FROM used JOIN appointments a ON a.starts_at >= used.begins AND a.starts_at < used.ends
        WHERE a.status = 'confirmed' AND a.ends_at <= :now AND NOT EXISTS (
            SELECT FROM appointment_events e
            WHERE e.appointment_id = a.id AND e.kind = 'undone' AND e.at >= used.ends)
        AND NOT EXISTS (
            SELECT FROM stranded_visits n LEFT JOIN kept_visits k
            ON k.appointment_id = n.appointment_id AND k.time_version = n.time_version
            WHERE n.appointment_id = a.id AND n.time_version = a.time_version
            AND (k.causes @> n.causes) IS NOT TRUE)
        AND NOT a.id = ANY (CAST(:uncovered AS int[]))
        FOR UPDATE OF a SKIP LOCKED
    ), missed AS (
        UPDATE appointments a SET status = 'no_show', version = version + 1, updated_at = :now
        FROM due WHERE a.id = due.id
        RETURNING a.id, a.patient_id
    ), events AS (
        INSERT INTO appointment_events (appointment_id, kind, at, before)
        SELECT id, 'no_show', :now, '{"status": "confirmed"}' FROM missed
    )
    INSERT INTO audit_entries (at, action, outcome, object_kind, object_id, patient_id, for_another)
    SELECT :now, :action, 'done', 'appointment', id, patient_id, false FROM missed RETURNING id
""")


def note(session: Session) -> int:
    """Mark visits that are still confirmed when their day is over as missed; how many.

    Days are the clinic's, also those on which clocks change, and the last seven. Only those count on which
    somebody has marked a visit of the day as here or done: where nobody uses these marks, nobody has missed
    anything. Nobody has missed a visit that could not be, unless it was kept on purpose: the doctor was
    away or had other hours, or the place was closed, when its hour came. Of a visit put back after its day
    a person has decided: it stays. Safe to run twice at once.
    """
    if not clinics.is_founded(session):
        return 0
    now, zone = clock.now(), clinics.zone(session)
    today = now.astimezone(zone).date()
    midnights = [
        wall_time.instant_reached(zone, datetime.combine(today - timedelta(days=back), datetime.min.time()))
        for back in range(LOOKS_BACK_DAYS + 1)
    ]
    stranding_watch.note(session)
    left = uncovered.rows(session, since=strandings.looks_back_to(session))
    is_watched = heartbeats.succeeded_at(session, stranding_watch.JOB) is not None
    marked = session.execute(
        _NOTE_MISSED,
        {
            "begins": midnights[1:],
            "ends": midnights[:-1],
            "now": now,
            "action": Event.NO_SHOW.value,
            "uncovered": [each.id for each in left if _could_not_be(each, is_watched=is_watched)],
        },
    )
    return len(marked.all())


def _could_not_be(each: Uncovered, *, is_watched: bool) -> bool:
    """Whether a visit that is not noted as one without hours may have been one all the same.

    That its doctor, service or room was given up before its hour has been noted by whoever watches. Where
    nobody has watched yet it may have been so without a note.
    """
    return stranding_notes.is_of_its_day(each) or not (is_watched or kinds(each.causes) == ["hours"])
