"""Facts the person at the screen can act on. Anything else that goes wrong is a bug and is not caught."""

from enum import StrEnum

from core.i18n import N_, _


class ClinicError(Exception):
    """Base of them all. `message` is a template, translated and filled in when it is shown."""

    message = N_("That is not possible.")

    def __init__(self, **values: object) -> None:
        super().__init__(self.message)
        self.values = values

    def __str__(self) -> str:
        return _(self.message).format(**self.values)


class AccessDenied(ClinicError):
    """What the access table refused, and to whose object: the audit trail keeps it."""

    message = N_("You may not do that.")

    def __init__(
        self,
        action: StrEnum | None = None,
        *,
        patient_id: int | None = None,
        doctor_id: int | None = None,
        user_id: int | None = None,
    ) -> None:
        super().__init__()
        self.action = action
        self.patient_id = patient_id
        self.doctor_id = doctor_id
        self.user_id = user_id


class NotFound(ClinicError):
    message = N_("That is not here any more.")
