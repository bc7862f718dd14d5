"""What the pages share: the guard, the way from a click to a service, and the parts of a screen."""

from db.session import unit_of_work as reading
from pages.ui.actions import form_key, perform, perform_signed_out, show_messages
from pages.ui.choices import choice
from pages.ui.guard import require
from pages.ui.slots import pick_time
from pages.ui.words import age, plain, status_badge

__all__ = [
    "age",
    "choice",
    "form_key",
    "perform",
    "perform_signed_out",
    "pick_time",
    "plain",
    "reading",
    "require",
    "show_messages",
    "status_badge",
]
