"""Facts the person at the screen can act on. Anything else that goes wrong is a bug and is not caught."""

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
    message = N_("You may not do that.")


class NotFound(ClinicError):
    message = N_("That is not here any more.")
