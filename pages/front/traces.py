"""What the log says of an error: where and of which kind, never with which values.

Messages of errors carry people's names, phones and notes: a database quotes the row that it refuses.
"""

import logging
import traceback
from typing import Any
from uuid import uuid4

from core.i18n import N_

log = logging.getLogger("portal")

WENT_WRONG = N_("Something went wrong. Please tell reception this number if it happens again: {reference}")


def log_error(error: BaseException) -> str:
    """Log an unexpected error under a number and return the number: all that the person is shown."""
    reference = uuid4().hex[:8]
    log.error("Reference %s", reference, exc_info=error)
    return reference


def without_values(error: BaseException) -> str:
    """The kinds of an error and of what led to it, and the lines they passed: no messages, no values."""
    lines: list[str] = []
    seen: set[int] = set()  # an error can be raised from itself
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(
            ("because of " if lines else "") + f"{type(cause).__module__}.{type(cause).__qualname__}"
        )
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(lines)


def keep_values_out_of_logs() -> None:
    """Have every logger of this process, also of libraries, write errors as `without_values`."""
    usual = logging.getLogRecordFactory()

    def made(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = usual(*arguments, **named)
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = without_values(record.exc_info[1])  # formatters write this when it is there
        return record

    logging.setLogRecordFactory(made)
