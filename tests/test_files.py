"""Personal files: only whoever may have one gets it, each time anew, and the trail says who took what."""

import zipfile
from io import BytesIO

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.access import Action
from db.models import AuditEntry, Outcome
from tests import portal, raw
from tests.portal import SID, Cookies, Residents


@pytest.fixture
def ada(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ada")


@pytest.fixture
def ben(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ben")


def told(clinic: Engine, action: Action) -> list[tuple[Outcome, int | None]]:
    with Session(clinic) as session:
        rows = session.execute(
            select(AuditEntry.outcome, AuditEntry.patient_id)
            .where(AuditEntry.action == action)
            .order_by(AuditEntry.id)
        )
        return [(outcome, patient_id) for outcome, patient_id in rows]


def test_a_patient_takes_all_their_data_along_and_nobody_else_s(
    address: str,
    clinic: Engine,
    residents: Residents,
    ada: Cookies,
    ben: Cookies,
) -> None:
    path = f"/files/my-data/{residents.ada_id}.zip"
    answer = raw.ask(address, path, ada)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.zip"'
    assert set(zipfile.ZipFile(BytesIO(answer.content)).namelist()) == {"data.json", "summary.pdf"}
    foreign = raw.ask(address, path, ben)
    assert (foreign.status, "Okafor" in foreign.text) == (404, False)
    assert told(clinic, Action.EXPORT_PATIENT) == [
        (Outcome.DONE, residents.ada_id),
        (Outcome.REFUSED, residents.ada_id),
    ]


@pytest.mark.parametrize("username", ["roth", "rita", "albert"])
def test_nobody_at_the_clinic_takes_a_patient_s_data(
    address: str,
    residents: Residents,
    clinic: Engine,
    username: str,
) -> None:
    answer = raw.ask(address, f"/files/my-data/{residents.ada_id}.zip", portal.signed_in(clinic, username))
    assert answer.status == 404


@pytest.mark.parametrize(
    ("username", "status"), [("albert", 200), ("rita", 404), ("roth", 404), ("ada", 404)]
)
def test_the_trail_is_for_administrators(
    address: str,
    clinic: Engine,
    username: str,
    status: int,
) -> None:
    answer = raw.ask(address, "/files/audit.csv?outcome=done", portal.signed_in(clinic, username))
    assert answer.status == status
    assert ("sign in" in answer.text) is (status == 200)


@pytest.mark.parametrize("query", ["outcome=perhaps", "users=x", "from_on=yesterday", "patients=-1"])
def test_a_filter_that_is_none_gets_a_sentence(address: str, clinic: Engine, query: str) -> None:
    answer = raw.ask(address, f"/files/audit.csv?{query}", portal.signed_in(clinic, "albert"))
    assert (answer.status, answer.text) == (400, "That is not a filter of the audit trail.")


@pytest.mark.parametrize(
    "path",
    [
        "/files/audit.csv",
        "/files/my-data/1.zip",
        "/files/appointments/1.ics",
    ],
)
def test_the_signed_out_get_no_file(address: str, path: str) -> None:
    for cookies in (None, {SID: "made up"}):
        answer = raw.ask(address, path, cookies)
        assert (answer.status, answer.headers["cache-control"]) == (401, "no-store")


@pytest.mark.parametrize("number", ["0", "999999999", "9999999999", "-1", "x", "1;2", "%D9%A1"])
def test_a_number_that_is_none_is_not_here(address: str, ada: Cookies, number: str) -> None:
    assert raw.ask(address, f"/files/my-data/{number}.zip", ada).status == 404


def test_a_receipt_is_for_its_patient_and_the_desk(
    address: str, clinic: Engine, residents: Residents, ada: Cookies, ben: Cookies
) -> None:
    entry_id = portal.paid_in_cash(clinic, residents)
    path = f"/files/documents/{entry_id}.pdf"
    answer = raw.ask(address, path, ada)
    assert (answer.status, answer.content[:5]) == (200, b"%PDF-")
    assert answer.headers["content-disposition"] == f'attachment; filename="document-{entry_id}.pdf"'
    assert raw.ask(address, path, portal.signed_in(clinic, "rita")).status == 200
    for cookies, status in ((ben, 404), (portal.signed_in(clinic, "roth"), 404), ({}, 401)):
        assert raw.ask(address, path, cookies).status == status
    for number in ("0", "999999999", "9999999999", "x", "1%22"):
        assert raw.ask(address, f"/files/documents/{number}.pdf", ada).status == 404
    assert told(clinic, Action.SEE_PAYMENTS) == [
        *[(Outcome.DONE, residents.ada_id)] * 2,
        *[(Outcome.REFUSED, residents.ada_id)] * 2,
    ]
