"""Many rows in one turn of a job: what goes wrong with one of them does not keep the others waiting."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Row = TypeVar("Row")


def for_each(rows: Iterable[Row], work: Callable[[Row], object]) -> None:
    """Do `work` for each row, whatever becomes of those before; the first error is raised at the end.

    The job has failed then and is logged, but a row that fails at every turn stops nobody else's.
    """
    first: Exception | None = None
    for row in rows:
        try:
            work(row)
        except Exception as error:
            first = first or error
    if first is not None:
        raise first
