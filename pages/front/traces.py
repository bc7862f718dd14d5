"""Unexpected errors: the log keeps them under a number, which is all that the person is shown."""

import logging
from uuid import uuid4

from core.i18n import N_

log = logging.getLogger("portal")

WENT_WRONG = N_("Something went wrong. Please tell reception this number if it happens again: {reference}")


def log_error(error: BaseException) -> str:
    """Log an unexpected error under a number and return the number: all that the person is shown."""
    reference = uuid4().hex[:8]
    log.error("Reference %s", reference, exc_info=error)
    return reference
