"""An administrator's month on paper: visits, and what was invoiced, received and paid back, with charts."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Sequence
from datetime import date

from reportlab.platypus.flowables import Flowable
from sqlalchemy.orm import Session

from core import access, audit, letterheads, month_figures, pdfs
from core.access import Action, Actor
from core.errors import ClinicError
from core.i18n import N_, _, money, month_name
from core.month_figures import Earned, Month
from core.pdf_charts import Bar, Bars
from core.pdf_pages import Document
from core.summaries import STATUS
from db.models import AppointmentStatus

_YEARS = range(2000, 2101)


class NoSuchMonth(ClinicError):
    message = N_("There is no such month.")


def to_print(session: Session, actor: Actor, *, year: int, month: int) -> Document:
    """The clinic's month in figures. Raises `AccessDenied`, `NoSuchMonth`."""
    access.require(actor, Action.SEE_REVENUE)
    if year not in _YEARS or not 1 <= month <= 12:
        raise NoSuchMonth
    audit.record_read(session, actor, Action.SEE_REVENUE, kind="month", number=year * 100 + month)
    first_on = date(year, month, 1)
    of = month_figures.month(session, first_on)
    sheet = letterheads.sheet(session)
    title = _("Report for {month}").format(month=month_name(first_on))
    story = [*pdfs.letterhead(sheet), pdfs.title(title), *_visits(session, of), *_money(session, of)]
    return Document(story, sheet, title)


def _visits(session: Session, of: Month) -> list[Flowable]:
    counted = month_figures.visits_by_status(session, of)
    if not counted:
        return [pdfs.heading(_("Visits")), pdfs.words(_("No visits."))]
    rows = [(_(STATUS[status]), counted[status]) for status in AppointmentStatus if status in counted]
    total = sum(counted.values())
    by_doctor = month_figures.visits_by_doctor(session, of)
    return [
        pdfs.heading(_("Visits by status")),
        _chart(_("Visits by status"), [Bar(name, count, str(count)) for name, count in rows]),
        pdfs.gap(2),
        pdfs.table(
            (_("Status"), _("Visits")),
            [*((name, str(count)) for name, count in rows), (_("All"), str(total))],
            (None, 40),
            amounts=1,
        ),
        pdfs.heading(_("Visits by doctor")),
        _chart(_("Visits by doctor"), [Bar(name, count, str(count)) for name, _c, _m, count in by_doctor]),
        pdfs.gap(2),
        pdfs.table(
            (_("Doctor"), _("Completed"), _("Did not come"), _("All")),
            [(name, *map(str, counts)) for name, *counts in by_doctor],
            (None, 32, 32, 32),
            amounts=(1, 2, 3),
        ),
    ]


def _money(session: Session, of: Month) -> list[Flowable]:
    """What was earned, first of all doctors, then of each; a chart for each currency."""
    everything = month_figures.earned(session, of)
    if not everything:
        return [pdfs.heading(_("Money")), pdfs.words(_("Nothing was invoiced, received or paid back."))]
    by_doctor = month_figures.earned_by_doctor(session, of)
    parts: list[Flowable] = [pdfs.heading(_("Money")), _sums(_("Currency"), everything)]
    for total in everything:
        name = _("Received by doctor, {currency}").format(currency=total.currency)
        own = [each for each in by_doctor if each.currency == total.currency]
        bars = [
            Bar(each.doctor or "", each.received_minor, money(each.received_minor, each.currency))
            for each in own
        ]
        parts += [pdfs.heading(name), _chart(name, bars), pdfs.gap(2), _sums(_("Doctor"), own)]
    return parts


def _sums(of_what: str, sums: Sequence[Earned]) -> Flowable:
    rows = [
        (
            each.doctor or each.currency,
            money(each.invoiced_minor, each.currency),
            money(each.received_minor, each.currency),
            money(each.refunded_minor, each.currency),
        )
        for each in sums
    ]
    headings = (of_what, _("Invoiced"), _("Received"), _("Paid back"))
    return pdfs.table(headings, rows, (None, 34, 34, 34), amounts=(1, 2, 3))


def _chart(name: str, bars: Sequence[Bar]) -> Bars:
    said = "; ".join(f"{bar.name}: {bar.value}" for bar in bars)
    return Bars(bars, f"{name}. {said}")
