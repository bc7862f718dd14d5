"""Rows that wait for the outside, one after the other: one that fails keeps no other from its turn."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")


def each(items: Iterable[Item], work: Callable[[Item], object]) -> None:
    """Do `work` with every item, whatever becomes of the others; then raise the first error, if any."""
    failures = []
    for item in items:
        try:
            work(item)
        except Exception as failure:
            failures.append(failure)
    for further in failures[1:]:
        log.error("one more failed", exc_info=further)
    if failures:
        raise failures[0]
