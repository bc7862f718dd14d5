"""The audit trail on the screen: what its entries are called, and a table of them."""

from collections.abc import Iterable
from datetime import tzinfo

import streamlit as st

from core.access import Action
from core.audit import Event
from core.i18n import N_, _, clock_time, short_date
from core.trails import Line
from db.models import Outcome, Role
from pages.ui.words import ROLE

DONE = {
    Action.SEARCH_DOCTORS: N_("Searched for a doctor"),
    Action.SEARCH_PATIENTS: N_("Searched for a patient"),
    Action.REGISTER_PATIENT: N_("Wrote down a patient"),
    Action.SEE_CONTACT: N_("Opened the contact details"),
    Action.LINK_GUARDIAN: N_("Linked a guardian"),
    Action.UNLINK_GUARDIAN: N_("Ended a guardianship"),
    Action.SEE_APPOINTMENT: N_("Opened an appointment"),
    Action.SEE_DAY: N_("Opened a doctor's day"),
    Action.BOOK: N_("Booked"),
    Action.BOOK_SERIES: N_("Booked or changed a series"),
    Action.MOVE: N_("Moved an appointment"),
    Action.CANCEL: N_("Cancelled an appointment"),
    Action.OVERBOOK: N_("Overbooked"),
    Action.PAY: N_("Began to pay online"),
    Action.SEE_PAYMENTS: N_("Opened the payments"),
    Action.TAKE_PAYMENT: N_("Took a payment"),
    Action.REFUND: N_("Paid money back"),
    Action.CLOSE_TILL: N_("Closed the till"),
    Action.RECONCILE: N_("Compared with the card processor"),
    Action.JOIN_WAITLIST: N_("Put on the waitlist, or taken off it"),
    Action.SEE_WAITLIST: N_("Opened the waitlist"),
    Action.CHECK_IN: N_("Marked who has come"),
    Action.TELL_LATE: N_("Told patients about a delay"),
    Action.SET_HOURS: N_("Set a doctor's hours"),
    Action.SETTLE_VISIT: N_("Settled a visit outside the hours"),
    Action.EDIT_PROFILE: N_("Edited a doctor's profile"),
    Action.PUBLISH_PROFILE: N_("Published a doctor's profile"),
    Action.SUBSCRIBE: N_("Made or ended a calendar address"),
    Action.SEE_MESSAGES: N_("Opened the messages"),
    Action.SET_CONTACT: N_("Set how the patient is told"),
    Action.ANSWER_MESSAGES: N_("Dealt with an answer"),
    Action.SEE_REVENUE: N_("Read what the clinic earns"),
    Action.SEE_FIGURES: N_("Read figures"),
    Action.SEE_TODAYS_FIGURES: N_("Read the figures of today"),
    Action.SEE_SYSTEM: N_("Looked whether everything runs"),
    Action.SEE_RECORD: N_("Opened the record"),
    Action.SEARCH_RECORDS: N_("Searched for a record"),
    Action.BREAK_GLASS: N_("Asked for the record in an emergency"),
    Action.KEEP_LISTS: N_("Kept the lists of the record"),
    Action.WRITE_NOTE: N_("Wrote the note of a visit"),
    Action.PRESCRIBE: N_("Prescribed"),
    Action.WRITE_LETTER: N_("Wrote a letter"),
    Action.ADD_DOCUMENT: N_("Added a document, or took it back"),
    Action.ANSWER_INTAKE: N_("Answered the questions before a visit"),
    Action.REVIEW_ACCESS: N_("Reviewed an emergency access"),
    Action.SEE_ACCESSES: N_("Looked who opened the record"),
    Action.SEE_ACCOUNT: N_("Opened an account"),
    Action.CHANGE_ACCOUNT: N_("Changed an account"),
    Action.MANAGE_USERS: N_("Managed an account"),
    Action.INVITE: N_("Invited somebody"),
    Action.CHANGE_SETTINGS: N_("Changed the clinic's settings"),
    Action.SEE_AUDIT: N_("Read the audit trail"),
    Action.EXPORT_PATIENT: N_("Downloaded everything about the patient"),
    Action.ERASE_PATIENT: N_("Erased the patient's data"),
    Event.SIGN_IN: N_("Signed in"),
    Event.SIGN_IN_FAILED: N_("Failed to sign in"),
    Event.SIGN_OUT: N_("Signed out"),
    Event.REGISTER: N_("Registered"),
    Event.VERIFY: N_("Verified an address"),
    Event.PASSWORD_CHANGED: N_("Changed the password"),
    Event.PASSWORD_RESET: N_("Reset the password"),
    Event.SECOND_FACTOR_ON: N_("Turned the second factor on"),
    Event.SECOND_FACTOR_OFF: N_("Turned the second factor off"),
    Event.RECOVERY_CODE_USED: N_("Used a recovery code"),
    Event.IDENTITY_LINKED: N_("Linked another sign-in"),
    Event.IDENTITY_UNLINKED: N_("Unlinked another sign-in"),
    Event.PROFILE_CHANGED: N_("Changed the profile"),
    Event.INVITE_ACCEPTED: N_("Accepted an invite"),
    Event.ROLE_CHANGED: N_("Changed a role"),
    Event.ACTIVATED: N_("Activated an account"),
    Event.DEACTIVATED: N_("Deactivated an account"),
    Event.SESSIONS_ENDED: N_("Ended sessions"),
    Event.HOLD_EXPIRED: N_("A held time was let go"),
    Event.HOLD_CONFIRMED: N_("A held time was confirmed"),
    Event.PAID_ONLINE: N_("An online payment arrived"),
    Event.PAYMENT_ASKED: N_("Sent a link to pay"),
    Event.TICKET_SENT: N_("Sent a ticket"),
    Event.INVOICED: N_("Issued an invoice"),
    Event.ATTENDING: N_("The patient said that they come"),
    Event.NO_SHOW: N_("A visit was missed"),
    Event.STEP_UNDONE: N_("Undid a step at the desk"),
    Event.VISIT_KEPT: N_("Kept a visit outside the hours"),
    Event.CHOICE_SENT: N_("Offered other times for a visit"),
    Event.CHOICE_TAKEN: N_("Chose another time for a visit"),
    Event.TIME_OFFERED: N_("Offered a time from the waitlist"),
    Event.OFFER_ACCEPTED: N_("Accepted an offered time"),
    Event.OFFER_ENDED: N_("An offered time was let go"),
    Event.TEXTS_STOPPED: N_("Texts to a number were stopped"),
    Event.TEXTS_RESUMED: N_("Texts to a number were allowed again"),
    Event.REFUND_SENT: N_("A refund was sent"),
    Event.REFUND_FAILED: N_("A refund failed"),
    Event.RECORD_EXPIRED: N_("A record was erased: its years were over"),
    Event.CODE_REFUSED: N_("Gave a wrong code"),
    Event.TOO_MANY_TRIES: N_("Tried too often"),
    Event.CLINIC_FOUNDED: N_("Set up the clinic"),
    Event.SETTINGS_CHANGED: N_("Changed the clinic's settings"),
    Event.FORBIDDEN: N_("Tried something forbidden"),
}
_BY_VALUE = {action.value: words for action, words in DONE.items()}
OUTCOME = {Outcome.DONE: N_("Done"), Outcome.REFUSED: N_("Refused")}


