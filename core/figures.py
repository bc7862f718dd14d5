"""The figures of the clinic, as whoever may see them reads them: one by one, or as a file.

Chart, table, CSV and PDF all take their rows from here.
"""

from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access, audit, clinics, spreadsheets
from core.access import Action, Actor
from core.analytics import revenue, utilisation, words
from core.analytics.scopes import Scope
from core.analytics.shapes import Figure, Row
from core.errors import NotFound

# What can be told of one doctor's visits alone, and so to that doctor.
OF_A_DOCTOR = (
    *(revenue.over_time, revenue.by_doctor, revenue.by_service, revenue.by_place, revenue.by_specialty),
    *(revenue.by_method, revenue.forecast),
    *(utilisation.over_time, utilisation.by_doctor, utilisation.by_hour),
)
OF_THE_CLINIC: tuple[Figure, ...] = ()
FIGURES = {figure.key: figure for figure in (*OF_A_DOCTOR, *OF_THE_CLINIC)}


class Table(NamedTuple):
    """The rows of a figure, in the units of its columns; money is the clinic's `currency`."""

    figure: Figure
    scope: Scope
    currency: str
    rows: list[Row]


def read(session: Session, actor: Actor, *, key: str, scope: Scope) -> Table:
    """A figure of a scope: an administrator's, or a doctor's own. Raises `AccessDenied`, `NotFound`."""
    is_own = key not in {figure.key for figure in OF_THE_CLINIC}
    access.require(actor, Action.SEE_FIGURES, doctor_id=scope.doctor_id if is_own else None)
    if key not in FIGURES:
        raise NotFound
    kind, number = ("clinic", 1) if scope.doctor_id is None else ("doctor", scope.doctor_id)
    audit.record_read(session, actor, Action.SEE_FIGURES, kind=kind, number=number)
    figure = FIGURES[key]
    return Table(figure, scope, clinics.settings(session).currency, figure(session, scope))


def as_csv(session: Session, actor: Actor, *, key: str, scope: Scope) -> bytes:
    """The same as a file: plain numbers under headings with their units. Raises what `read` does."""
    table = read(session, actor, key=key, scope=scope)
    units = [column.unit for column in table.figure.columns]
    return spreadsheets.as_csv(
        [words.heading(column, currency=table.currency) for column in table.figure.columns],
        (
            [
                words.plain(value, unit, currency=table.currency)
                for value, unit in zip(row, units, strict=True)
            ]
            for row in table.rows
        ),
    )
