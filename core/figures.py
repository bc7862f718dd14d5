"""The figures of the clinic, as whoever may see them reads them: one by one, or as a file.

Chart, table, CSV and PDF all take their rows and their total from here.
"""

from typing import NamedTuple

from sqlalchemy.orm import Session

from core import access, audit, clinics, spreadsheets
from core.access import Action, Actor
from core.analytics import demand, messages, missed, overview, patients, revenue, utilisation, words
from core.analytics.scopes import Scope
from core.analytics.shapes import Figure, Row
from core.errors import NotFound
from core.i18n import _

DASHBOARDS: dict[str, tuple[Figure, ...]] = {
    "overview": (overview.compared, overview.open_now),
    "revenue": (
        *(revenue.over_time, revenue.by_doctor, revenue.by_service, revenue.by_specialty, revenue.by_place),
        *(revenue.by_method, revenue.forecast),
    ),
    "utilisation": (utilisation.over_time, utilisation.by_doctor, utilisation.by_hour),
    "demand": (demand.lead_times, demand.third_next, demand.empty_searches, demand.recovered),
    "missed": (
        *(missed.over_time, missed.by_doctor, missed.by_hour, missed.by_lead, missed.by_confirmation),
    ),
    "patients": (patients.new_and_returning, patients.cohorts),
    "messages": (messages.over_time, messages.by_kind, messages.answered),
}
FIGURES = {figure.key: figure for figures in DASHBOARDS.values() for figure in figures}
# What cannot be told of one doctor alone, and so to no doctor.
_OF_THE_CLINIC = {
    overview.open_now.key,
    demand.empty_searches.key,
    *(each.key for each in DASHBOARDS["messages"]),
}


class Table(NamedTuple):
    """The rows of a figure, in the units of its columns; money is the clinic's `currency`."""

    figure: Figure
    scope: Scope
    currency: str
    rows: list[Row]

    @property
    def total(self) -> Row | None:
        """What stands below several rows that come to something."""
        total = self.figure.total(self.rows)
        is_there = len(self.rows) > 1 and any(value is not None for value in total)
        return total if is_there else None


def read(session: Session, actor: Actor, *, key: str, scope: Scope) -> Table:
    """A figure of a scope: an administrator's, or a doctor's own. Raises `AccessDenied`, `NotFound`."""
    access.require(actor, Action.SEE_FIGURES, doctor_id=None if key in _OF_THE_CLINIC else scope.doctor_id)
    if key not in FIGURES:
        raise NotFound
    kind, number = ("clinic", 1) if scope.doctor_id is None else ("doctor", scope.doctor_id)
    audit.record_read(session, actor, Action.SEE_FIGURES, kind=kind, number=number)
    figure = FIGURES[key]
    return Table(figure, scope, clinics.settings(session).currency, figure(session, scope))


def as_csv(session: Session, actor: Actor, *, key: str, scope: Scope) -> bytes:
    """The same as a file: plain numbers under headings with their units. Raises what `read` does."""
    table = read(session, actor, key=key, scope=scope)
    rows, total = [_plain(table, row) for row in table.rows], table.total
    if total is not None:
        rows.append([_(words.TOTAL), *_plain(table, total)[1:]])
    return spreadsheets.as_csv(
        [words.heading(column, currency=table.currency) for column in table.figure.columns], rows
    )


def _plain(table: Table, row: Row) -> list[object]:
    units = [column.unit for column in table.figure.columns]
    return [words.plain(value, unit, currency=table.currency) for value, unit in zip(row, units, strict=True)]
