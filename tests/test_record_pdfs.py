"""The documents of a record: what stands on each, in many scripts, empty, long and with hostile words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from core import (
    day_lists,
    doctor_letters,
    history_choices,
    history_reports,
    letter_drafts,
    letter_pdfs,
    letterheads,
    monthly_reports,
    notes,
    prescription_drafts,
    prescription_pdfs,
    prescriptions,
    record_items,
    tills,
    visit_summaries,
)
from core.access import Action, Actor
from core.errors import AccessDenied, NotFound
from core.history_choices import NoSuchSection, PeriodTurnedRound, PeriodUnreadable
from core.i18n import speaking
from core.monthly_reports import NoSuchMonth
from db.models import (
    AppointmentStatus,
    AuditEntry,
    Ending,
    ItemKind,
    LetterKind,
    Paper,
    Patient,
    PaymentMethod,
)
from tests import clinical, make, papers
from tests.cast import NOW, Cast, assemble, on, time_is
from tests.clinical import ITEM, Clinical, fields

pytestmark = papers.needs_poppler
SCRIPTS = {
    "latin": "Łucja Nguyễn-Thị Hương Ñandú",
    "cyrillic": "Анастасия Їжакевич",
    "greek": "Άννα Παπαδοπούλου",
    "arabic": "فاطمة الزهراء بنت محمد",
    "hebrew": "שרה כהן",
    "devanagari": "प्रिया क्षेत्रपाल शर्मा",
    "chinese": "张伟",
    "japanese": "山田ひかり",
    "korean": "김민준",
    "mixed": "Ada علي שרה प्रिया 张伟 김민준 Ωμέγα Жук",
}
HOSTILE = [
    '<img src="/etc/passwd"/>',
    "<b>never closed & <i>",
    "]TJ ET (x) Tj \\) endstream >> %%EOF",
    "😀 \U0001f9ff क\u200d",
    "x" * 190,
]


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@dataclass(frozen=True)
class Written:
    """A record in which everything has the same words, and who may print what of it."""

    session: Session
    cast: Cast
    patient_id: int
    in_it: Clinical

    def history(self, actor: Actor | None = None, **wanted: Any) -> bytes:
        reader = actor or self.cast.roth
        return history_reports.to_print(self.session, reader, patient_id=self.patient_id, **wanted).as_pdf()

    def visit(self, actor: Actor | None = None) -> bytes:
        reader = actor or self.cast.roth
        return visit_summaries.to_print(self.session, reader, appointment_id=self.in_it.visit_id).as_pdf()

    def prescription(self, actor: Actor | None = None) -> bytes:
        reader = actor or self.cast.roth
        number = self.in_it.prescription_id
        return prescription_pdfs.to_print(self.session, reader, prescription_id=number).as_pdf()

    def letter(self, actor: Actor | None = None) -> bytes:
        reader = actor or self.cast.roth
        return letter_pdfs.to_print(self.session, reader, letter_id=self.in_it.letter_id).as_pdf()

    def day(self, actor: Actor | None = None) -> bytes:
        reader, doctor_id = actor or self.cast.roth, self.cast.dr_roth.id
        return day_lists.to_print(self.session, reader, doctor_id=doctor_id, on=NOW.date()).as_pdf()


def written(session: Session, cast: Cast, words: str, name: str | None = None, **more: Any) -> Written:
    patient = make.patient(session, name=name or words)
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, patient)
    return Written(session, cast, patient.id, clinical.written(session, cast.roth, visit, words, **more))


PRINTED: dict[str, tuple[Callable[[Written], bytes], str]] = {
    "history": (Written.history, "Patient history"),
    "visit": (Written.visit, "Visit of Jun 1, 2026"),
    "prescription": (Written.prescription, "Prescription"),
    "letter": (Written.letter, "Referral letter"),
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("document", PRINTED)
def test_names_and_notes_can_be_read_and_copied_in_every_script(
    session: Session, cast: Cast, document: str, script: str
) -> None:
    words = SCRIPTS[script]
    pdf = PRINTED[document][0](written(session, cast, words))
    read = papers.run_on(pdf)
    assert [word for word in words.split() if word not in read] == []
    assert set(papers.fonts(pdf)) == {("yes", "yes", "yes")}


@pytest.mark.parametrize("document", PRINTED)
def test_a_document_says_what_it_is_and_whose_on_every_page(
    session: Session, cast: Cast, document: str
) -> None:
    make.clinic(session, phone="+493012345678", address="Lindenstraße 1\n10115 Berlin")
    build, title = PRINTED[document]
    record = written(session, cast, ("Tea " * 40).strip(), "Ada Łoś")
    with speaking("en_GB"):
        pdf = build(record)
    said = papers.info(pdf)
    assert said["Title"].startswith(title.replace("Jun 1, 2026", "1 Jun 2026"))
    assert (said["Author"], said["Tagged"]) == ("Linden Clinic", "yes")
    assert b"/Lang (en-GB)" in pdf
    assert "H1" in papers.structure(pdf)
    pages = papers.pages_of(pdf)
    for number, page in enumerate(pages, start=1):
        assert "Ada Łoś, born " in page
        assert "Printed on Monday 1 June 2026, 08:00 (GMT+02:00)" in page.replace("Monday,", "Monday")
        assert page.endswith(f"Linden Clinic Page {number} of {len(pages)}")
    assert "Lindenstraße 1 10115 Berlin +49 30 12345678" in pages[0]


@pytest.mark.parametrize("name", ["Maximiliana " * 16, "山田" * 90, "عبد الرحمن " * 18])
def test_a_long_name_is_cut_at_the_foot_and_the_birth_date_stays(
    session: Session, cast: Cast, name: str
) -> None:
    record = written(session, cast, "Tea", name.strip())
    for page in papers.pages_of(record.history()):
        assert ", born May 17, 1985" in page
        assert "…" in page
        assert "Printed on Monday, June 1, 2026, 8:00 AM (GMT+02:00)" in page


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_stands_in_a_record_stays_text(session: Session, cast: Cast, words: str) -> None:
    record = written(session, cast, words, f"Ada {words}"[:150])
    for build, _title in PRINTED.values():
        pdf = build(record)
        for active in (b"/URI", b"/Subtype /Image", b"/JavaScript", b"/Launch"):
            assert active not in pdf
        joined = "".join(papers.text_of(pdf).split())
        assert "".join(words.replace("\u200d", "").split()) in joined.replace("\u200d", "")


@pytest.mark.parametrize(("paper", "size"), [(Paper.A4, "A4"), (Paper.LETTER, "letter")])
def test_the_paper_and_the_logo_are_the_clinic_s(
    session: Session, cast: Cast, paper: Paper, size: str
) -> None:
    logo = BytesIO()
    Image.new("RGBA", (900, 300), (20, 110, 120, 128)).save(logo, "PNG")
    letterheads.change(session, cast.admin, address="Lindenstraße 1", paper=paper)
    record = written(session, cast, "Tea")
    assert b"/Subtype /Image" not in record.letter()
    letterheads.change_logo(session, cast.admin, content=logo.getvalue())
    for build, _title in PRINTED.values():
        pdf = build(record)
        assert size in papers.info(pdf)["Page size"]
        assert b"/Subtype /Image" in pdf


def test_a_visit_summary_has_the_note_with_units_and_what_was_prescribed(
    session: Session, cast: Cast
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    typed = fields(reason="Cough", plan="Tea", systolic="120", diastolic="80", weight="72.5", spo2="98")
    notes.sign(session, cast.roth, appointment_id=visit.id, fields=typed, revision=0)
    amended = typed | {"plan": "Tea and rest"}
    notes.sign(
        session, cast.roth, appointment_id=visit.id, fields=amended, revision=-1, amendment="Forgot the rest"
    )
    text = papers.text_of(visit_summaries.to_print(session, cast.roth, appointment_id=visit.id).as_pdf())
    assert "Visit of Jun 1, 2026 Patient Ada Okafor" in text
    assert "Weight 72.5 kg · Blood pressure 120/80 mmHg · SpO₂ 98 %" in text
    assert "Plan Tea and rest" in text
    assert "Amended: Forgot the rest Signed electronically by Dr. Eva Roth on Monday, June 1, 2026" in text
    assert "Prescriptions" not in text


def test_an_amended_note_says_what_it_read_before_and_until_when(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    for number, (plan, why) in enumerate(
        (("Tea", ""), ("Rest", "No tea there"), ("Sleep", "Rest was not it"))
    ):
        with time_is(NOW + timedelta(hours=number)):
            notes.sign(
                session,
                cast.roth,
                appointment_id=visit.id,
                fields=fields(plan=plan, pulse=str(60 + number)),
                revision=-number,
                amendment=why,
            )
    record = Written(session, cast, ada.id, Clinical(visit.id, 0, 0, 0, 0, 0, 0, 0))
    notes.release(session, cast.roth, appointment_id=visit.id)
    for reader in (cast.roth, cast.ada):
        for build in (record.history, record.visit):
            text = papers.text_of(build(reader))
            assert "Plan Sleep Vital signs Pulse 62 /min" in text
            assert "Amended: No tea there" in text
            assert (
                "Earlier version, signed on Jun 1, 2026, 9:00 AM, valid until Jun 1, 2026, 10:00 AM "
                "Plan Rest Vital signs Pulse 61 /min "
                "Earlier version, signed on Jun 1, 2026, 8:00 AM, valid until Jun 1, 2026, 9:00 AM "
                "Plan Tea Vital signs Pulse 60 /min"
            ) in text


def test_a_patient_reads_a_note_once_it_was_released(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    notes.sign(session, cast.roth, appointment_id=visit.id, fields=fields(reason="Migraine"), revision=0)
    record = Written(session, cast, ada.id, Clinical(visit.id, 0, 0, 0, 0, 0, 0, 0))
    for build in (record.history, record.visit):
        assert "Migraine" in papers.text_of(build(cast.roth))
        assert "Migraine" not in papers.text_of(build(cast.ada))
    notes.release(session, cast.roth, appointment_id=visit.id)
    for build in (record.history, record.visit):
        assert "Migraine" in papers.text_of(build(cast.ada))


def test_a_prescription_says_how_each_drug_is_taken_and_who_signed(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    items = [ITEM | {"form": "tablet", "duration": "7 days", "instructions": "After a meal.\nWith water."}]
    draft = prescription_drafts.save(session, cast.roth, appointment_id=visit.id, items=items, revision=0)
    with pytest.raises(NotFound):
        prescription_pdfs.to_print(session, cast.roth, prescription_id=draft.id).as_pdf()
    prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=draft.revision)
    text = papers.text_of(prescription_pdfs.to_print(session, cast.ada, prescription_id=draft.id).as_pdf())
    assert "1. Ibuprofen 400 mg tablet Dose 1 tablet How often 3 times a day How long 7 days" in text
    assert "Instructions After a meal. With water." in text
    assert "Signed electronically by Dr. Eva Roth on Monday, June 1, 2026, 8:00 AM (GMT+02:00)" in text
    assert "WITHDRAWN" not in text
    prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason="A rash")
    text = papers.text_of(prescription_pdfs.to_print(session, cast.ada, prescription_id=draft.id).as_pdf())
    assert "WITHDRAWN: do not use Withdrawn on Jun 1, 2026, 8:00 AM: A rash" in text
    assert "WITHDRAWN: do not use · Ada Okafor, born May 17, 1985" in text


def test_a_drug_stands_with_its_directions_on_one_page_and_every_page_says_withdrawn(
    session: Session, cast: Cast
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    items = [
        ITEM | {"drug": f"Drug{n}.", "instructions": f"begin{n}. {'word ' * 90} end{n}."} for n in range(20)
    ]
    draft = prescription_drafts.save(session, cast.roth, appointment_id=visit.id, items=items, revision=0)
    prescriptions.sign(session, cast.roth, prescription_id=draft.id, revision=draft.revision)
    prescriptions.withdraw(session, cast.roth, prescription_id=draft.id, reason="A rash")
    pages = papers.pages_of(prescription_pdfs.to_print(session, cast.roth, prescription_id=draft.id).as_pdf())
    assert len(pages) > 3
    assert all("WITHDRAWN: do not use · Ada Okafor" in page for page in pages)
    for number in range(20):
        [page] = [page for page in pages if f"Drug{number}." in page]
        assert f"begin{number}." in page
        assert f"end{number}." in page


@pytest.mark.parametrize("paper", Paper)
def test_the_addressee_stands_in_the_window_of_the_envelope(
    session: Session, cast: Cast, paper: Paper
) -> None:
    letterheads.change(session, cast.admin, address="\n".join(["Lindenstraße 1"] * 3), paper=paper)
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = clinical.arrived(session, cast.dr_roth, cast.checkup, ada)
    letter = letter_drafts.begin(
        session, cast.roth, appointment_id=visit.id, kind=LetterKind.REFERRAL, request_key=uuid4()
    )
    with pytest.raises(NotFound):
        letter_pdfs.to_print(session, cast.roth, letter_id=letter.id).as_pdf()
    letter_drafts.save(
        session,
        cast.roth,
        letter_id=letter.id,
        addressee="Doctor Window\nStreet 2\nTown\nCountry\nPlanet",
        body="Dear colleague",
        revision=0,
    )
    doctor_letters.sign(session, cast.roth, letter_id=letter.id, revision=1)
    placed = papers.places(letter_pdfs.to_print(session, cast.ada, letter_id=letter.id).as_pdf())
    for word in ("Window", "Planet"):
        left, top = placed[word]
        assert 19.9 <= left <= 105
        assert 50 <= top <= 85


def test_a_history_has_the_sections_and_the_period_that_were_chosen(session: Session, cast: Cast) -> None:
    record = written(session, cast, "Migraine")
    record_items.end(session, cast.roth, item_id=record.in_it.item_id, ending=Ending.OVER)
    record_items.add(
        session, cast.roth, patient_id=record.patient_id, kind=ItemKind.PROBLEM, name="Never was so"
    )
    [mistake] = [
        each for each in record_items.listed(session, record.patient_id) if each.name == "Never was so"
    ]
    record_items.end(session, cast.roth, item_id=mistake.item_id, ending=Ending.MISTAKE)
    everything = papers.text_of(record.history())
    for heading in ("Lists Allergies", "Visits", "Prescriptions", "Letters", "Files"):
        assert f" {heading} " in everything
    assert "Period everything" in everything
    assert "Never was so" not in everything
    lists = papers.text_of(record.history(sections=["lists"]))
    assert "Migraine Jun 1, 2026" in lists
    assert " Visits " not in lists
    before = record.history(until_on=date(2026, 5, 31), sections=["visits", "letters", "files"])
    assert "Visits None. Letters None. Files None." in papers.text_of(before)
    day = record.history(from_on=date(2026, 6, 1), until_on=date(2026, 6, 1), sections=["visits"])
    assert "Period Jun 1, 2026 to Jun 1, 2026" in papers.text_of(day)
    assert "Check" in papers.text_of(day)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"sections": ["secrets"]}, NoSuchSection),
        ({"sections": []}, NoSuchSection),
        ({"from_on": date(2026, 6, 2), "until_on": date(2026, 6, 1)}, PeriodTurnedRound),
    ],
)
def test_a_history_of_nothing_that_is_there_is_refused(
    session: Session, cast: Cast, wanted: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        history_reports.to_print(session, cast.ada, patient_id=cast.ada.patient_ids[0], **wanted).as_pdf()


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-6-1", "0001-01-01", "9999-12-31", "٢٠٢٦-٠١-٠١"]
)
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PeriodUnreadable):
        history_choices.from_query({"from": text})


def test_a_record_in_which_nothing_stands_is_a_page(session: Session, cast: Cast) -> None:
    pdf = history_reports.to_print(session, cast.ada, patient_id=cast.ada.patient_ids[0]).as_pdf()
    [page] = papers.pages_of(pdf)
    assert page.count("Nothing written down.") == len(ItemKind)
    assert page.count("None.") == 4


def test_a_long_history_goes_on_over_many_pages_and_loses_no_word(session: Session, cast: Cast) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    for number in range(30):
        visit = clinical.arrived(
            session,
            cast.dr_roth,
            cast.checkup,
            ada,
            starts_at=NOW - timedelta(days=number + 1),
            status=AppointmentStatus.COMPLETED,
        )
        words = " ".join(f"n{number}w{place}" for place in range(400))
        notes.sign(session, cast.roth, appointment_id=visit.id, fields=fields(findings=words), revision=0)
    text = papers.words_of(history_reports.to_print(session, cast.roth, patient_id=ada.id).as_pdf())
    assert {f"n{number}w{place}" for number in range(30) for place in range(400)} <= text


def test_documents_are_for_who_reads_the_record_and_the_trail_keeps_who_took_them(
    session: Session, cast: Cast
) -> None:
    record = written(session, cast, "Tea")
    for build in (record.history, record.visit, record.prescription, record.letter):
        for stranger in (cast.ben, cast.weiss, cast.desk, cast.admin):
            with pytest.raises(AccessDenied):
                build(stranger)
        build(cast.roth)
    looks = session.query(AuditEntry).filter_by(action=Action.SEE_RECORD, user_id=cast.roth.user_id)
    kinds = {look.object_kind for look in looks}
    assert kinds >= {"history report", "visit summary", "prescription", "letter"}
    for service, key in (
        (visit_summaries, "appointment_id"),
        (prescription_pdfs, "prescription_id"),
        (letter_pdfs, "letter_id"),
    ):
        with pytest.raises(NotFound):
            service.to_print(session, cast.roth, **{key: 0}).as_pdf()


@pytest.mark.parametrize("status", [AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED])
def test_a_visit_that_never_was_has_no_summary(
    session: Session, cast: Cast, status: AppointmentStatus
) -> None:
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(1, 9), patient=ada, status=status)
    with pytest.raises(NotFound):
        visit_summaries.to_print(session, cast.ada, appointment_id=visit.id).as_pdf()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_day_list_has_who_comes_and_what_is_free_and_nothing_clinical(
    session: Session, cast: Cast, script: str
) -> None:
    record = written(session, cast, "Migraine", SCRIPTS[script])
    for reader in (cast.roth, cast.desk):
        pdf = record.day(reader)
        text = papers.text_of(pdf)
        read = papers.run_on(pdf)
        assert [word for word in SCRIPTS[script].split() if word not in read] == []
        assert "Dr. Eva Roth: Monday, June 1, 2026" in text
        assert "9:30 AM – 12:00 PM Free" in text
        assert "Migraine" not in text
    with pytest.raises(AccessDenied):
        record.day(cast.weiss)
    with pytest.raises(NotFound):
        day_lists.to_print(session, cast.desk, doctor_id=0, on=NOW.date()).as_pdf()


def test_a_day_without_hours_is_a_page(session: Session, cast: Cast) -> None:
    sunday = date(2026, 6, 7)
    pdf = day_lists.to_print(session, cast.roth, doctor_id=cast.dr_roth.id, on=sunday).as_pdf()
    assert "No visits." in papers.text_of(pdf)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_month_has_its_visits_and_its_money_by_doctor(session: Session, cast: Cast, script: str) -> None:
    cast.dr_roth.user.name = SCRIPTS[script]
    ada = session.get_one(Patient, cast.ada.patient_ids[0])
    visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10), patient=ada)
    tills.take(session, cast.desk, appointment_id=visit.id, method=PaymentMethod.CASH, amount_minor=2000)
    pdf = monthly_reports.to_print(session, cast.admin, year=2026, month=6).as_pdf()
    text = papers.text_of(pdf)
    assert "Report for June 2026" in text
    assert "Confirmed 1 All 1" in text.replace("Visits Confirmed 1 Status Visits", "")
    assert "EUR €60.00 €20.00 €0.00" in text
    assert "€60.00 €0.00 €20.00 €0.00 €0.00" in text, "what is booked is not earned yet"
    assert all(word in text for word in SCRIPTS[script].split())
    assert papers.structure(pdf).count("Figure") == 5
    assert set(papers.fonts(pdf)) == {("yes", "yes", "yes")}


def test_a_month_without_anything_is_a_page(session: Session, cast: Cast) -> None:
    text = papers.text_of(monthly_reports.to_print(session, cast.admin, year=2020, month=12).as_pdf())
    assert "No visits." in text
    assert "Nothing was invoiced, received or paid back." in text


@pytest.mark.parametrize(("year", "month"), [(2026, 0), (2026, 13), (1999, 1), (2101, 1)])
def test_a_month_that_is_none_is_refused(session: Session, cast: Cast, year: int, month: int) -> None:
    with pytest.raises(NoSuchMonth):
        monthly_reports.to_print(session, cast.admin, year=year, month=month).as_pdf()


def test_only_administrators_read_what_the_clinic_earns(session: Session, cast: Cast) -> None:
    for actor in (cast.desk, cast.roth, cast.ada):
        with pytest.raises(AccessDenied):
            monthly_reports.to_print(session, actor, year=2026, month=6).as_pdf()
