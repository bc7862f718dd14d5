"""Documents, files of a record and figures at their addresses: for whom they are, and what those may say."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import attachments, clock
from core.access import Action, Actor
from db.models import AppointmentStatus, AuditEntry, Doctor, Outcome, Patient, Role, Service, User
from db.session import unit_of_work
from tests import clinical, make, portal, raw
from tests.portal import SID, Cookies, Residents


@dataclass(frozen=True)
class Addresses:
    """Where everything of a record of Ada's is, and a day and a month."""

    of_record: dict[str, str]
    day: str
    month: str
    draft: str
    hostile: str


@pytest.fixture(scope="module")
def addresses(clinic: Engine, residents: Residents) -> Addresses:
    with unit_of_work(clinic) as session:
        roth = session.get_one(Doctor, residents.roth_id)
        account = session.get_one(User, roth.user_id)
        doctor = Actor(account.id, Role.DOCTOR, account.name, doctor_id=roth.id)
        visit = make.appointment(
            session,
            roth,
            session.get_one(Service, residents.checkup_id),
            clock.now() - timedelta(hours=2),
            patient=session.get_one(Patient, residents.ada_id),
            status=AppointmentStatus.ARRIVED,
        )
        made = clinical.written(session, doctor, visit, "Migraine")
        named = 'Befund "Mühle"; 検査.pdf'
        hostile = attachments.add(
            session, doctor, patient_id=residents.ada_id, name=named, content=b"%PDF-1.7 another"
        )
        return Addresses(
            {
                "history": f"/files/history/{residents.ada_id}.pdf",
                "visit": f"/files/visits/{made.visit_id}.pdf",
                "prescription": f"/files/prescriptions/{made.prescription_id}.pdf",
                "letter": f"/files/letters/{made.letter_id}.pdf",
                "attachment": f"/files/attachments/{made.attachment_id}",
            },
            f"/files/days/{roth.id}/{clock.now().date()}.pdf",
            f"/files/months/{clock.now():%Y-%m}.pdf",
            f"/files/prescriptions/{made.draft_id}.pdf",
            f"/files/attachments/{hostile}",
        )


@pytest.fixture(scope="module")
def people(clinic: Engine, residents: Residents) -> dict[str, Cookies]:
    return {
        name: portal.signed_in(clinic, name) for name in ("ada", "ben", "roth", "weiss", "rita", "albert")
    }


KINDS = ["history", "visit", "prescription", "letter", "attachment"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_of_a_record_is_for_the_patient_and_the_doctor(
    address: str, clinic: Engine, addresses: Addresses, people: dict[str, Cookies], kind: str
) -> None:
    path = addresses.of_record[kind]
    for name in ("ada", "roth"):
        answer = raw.ask(address, path, people[name])
        assert (answer.status, answer.content[:5]) == (200, b"%PDF-")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("ben", "weiss", "rita", "albert"):
        answer = raw.ask(address, path, people[name])
        assert (answer.status, "Okafor" in answer.text) == (404, False)
    for cookies in ({}, {SID: "made up"}):
        assert raw.ask(address, path, cookies).status == 401
    with Session(clinic) as session:
        refused = select(AuditEntry.id).where(
            AuditEntry.action == Action.SEE_RECORD, AuditEntry.outcome == Outcome.REFUSED
        )
        assert len(session.scalars(refused).all()) >= 4


def test_a_day_is_for_its_doctor_and_the_desk_and_a_month_for_administrators(
    address: str, addresses: Addresses, people: dict[str, Cookies]
) -> None:
    days = {"roth": 200, "rita": 200, "albert": 200, "weiss": 404, "ada": 404}
    months = {"albert": 200, "rita": 404, "roth": 404, "ada": 404}
    for path, wanted in ((addresses.day, days), (addresses.month, months)):
        for name, status in wanted.items():
            assert raw.ask(address, path, people[name]).status == status, name
        assert raw.ask(address, path, {}).status == 401


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "until=2026-02-30",
        "from=0001-01-01",
        "from=2026-06-02&until=2026-06-01",
        "sections=secrets",
        "sections=",
        "sections=lists,,visits",
        "from=%00",
    ],
)
def test_a_history_that_cannot_be_gets_a_sentence(
    address: str, addresses: Addresses, people: dict[str, Cookies], query: str
) -> None:
    answer = raw.ask(address, f"{addresses.of_record['history']}?{query}", people["ada"])
    assert answer.status == 400
    assert answer.text.startswith(("Please ", "The last day "))


