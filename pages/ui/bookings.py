"""Booking somebody at the desk: a free time, or for a reason one that is taken."""

from typing import Any
from uuid import UUID

import streamlit as st

from core import appointments, overbookings
from core.i18n import N_
from db.models import Appointment
from pages.ui.actions import perform
from pages.ui.overbooking import REASON


def book(
    patient_id: int,
    name: str,
    key: UUID,
    form: str,
    is_overbooked: bool,
    what: dict[str, Any],
    picker: str = "",
) -> Appointment | None:
    """Book `what` (doctor, service, time, room) for a patient, overbooked for the reason that is typed."""
    reason = {"reason": st.session_state.get(REASON) or ""} if is_overbooked else {}
    return perform(
        overbookings.overbook if is_overbooked else appointments.book,
        patient_id=patient_id,
        request_key=key,
        done=N_("Booked for {about}."),
        about=name,
        form=form,
        picker=picker,
        clear=[REASON] if is_overbooked else (),
        **what,
        **reason,
    )
