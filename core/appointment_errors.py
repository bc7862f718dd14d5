"""Why a visit could not be booked, moved or cancelled."""

from core.errors import ClinicError
from core.i18n import N_


class PatientBusy(ClinicError):
    message = N_("There is already another visit at that time.")


class RoomTaken(ClinicError):
    message = N_("That room is taken at that time.")


class RoomElsewhere(ClinicError):
    message = N_("That room is in another place than the doctor at that time.")


class RoomUnsuitable(ClinicError):
    message = N_("Visits of this kind do not take place in that room.")


class NoLongerChangeable(ClinicError):
    """The visit has begun, ended or been called off."""

    message = N_("This visit can no longer be changed.")


class VisitChanged(ClinicError):
    message = N_("This visit has been changed since you looked. Please look at it again.")


class TooLateToMove(ClinicError):
    message = N_("Visits can be moved up to {hours} hours before they start. Please call reception.")


class ReasonMissing(ClinicError):
    message = N_("Please give a reason.")


class ReasonTooLong(ClinicError):
    message = N_("Please keep the reason under {length} characters.")


class ReasonUnreadable(ClinicError):
    message = N_("Please write the reason on one line, in letters and signs that can be read.")


class FormAlreadySent(ClinicError):
    message = N_("This form has already been sent. Please look at the visits before sending another.")


class TryAgain(ClinicError):
    message = N_("Somebody else was changing the same visits. Please try again.")