@pytest.mark.parametrize(
    "query", ["from=2026-01-01&until=2026-12-31", "sections=lists,files", "sections=visits&from=", "other=1"]
)
def test_a_history_can_be_of_a_period_and_of_some_sections(
    address: str, addresses: Addresses, people: dict[str, Cookies], query: str
) -> None:
    answer = raw.ask(address, f"{addresses.of_record['history']}?{query}", people["ada"])
    assert (answer.status, answer.content[:5]) == (200, b"%PDF-")


def test_figures_are_files_for_administrators_and_for_the_doctor_whose_they_are(
    address: str, residents: Residents, people: dict[str, Cookies]
) -> None:
    period = "from=2026-05-01&until=2026-05-31"
    of_the_clinic = {"albert": 200, "roth": 404, "rita": 404, "ada": 404}
    of_roth = {"albert": 200, "roth": 200, "weiss": 404, "rita": 404, "ada": 404}
    csv, pdf = b"\xef\xbb\xbf", b"%PDF-"
    for path, head in (
        *((f"revenue-by_service.csv?{period}", csv), (f"utilisation.pdf?{period}", pdf)),
        (f"revenue-by_method/visits.csv?{period}&row=Cash", csv),
    ):
        whole = f"/files/figures/{path}"
        for asked, wanted in ((whole, of_the_clinic), (f"{whole}&doctor={residents.roth_id}", of_roth)):
            for name, status in wanted.items():
                answer = raw.ask(address, asked, people[name])
                assert (answer.status, answer.content.startswith(head)) == (status, status == 200), name
                assert answer.headers["cache-control"] == "no-store"
            assert raw.ask(address, asked, {}).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "revenue-by_service.csv",
        "revenue-by_service.csv?from=2026-05-31&until=2026-05-01",
        "utilisation.pdf?from=x",
    ],
)
def test_a_view_that_cannot_be_read_gets_a_sentence(
    address: str, people: dict[str, Cookies], path: str
) -> None:
    answer = raw.ask(address, f"/files/figures/{path}", people["albert"])
    assert answer.status == 400
    assert answer.text.startswith(("The address of this view ", "The last day comes before the first."))


def test_what_is_not_there_is_not_found(
    address: str, addresses: Addresses, people: dict[str, Cookies]
) -> None:
    for number in ("0", "999999999", "9999999999", "x", "-1", "%D9%A1"):
        for folder in ("history", "visits", "prescriptions", "letters"):
            assert raw.ask(address, f"/files/{folder}/{number}.pdf", people["ada"]).status == 404
        assert raw.ask(address, f"/files/attachments/{number}", people["ada"]).status == 404
    for day in ("1/2026-02-30", "1/tomorrow", "1/9999-12-31", "0/2026-06-01", "x/2026-06-01"):
        assert raw.ask(address, f"/files/days/{day}.pdf", people["rita"]).status == 404
    for month in ("2026-13", "2026", "0001-01", "9999-12", "2026-06-01"):
        assert raw.ask(address, f"/files/months/{month}.pdf", people["albert"]).status == 404
    for figures in ("secrets.csv", "secrets.pdf", "secrets/visits.csv", "revenue-by_method/visits.csv"):
        asked = f"/files/figures/{figures}?from=2026-05-01&until=2026-05-31&row=Credit"
        assert raw.ask(address, asked, people["albert"]).status == 404
    assert raw.ask(address, addresses.draft, people["roth"]).status == 404


def test_a_file_keeps_its_name_in_any_script_and_puts_nothing_into_the_header(
    address: str, addresses: Addresses, people: dict[str, Cookies]
) -> None:
    answer = raw.ask(address, addresses.hostile, people["ada"])
    said = answer.headers["content-disposition"]
    name = quote('Befund "Mühle"; 検査.pdf', safe="")
    assert said == (f"attachment; filename=\"Befund _M_hle_; __.pdf\"; filename*=UTF-8''{name}")
    assert answer.content == b"%PDF-1.7 another"
