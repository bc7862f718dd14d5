"""The one source of the current time."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC. Asked once per use case; tests replace it."""
    return datetime.now(UTC)