def done_words(action: str) -> str:
    """What was done, in words; an action of an older version stands as it was written."""
    return _(_BY_VALUE[action]) if action in _BY_VALUE else action


def who(line: Line, own_user_id: int | None = None) -> str:
    """Who did it and as what."""
    if line.user_id is None:
        return _("The clinic itself")
    if line.user_id == own_user_id:
        return _("You")
    role = _(ROLE[Role(line.role)]) if line.role else ""
    return f"{line.user or _('A former account')} ({role})"


def trail_table(lines: Iterable[Line], zone: tzinfo) -> None:
    """A table of entries, as an administrator reads them."""
    st.dataframe(
        [
            {
                _("When"): f"{short_date(line.at.astimezone(zone).date())}, {clock_time(line.at, zone)}",
                _("Who"): who(line),
                _("What"): done_words(line.action),
                _("Outcome"): _(OUTCOME[line.outcome]),
                _("Patient"): _patient(line),
                _("Object"): f"{line.object_kind} {line.object_id or ''}",
                _("Address"): line.address or "",
            }
            for line in lines
        ],
        hide_index=True,
        width="stretch",
    )


def _patient(line: Line) -> str:
    if line.patient_id is None:
        return ""
    name = line.patient or str(line.patient_id)
    return _("{name} (by a guardian)").format(name=name) if line.for_another else name
