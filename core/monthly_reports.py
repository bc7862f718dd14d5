"""An administrator's month on paper: visits, and what was booked, earned, received and paid back."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Sequence
from datetime import date

from reportlab.platypus.flowables import Flowable
from sqlalchemy.orm import Session

from core import access, audit, clinics, figure_pdfs, figures, letterheads, pdfs, visit_counts
from core.access import Action, Actor
from core.analytics import revenue, words
from core.analytics.scopes import Scope
from core.analytics.sums import MoneySums
from core.errors import ClinicError
from core.i18n import N_, _, money, month_name
from core.pdf_charts import Bar, Bars
from core.pdf_pages import Document, Sheet
from core.summaries import STATUS
from db.models import AppointmentStatus

_YEARS = range(2000, 2101)
_FIGURES = (revenue.by_doctor, revenue.by_service, revenue.by_method)
SUMS = N_(
    "Invoiced: the invoices that were written in the month, less what was credited in it, whenever the visits"
    " are. Received: what was paid in the month. Paid back: what went back in it; what failed on its way is"
    " not paid back."
)


class NoSuchMonth(ClinicError):
    message = N_("There is no such month.")


def to_print(session: Session, actor: Actor, *, year: int, month: int) -> Document:
    """The clinic's month in figures, which are those of the screen. Raises `AccessDenied`, `NoSuchMonth`."""
    access.require(actor, Action.SEE_REVENUE)
    if year not in _YEARS or not 1 <= month <= 12:
        raise NoSuchMonth
    audit.record_read(session, actor, Action.SEE_REVENUE, kind="month", number=year * 100 + month)
    first_on = date(year, month, 1)
    scope, sheet = visit_counts.month(first_on), letterheads.sheet(session)
    title = _("Report for {month}").format(month=month_name(first_on))
    story = [
        *pdfs.letterhead(sheet),
        pdfs.title(title),
        *_visits(session, scope),
        *_money(session, actor, scope, sheet),
    ]
    return Document(story, sheet, title)


def _visits(session: Session, scope: Scope) -> list[Flowable]:
    counted = visit_counts.visits_by_status(session, scope)
    if not counted:
        return [pdfs.heading(_("Visits")), pdfs.words(_("No visits."))]
    rows = [(_(STATUS[status]), counted[status]) for status in AppointmentStatus if status in counted]
    total = sum(counted.values())
    by_doctor = visit_counts.visits_by_doctor(session, scope)
    columns = zip(*(counts for _name, *counts in by_doctor), strict=True)
    total_line = (_(words.TOTAL), *(str(sum(counts)) for counts in columns))
    return [
        pdfs.heading(_("Visits by status")),
        _chart(_("Visits by status"), [Bar(name, count, str(count)) for name, count in rows]),
        pdfs.gap(2),
        pdfs.table(
            (_("Status"), _("Visits")),
            [(name, str(count)) for name, count in rows],
            (None, 40),
            amounts=1,
            total=(_("All"), str(total)),
        ),
        pdfs.heading(_("Visits by doctor")),
        _chart(_("Visits by doctor"), [Bar(name, count, str(count)) for name, _c, _m, count in by_doctor]),
        pdfs.gap(2),
        pdfs.table(
            (_("Doctor"), _("Completed"), _("Did not come"), _("All")),
            [(name, *map(str, counts)) for name, *counts in by_doctor],
            (None, 32, 32, 32),
            amounts=(1, 2, 3),
            total=total_line if len(by_doctor) > 1 else None,
        ),
    ]


def _money(session: Session, actor: Actor, scope: Scope, sheet: Sheet) -> list[Flowable]:
    """What came and went, then by doctor, by service and by how it was paid."""
    _visits, total = revenue.total(session, scope)
    others = revenue.other_currencies(session, scope)
    left_out = _("Sums in {currencies} are left out.").format(currencies=", ".join(others))
    notes = [pdfs.note(left_out)] if others else []
    came: list[Flowable] = [pdfs.words(_("Nothing was invoiced, received or paid back."))]
    if total != MoneySums():
        came = [pdfs.note(_(SUMS)), pdfs.gap(2), _sums(clinics.settings(session).currency, total)]
    tables = [figures.read(session, actor, key=figure.key, scope=scope) for figure in _FIGURES]
    there = [table for table in tables if table.rows]
    return [pdfs.heading(_("Money")), *came, *notes, *figure_pdfs.parts(there, sheet)]


def _sums(currency: str, total: MoneySums) -> Flowable:
    headings = (_("Currency"), _("Invoiced"), _("Received"), _("Paid back"))
    sums = (total.invoiced_minor, total.received_minor, total.refunded_minor)
    row = (currency, *(money(minor, currency) for minor in sums))
    return pdfs.table(headings, [row], (None, 34, 34, 34), amounts=(1, 2, 3))


def _chart(name: str, bars: Sequence[Bar]) -> Bars:
    said = "; ".join(f"{bar.name}: {bar.value}" for bar in bars)
    return Bars(bars, f"{name}. {said}")
