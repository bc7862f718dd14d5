"""Invoices, credit notes and receipts as PDFs: one for each entry of the ledger, under its number.

What stands on one comes from its entry and those before it, so a reprint says what the first print said; only
the time of printing is new.
"""

from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access, audit, ledger, letterheads, pdfs, statements
from core.access import Action, Actor
from core.errors import NotFound
from core.i18n import N_, _, clock_time, money, short_date
from core.pdf_pages import Document, Sheet
from db.models import EntryKind, LedgerEntry, PaymentMethod, Series

NAME = {
    EntryKind.INVOICE: N_("Invoice {number}"),
    EntryKind.CREDIT: N_("Credit note {number}"),
    EntryKind.PAYMENT: N_("Receipt {number}"),
    EntryKind.REFUND: N_("Refund receipt {number}"),
    EntryKind.REFUND_FAILED: N_("Refund that did not go through {number}"),
}
METHOD = {
    PaymentMethod.ONLINE: N_("Card, online"),
    PaymentMethod.TERMINAL: N_("Card, at the desk"),
    PaymentMethod.CASH: N_("Cash"),
}
_LETTER = {Series.INVOICE: "I", Series.RECEIPT: "R"}
_ABOUT = {
    EntryKind.INVOICE: N_("To pay"),
    EntryKind.CREDIT: N_("Credited"),
    EntryKind.PAYMENT: N_("Paid"),
    EntryKind.REFUND: N_("Paid back"),
    EntryKind.REFUND_FAILED: N_("Did not go through"),
}


class Printed(NamedTuple):
    """What a document needs beside its entry: those of its visit up to it, and where and when it is made."""

    entry: LedgerEntry
    so_far: list[LedgerEntry]
    sheet: Sheet

    @property
    def zone(self) -> tzinfo:
        return self.sheet.zone


def number(entry: LedgerEntry) -> str:
    """A document's number as it stands on it: I-000042, R-000007."""
    return f"{_LETTER[entry.series]}-{entry.number:06}"


def name(entry: LedgerEntry) -> str:
    """What a document is called: Invoice I-000042."""
    return _(NAME[entry.kind]).format(number=number(entry))


def listed(session: Session, actor: Actor, *, patient_id: int) -> list[LedgerEntry]:
    """A patient's documents, the newest first."""
    access.require(actor, Action.SEE_PAYMENTS, patient_id=patient_id)
    statements.note_look(session, actor, patient_id)
    query = select(LedgerEntry).where(LedgerEntry.patient_id == patient_id)
    return list(session.scalars(query.order_by(LedgerEntry.id.desc())))


def to_print(session: Session, actor: Actor, *, entry_id: int) -> Document:
    """The document of an entry, in the reader's language. Raises `AccessDenied`, `NotFound`."""
    entry = session.get(LedgerEntry, entry_id)
    if entry is None:
        raise NotFound
    access.require(actor, Action.SEE_PAYMENTS, patient_id=entry.patient_id)
    audit.record_read(
        session,
        actor,
        Action.SEE_PAYMENTS,
        kind="document",
        number=entry_id,
        patient_id=entry.patient_id,
    )
    written = ledger.entries(session, [entry.appointment_id])
    so_far = [each for each in written if each.id <= entry_id]
    stands = entry.particulars
    sheet = letterheads.sheet(session)._replace(
        name=stands["clinic"], address=stands["address"], phone=stands.get("phone")
    )
    return Document(_story(Printed(entry, so_far, sheet)), sheet, name(entry))


def _story(printed: Printed) -> list[Any]:
    return [
        *pdfs.letterhead(printed.sheet),
        pdfs.title(name(printed.entry)),
        pdfs.facts(_facts(printed)),
        pdfs.heading(_("This visit until then")),
        _account(printed),
        pdfs.heading(_balance(printed)),
    ]


def _facts(printed: Printed) -> list[tuple[str, str]]:
    entry, stands, zone = printed.entry, printed.entry.particulars, printed.zone
    found = [(_("Date"), _moment(entry.at, zone))]
    if "patient" in stands:
        born = short_date(date.fromisoformat(stands["birth_on"]))
        found += [(_("Patient"), stands["patient"]), (_("Birth date"), born)]
    found += [
        (_("Visit"), _moment(datetime.fromisoformat(stands["starts_at"]), zone)),
        (_("Service"), stands["service"]),
        (_("Doctor"), stands["doctor"]),
    ]
    if entry.method is not None:
        found.append((_("Method"), _(METHOD[entry.method])))
    return [*found, (_(_ABOUT[entry.kind]), money(abs(entry.amount_minor), entry.currency))]


def _account(printed: Printed) -> Any:
    """What was invoiced, paid and paid back of the visit up to this document, with its sign and number."""
    rows = [
        (
            short_date(each.at.astimezone(printed.zone).date()),
            name(each),
            _(METHOD[each.method]) if each.method else "",
            money(each.amount_minor, each.currency),
        )
        for each in printed.so_far
    ]
    return pdfs.table(
        (_("Date"), _("Document"), _("Method"), _("Amount")), rows, (28, None, 38, 32), amounts=3
    )


def _balance(printed: Printed) -> str:
    """What is open after this document, either way."""
    open_minor = sum(each.amount_minor for each in printed.so_far)
    amount = money(abs(open_minor), printed.entry.currency)
    if open_minor > 0:
        return _("To pay then: {amount}").format(amount=amount)
    if open_minor < 0:
        return _("Owed to you then: {amount}").format(amount=amount)
    return _("Settled: nothing is open.")


def _moment(at: datetime, zone: tzinfo) -> str:
    return f"{short_date(at.astimezone(zone).date())}, {clock_time(at, zone)}"
