"""Why something an administrator sets up is refused."""

from core.errors import ClinicError
from core.i18n import N_


class NameTaken(ClinicError):
    message = N_("There is another one of that name already.")


class MinutesOutOfBounds(ClinicError):
    message = N_("Please choose {least} to {most} minutes.")


class DaysOutOfBounds(ClinicError):
    message = N_("Please choose {least} to {most} days.")


class UnknownZone(ClinicError):
    message = N_("There is no such time zone.")


class UnknownLanguage(ClinicError):
    message = N_("The portal does not speak that language yet.")


class OwnLanguageMissing(ClinicError):
    message = N_("The clinic's own language must be among those to choose from.")


class NoSuchRoom(ClinicError):
    message = N_("Please choose among the clinic's rooms.")


class NoSuchService(ClinicError):
    message = N_("Please choose among the clinic's services.")


class NoSuchSpecialty(ClinicError):
    message = N_("Please choose among the clinic's specialties.")
