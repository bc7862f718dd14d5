"""Invoices and receipts as PDFs: what stands on them, in whose language, and that a reprint says the same."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from core import documents, erasures, ledger, payouts, tills
from core.access import Action, Actor
from core.errors import AccessDenied, NotFound
from core.i18n import speaking
from db.models import Appointment, AuditEntry, EntryKind, LedgerEntry, Patient, PaymentMethod, RefundState
from tests import make
from tests.cast import NOW, Cast, assemble, on, time_is

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler's pdftotext")
CASH, TERMINAL = PaymentMethod.CASH, PaymentMethod.TERMINAL


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's, of which a part was paid each way and a part was given back."""
    make.clinic(session, phone="+493012345678")
    cast.checkup.name = "Check-up"
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)
    spent(session, cast, visit)
    return visit


def spent(session: Session, cast: Cast, visit: Appointment) -> None:
    """Two payments and a refund by hand, of a third of the price."""
    third = visit.price_minor // 3
    take = {"appointment_id": visit.id, "amount_minor": third}
    paid = tills.take(session, cast.desk, method=CASH, **take)
    tills.take(session, cast.desk, method=TERMINAL, **take)
    payouts.pay_back(session, cast.desk, payment_id=paid.id, amount_minor=third // 2, reason="Ill")


def entry(session: Session, visit: Appointment, kind: EntryKind) -> LedgerEntry:
    return next(each for each in ledger.entries(session, [visit.id]) if each.kind is kind)


def text_of(session: Session, actor: Actor, written: LedgerEntry) -> str:
    """What can be read on a document, its columns apart by some blanks."""
    pdf = documents.to_print(session, actor, entry_id=written.id).as_pdf()
    read = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return read.stdout.decode()


def lines_of(session: Session, actor: Actor, written: LedgerEntry) -> list[str]:
    """Its lines, with one blank between two words."""
    lines = text_of(session, actor, written).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_an_invoice_says_who_asks_whom_for_what_and_what_is_open(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    assert lines_of(session, cast.ada, entry(session, visit, EntryKind.INVOICE)) == [
        "Linden Clinic",
        "Lindenstraße 1, Berlin",
        "+49 30 12345678",
        "Invoice I-000001",
        "Date Jun 1, 2026, 8:00 AM",
        "Patient Ada Okafor",
        "Birth date May 17, 1985",
        "Visit Jun 3, 2026, 10:00 AM",
        "Service Check-up",
        "Doctor Dr. Eva Roth",
        "To pay €60.00",
        "This visit until then",
        "Date Document Method Amount",
        "Jun 1, 2026 Invoice I-000001 €60.00",
        "To pay then: €60.00",
        "Printed on Monday, June 1, 2026, 8:00 AM (GMT+02:00)",
        "Linden Clinic Page 1 of 1",
    ]


def test_a_receipt_says_how_it_was_paid_and_what_is_open_after_it(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    lines = lines_of(session, cast.ada, entry(session, visit, EntryKind.PAYMENT))
    assert {"Receipt R-000001", "Method Cash", "Paid €20.00", "To pay then: €40.00"} <= set(lines)


def test_a_refund_has_a_receipt_and_what_was_credited_a_note(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    lines = lines_of(session, cast.ada, entry(session, visit, EntryKind.CREDIT))
    assert {"Credit note I-000002", "Credited €10.00", "To pay then: €10.00"} <= set(lines)
    lines = lines_of(session, cast.ada, entry(session, visit, EntryKind.REFUND))
    assert {"Refund receipt R-000003", "Method Cash", "Paid back €10.00"} <= set(lines)
    assert lines[-8:-3] == [
        "Jun 1, 2026 Invoice I-000001 €60.00",
        "Jun 1, 2026 Receipt R-000001 Cash -€20.00",
        "Jun 1, 2026 Receipt R-000002 Card, at the desk -€20.00",
        "Jun 1, 2026 Credit note I-000002 -€10.00",
        "Jun 1, 2026 Refund receipt R-000003 Cash €10.00",
    ]
    assert "To pay then: €20.00" in lines


def test_a_refund_that_did_not_go_through_is_a_document_too(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    paid = make.payment(session, visit, 1000, state="paid")
    ledger.receive(session, None, visit, paid)
    refund = make.refund(session, paid, 1000, state=RefundState.FAILED)
    ledger.pay_back(session, None, visit, refund)
    ledger.take_back(session, visit, refund)
    lines = lines_of(session, cast.ada, entry(session, visit, EntryKind.REFUND_FAILED))
    assert lines[3] == "Refund that did not go through R-000006"
    assert {"Method Card, online", "Did not go through €10.00"} <= set(lines)


@pytest.mark.parametrize(
    ("currency", "price_minor", "shown"),
    [("EUR", 6000, "€60.00"), ("USD", 6000, "$60.00"), ("JPY", 4500, "¥4,500")],
)
def test_amounts_have_the_currency_s_own_decimals(
    session: Session, cast: Cast, currency: str, price_minor: int, shown: str
) -> None:
    make.clinic(session, currency=currency)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), price_minor=price_minor)
    tills.invoice(session, cast.desk, appointment_id=visit.id)
    assert f"To pay {shown}" in lines_of(session, cast.desk, entry(session, visit, EntryKind.INVOICE))


def test_a_reprint_says_the_same_whatever_has_changed_since_but_when_it_was_printed(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    receipt = entry(session, visit, EntryKind.PAYMENT)
    first = lines_of(session, cast.ada, receipt)
    ada = session.get_one(Patient, visit.patient_id)
    ada.name, ada.birth_on = "Ada Klein", date(1999, 1, 1)
    cast.checkup.name, cast.dr_roth.user.name = "Talk", "Dr. Eva Klein"
    make.main_location(session).address = "Elsewhere"
    make.clinic(session, name="Another Clinic", phone="+493099999999", currency="USD")
    visit.starts_at += timedelta(hours=1)
    visit.ends_at += timedelta(hours=1)
    visit.blocked = make.Range(visit.starts_at, visit.ends_at)
    with time_is(NOW + timedelta(days=1)):
        tills.take(session, cast.desk, appointment_id=visit.id, method=CASH, amount_minor=500)
        again = lines_of(session, cast.ada, receipt)
    differing = [pair for pair in zip(first, again, strict=True) if pair[0] != pair[1]]
    assert differing == [
        (
            "Printed on Monday, June 1, 2026, 8:00 AM (GMT+02:00)",
            "Printed on Tuesday, June 2, 2026, 8:00 AM (GMT+02:00)",
        )
    ]


def test_a_document_is_dated_as_its_reader_dates_things(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    with speaking("en_GB"):
        lines = lines_of(session, cast.ada, entry(session, visit, EntryKind.INVOICE))
    assert {"Date 1 Jun 2026, 08:00", "Birth date 17 May 1985"} <= set(lines)


@pytest.mark.parametrize("name", ["Анастасия Вознесенская", "Nguyễn Thị Hương", "<b>Ada</b> & Söhne"])
def test_names_stand_as_they_are_written(session: Session, cast: Cast, name: str) -> None:
    patient = make.patient(session, name=name)
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=patient)
    tills.invoice(session, cast.desk, appointment_id=visit.id)
    assert f"Patient {name}" in lines_of(session, cast.desk, entry(session, visit, EntryKind.INVOICE))


def test_many_part_payments_go_on_over_the_page(session: Session, cast: Cast, visit: Appointment) -> None:
    for _each in range(40):
        tills.take(session, cast.desk, appointment_id=visit.id, method=CASH, amount_minor=1)
    last = ledger.entries(session, [visit.id])[-1]
    lines = lines_of(session, cast.ada, last)
    assert {"Linden Clinic Page 1 of 2", "Linden Clinic Page 2 of 2"} <= set(lines)
    assert lines.count("Date Document Method Amount") == 2


def test_documents_of_an_erased_patient_are_without_the_person(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    erasures.anonymise(session, [visit.patient_id])
    session.expire_all()
    text = text_of(session, cast.desk, entry(session, visit, EntryKind.INVOICE))
    assert ("Okafor" in text, "Birth date" in text, "Invoice I-000001" in text) == (False, False, True)


@pytest.mark.parametrize("name", ["ben", "roth", "stranger"])
def test_a_document_is_for_its_patient_and_the_desk(
    session: Session, cast: Cast, visit: Appointment, name: str
) -> None:
    written = entry(session, visit, EntryKind.INVOICE)
    with pytest.raises(AccessDenied):
        documents.to_print(session, getattr(cast, name), entry_id=written.id).as_pdf()
    with pytest.raises(AccessDenied):
        documents.listed(session, getattr(cast, name), patient_id=visit.patient_id)
    with pytest.raises(NotFound):
        documents.to_print(session, cast.desk, entry_id=0).as_pdf()


def test_documents_are_listed_newest_first_and_looks_at_another_s_are_told(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    for actor in (cast.ada, cast.desk):
        found = documents.listed(session, actor, patient_id=visit.patient_id)
        assert [documents.number(each) for each in found] == [
            "R-000003",
            "I-000002",
            "R-000002",
            "R-000001",
            "I-000001",
        ]
    looks = session.query(AuditEntry).filter_by(action=Action.SEE_PAYMENTS).all()
    assert [(look.user_id, look.patient_id) for look in looks] == [(cast.desk.user_id, visit.patient_id)]
