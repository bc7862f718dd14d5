"""What the pages share: the guard, the way from a click to a service, and the parts of a screen."""

from pages.ui.actions import Place, form_key, perform, perform_quietly, perform_signed_out, say, show_messages
from pages.ui.choices import choice
from pages.ui.guard import require
from pages.ui.refusals import reading
from pages.ui.slots import pick_time
from pages.ui.words import age, plain, visit_badge

__all__ = [
    "Place",
    "age",
    "choice",
    "form_key",
    "perform",
    "perform_quietly",
    "perform_signed_out",
    "pick_time",
    "plain",
    "reading",
    "require",
    "say",
    "show_messages",
    "visit_badge",
]
