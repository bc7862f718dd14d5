"""A record on the screen: the patient's own, a dependant's, and as doctors read it."""

import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import history_choices, notes, record_items
from core.access import Actor
from core.printouts import Places, Printouts
from db.models import (
    Appointment,
    AppointmentStatus,
    Attachment,
    Doctor,
    Ending,
    ItemKind,
    NoteVersion,
    Patient,
    Prescription,
    Role,
    Service,
)
from db.session import unit_of_work
from pages.ui import history_report, portions
from tests import app_pages, clinical, make, portal
from tests.app_pages import HOME, OpenAs
from tests.cast import time_is
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
MY_RECORD, RECORD = "pages/patient/my_record.py", "pages/doctor/patient_record.py"
PDF = b"%PDF-1.7 findings"
WORDS = "Sneezing in spring"


def roth(session: Session, residents: Residents) -> Actor:
    doctor = session.get_one(Doctor, residents.roth_id)
    return Actor(doctor.user_id, Role.DOCTOR, "Dr. Eva Roth", doctor_id=doctor.id)


@pytest.fixture
def write(database: Engine, residents: Residents) -> Callable[..., int]:
    """Write something of every kind into Ada's record, at a visit this morning; the visit's number."""

    def written(words: str = WORDS, *, released: bool = True) -> int:
        number = visit(database, residents, hours_ahead=-3, status=AppointmentStatus.ARRIVED)
        with unit_of_work(database) as session:
            arrived = session.get_one(Appointment, number)
            clinical.written(session, roth(session, residents), arrived, words, released=released)
        return number

    return written


@pytest.fixture
def child_id(database: Engine, residents: Residents) -> int:
    with unit_of_work(database) as session:
        return make.patient(session, name="Chi Okafor", guardian_id=residents.ada_id).id


def shown(app: AppTest) -> str:
    return texts(app).replace("\\", "") + "\n".join(each.value for each in app.subheader)


def labels(app: AppTest) -> list[str]:
    return [each.label for each in app.expander]


def links(app: AppTest) -> list[str]:
    return [each.proto.url for each in app.get("link_button")]


def visit_links(app: AppTest) -> list[str]:
    return [each.proto.query_string for each in app.get("page_link") if each.proto.page == "visit"]


def with_cookie(patch: pytest.MonkeyPatch, database: Engine) -> None:
    """Have Ada's browser send the cookie of a session."""
    patch.setattr("streamlit.runtime.context.ContextProxy.cookies", portal.signed_in(database, "ada"))


def picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (20, 10), "navy").save(written, "PNG")
    return written.getvalue()


def choose_file(app: AppTest, name: str, content: bytes) -> None:
    [field] = app.file_uploader
    field.set_value((name, content, "application/octet-stream")).run()


def add_file(app: AppTest, name: str, content: bytes) -> None:
    tabs = [each.label for each in app.tabs]
    choose_file(app, name, content)
    app.button(key="record_file_add").click().run()
    assert not app.exception
    assert [each.label for each in app.tabs] == tabs, "or another one would be open now"


def files(database: Engine) -> list[tuple[str, int, int | None, bool]]:
    with Session(database) as session:
        rows = session.scalars(select(Attachment).order_by(Attachment.id))
        return [(each.name, each.patient_id, each.appointment_id, each.removed_at is None) for each in rows]


def find(app: AppTest, patient_id: int) -> None:
    app.text_input(key="record_text").set_value("okafor").run()
    app.button(key=f"record_{patient_id}").click().run()
    assert not app.exception


def test_a_patient_reads_their_record(open_as: OpenAs, write: Callable[..., int]) -> None:
    write()
    app = open_as("ada", MY_RECORD)
    found = shown(app)
    assert app.title[0].value == "My record"
    tabs = [each.label for each in app.tabs]
    assert tabs == ["Lists", "Visits", "Prescriptions", "Letters", "Files"]
    for part in ("Reason for the visit**  \n" + WORDS, "**Tea 400 mg**", "Referral letter", f"{WORDS}.pdf"):
        assert part in found
    assert {"Note", "Read the letter", "Answers before the visit"} <= set(labels(app))
    assert not app.error


def test_a_record_with_nothing_in_it_says_so_everywhere(open_as: OpenAs) -> None:
    found = shown(open_as("ben", MY_RECORD))
    for sentence in (
        "Nothing written down.",
        "None.",
        "No prescription yet.",
        "No letter yet.",
        "No file yet.",
    ):
        assert sentence in found


def test_a_note_is_read_once_it_is_released_and_with_every_version(
    open_as: OpenAs, write: Callable[..., int], database: Engine, residents: Residents
) -> None:
    number = write(released=False)
    app = open_as("ada", MY_RECORD)
    assert "Note" not in labels(app)
    assert "Signed by" not in shown(app)
    with unit_of_work(database) as session:
        doctor = roth(session, residents)
        amended = clinical.fields(reason="Sneezing all year")
        wanted = {"appointment_id": number, "revision": -1}
        notes.sign(session, doctor, fields=amended, amendment="She remembered", **wanted)
        notes.release(session, doctor, appointment_id=number)
    app.run()
    assert {"Note", "1 earlier version"} <= set(labels(app))
    assert "She remembered" in shown(app)
    first, second = (f"Reason for the visit**  \n{words}" for words in ("Sneezing all year", WORDS))
    assert shown(app).index(first) < shown(app).index(second), "the latest is read first"


def test_a_withdrawn_prescription_is_marked_with_its_reason(
    open_as: OpenAs, write: Callable[..., int], database: Engine
) -> None:
    write()
    with unit_of_work(database) as session:
        [kept] = session.scalars(select(Prescription).where(Prescription.signed_at.is_not(None)))
        kept.withdrawn_at, kept.withdrawal_reason = NOON, "Slow pulse"
    app = open_as("ada", MY_RECORD)
    assert ":red-badge[Withdrawn]" in shown(app)
    assert said(app.error) == ["Withdrawn on 1 Jun 2026, please do not use it: Slow pulse"]


def test_what_has_ended_is_folded_away_with_why(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    visit(database, residents, hours_ahead=-3, status=AppointmentStatus.ARRIVED)
    with unit_of_work(database) as session:
        doctor, kind = roth(session, residents), ItemKind.MEDICATION
        for name, ending in (("Iron", Ending.OVER), ("Zinc", Ending.MISTAKE)):
            record_items.add(session, doctor, patient_id=residents.ada_id, kind=kind, name=name)
            [item] = [each for each in record_items.listed(session, residents.ada_id) if each.name == name]
            record_items.end(session, doctor, item_id=item.item_id, ending=ending)
    for username, page in (("ada", MY_RECORD), ("roth", RECORD)):
        app = open_as(username, page)
        if page == RECORD:
            find(app, residents.ada_id)
        assert "What has ended (2)" in labels(app)
        assert "Medication: **Iron** · over since 1 Jun 2026" in shown(app)
        assert "Medication: **Zinc** · written down by mistake, ended 1 Jun 2026" in shown(app)


def test_a_guardian_chooses_whose_record_it_is(
    open_as: OpenAs, write: Callable[..., int], database: Engine, child_id: int
) -> None:
    write()
    app = open_as("ada", MY_RECORD)
    assert WORDS in shown(app)
    app.selectbox(key="my_record_patient").select(child_id).run()
    assert WORDS not in shown(app)
    add_file(app, "Vaccination card.png", picture())
    assert files(database)[-1] == ("Vaccination card.png", child_id, None, True)
    other = open_as("ben", MY_RECORD)
    assert not other.selectbox
    assert "Vaccination" not in "".join(each.value for each in other.markdown)


def test_a_choice_of_somebody_else_opens_nothing(open_as: OpenAs, write: Callable[..., int]) -> None:
    write()
    app = open_as("ben", MY_RECORD)
    assert WORDS not in shown(app)
    assert not app.selectbox, "there is nothing to choose, and so nothing to forge"


def test_a_patient_adds_a_document_for_a_coming_visit_and_takes_it_back(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    coming = visit(database, residents)
    app = open_as("ada", MY_RECORD)
    assert app.button(key="record_file_add").disabled
    choose_file(app, r"C:\scans\Letter of the hospital.PDF", PDF)
    app.selectbox(key="record_file_visit").select(coming)
    app.button(key="record_file_add").click().run()
    assert said(app.success) == ["The file is in the record. Your doctors can read it."]
    assert files(database) == [("Letter of the hospital.pdf", residents.ada_id, coming, True)]
    assert "Added on 1 Jun 2026 by Ada Okafor · for the visit on 4 Jun 2026" in shown(app)
    assert app.button(key="record_file_add").disabled, "the field is empty again"
    [back] = [each for each in app.button if each.label == "Take back"]
    back.click().run()
    assert said(app.success) == ["The file was taken back and deleted."]
    assert files(database)[0][-1] is False
    assert "Letter of the hospital" not in shown(app)


def test_after_a_day_a_file_stays(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    app = open_as("ada", MY_RECORD)
    add_file(app, "Findings.pdf", PDF)
    [back] = [each for each in app.button if each.label == "Take back"]
    with time_is(NOON + timedelta(hours=25)):
        app_pages.sign_in(app, database, "ada")
        back.click().run()
        assert said(app.error) == ["This file has been in the record for more than a day and stays there."]
        assert [each for each in app.button if each.label == "Take back"] == []
    assert files(database) == [("Findings.pdf", residents.ada_id, None, True)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("setup.pdf", b"MZ\x90\x00", "This file cannot be used. Please choose one of these: PDF, PNG, JPEG."),
        ("empty.pdf", b"", "This file cannot be used. Please choose one of these: PDF, PNG, JPEG."),
        ("half.png", picture()[:-30], "This picture cannot be opened: the file seems to be damaged."),
        ("long.pdf", b"%PDF-" + bytes(10 * 1024 * 1024), "This file is too large: 10.5 MB at most."),
    ],
)
def test_what_cannot_be_taken_gets_one_sentence(
    open_as: OpenAs, database: Engine, name: str, content: bytes, sentence: str
) -> None:
    app = open_as("ada", MY_RECORD)
    choose_file(app, name, content)
    if not app.button(key="record_file_add").disabled:
        app.button(key="record_file_add").click().run()
    assert said(app.error) == [sentence]
    assert files(database) == []


def test_the_links_lead_to_our_own_addresses(
    open_as: OpenAs,
    write: Callable[..., int],
    database: Engine,
    residents: Residents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = write()
    app = open_as("ada", MY_RECORD)
    assert links(app) == [], "without a cookie there is nobody to give a file to"
    assert "Downloads need the clinic's own address" in shown(app)
    with_cookie(monkeypatch, database)
    app.run()
    with Session(database) as session:
        [file_id] = session.scalars(select(Attachment.id))
        [paper] = session.scalars(text("SELECT id FROM prescriptions WHERE signed_at IS NOT NULL"))
        [letter] = session.scalars(text("SELECT id FROM letters WHERE signed_at IS NOT NULL"))
    everything = f"/files/history/{residents.ada_id}.pdf?sections=lists,visits,prescriptions,letters,files"
    assert links(app) == [
        everything,
        f"/files/visits/{number}.pdf",
        f"/files/prescriptions/{paper}.pdf",
        f"/files/letters/{letter}.pdf",
        f"/files/attachments/{file_id}",
    ]


def test_the_history_has_the_period_and_parts_that_were_chosen(
    open_as: OpenAs, database: Engine, residents: Residents, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cookie(monkeypatch, database)
    app = open_as("ada", MY_RECORD)
    key = f"history_{residents.ada_id}"
    first, last = app.date_input(key=f"{key}_from"), app.date_input(key=f"{key}_until")
    first.set_value(NOON.date() - timedelta(days=30))
    last.set_value(NOON.date())
    app.pills(key=f"{key}_sections").set_value(["letters", "visits"]).run()
    wanted = "?sections=visits,letters&from=2026-05-02&until=2026-06-01"
    assert links(app) == [f"/files/history/{residents.ada_id}.pdf{wanted}"]
    app.date_input(key=f"{key}_until").set_value(NOON.date() - timedelta(days=31)).run()
    assert said(app.warning) == ["The last day of the period cannot be before the first."]
    app.date_input(key=f"{key}_until").set_value(None)
    app.pills(key=f"{key}_sections").set_value([]).run()
    assert said(app.warning) == ["Please choose among the sections of the record, at least one."]
    assert links(app) == []


def test_a_period_chosen_for_one_person_does_not_stand_in_the_way_of_another(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        born = NOON.date() - timedelta(days=40)
        child_id = make.patient(session, name="Chi", guardian_id=residents.ada_id, birth_on=born).id
    app = open_as("ada", MY_RECORD)
    long_ago = app.date_input(key=f"history_{residents.ada_id}_from")
    long_ago.set_value(NOON.date() - timedelta(days=4000)).run()
    app.selectbox(key="my_record_patient").select(child_id).run()
    assert not app.exception
    assert app.date_input(key=f"history_{child_id}_from").value is None


def test_of_many_visits_the_latest_are_shown_and_more_on_request(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        doctor = session.get_one(Doctor, residents.roth_id)
        ada = session.get_one(Patient, residents.ada_id)
        session.execute(
            text("""INSERT INTO appointments (patient_id, doctor_id, service_id, location_id,
                    starts_at, ends_at, blocked, status, price_minor, source)
                SELECT :patient, :doctor, :service, (SELECT min(id) FROM locations),
                    at, at + interval '30 min', tstzrange(at, at + interval '30 min'),
                    'completed', 6000, 'desk'
                FROM (SELECT CAST(:now AS timestamptz) - n * interval '1 day' AS at
                      FROM generate_series(1, 300) n) AS days"""),
            {"patient": ada.id, "doctor": doctor.id, "service": residents.checkup_id, "now": NOON},
        )
        for number in session.scalars(select(Appointment.id)):
            session.add(
                NoteVersion(
                    appointment_id=number, number=1, doctor_id=doctor.id, reason="Checked", signed_at=NOON
                )
            )
    app = open_as("roth", RECORD)
    find(app, residents.ada_id)
    assert labels(app).count("Note") == portions.STEP
    assert "20 of 300 are shown." in shown(app)
    app.button(key=f"record_past_{residents.ada_id}_more").click().run()
    assert labels(app).count("Note") == 2 * portions.STEP


def test_a_doctor_reads_all_of_an_own_patients_record(
    open_as: OpenAs, write: Callable[..., int], residents: Residents
) -> None:
    write(released=False)
    app = open_as("roth", RECORD)
    find(app, residents.ada_id)
    assert f"Allergies: :red-badge[{WORDS}]" in shown(app)
    assert "41 years, sex not known" in shown(app)
    assert "Reason for the visit**  \n" + WORDS in shown(app), "also what the patient may not read yet"
    assert len(app.file_uploader) == 1
    assert not app.error


def test_from_the_record_doctors_go_to_their_own_visits_alone(
    open_as: OpenAs, write: Callable[..., int], database: Engine, residents: Residents
) -> None:
    own = write()
    with unit_of_work(database) as session:
        weiss = session.get_one(Doctor, residents.weiss_id)
        checkup = session.get_one(Service, residents.checkup_id)
        ada = session.get_one(Patient, residents.ada_id)
        make.appointment(session, weiss, checkup, NOON + timedelta(days=2), patient=ada)
    app = open_as("roth", RECORD)
    find(app, residents.ada_id)
    assert visit_links(app) == [f"visit={own}"]
    assert visit_links(open_as("ada", MY_RECORD)) == []


def test_in_an_emergency_the_record_is_for_reading_only(
    open_as: OpenAs, write: Callable[..., int], residents: Residents
) -> None:
    write()
    app = open_as("weiss", RECORD)
    find(app, residents.ada_id)
    assert WORDS not in shown(app)
    app.text_input(key="record_reason").set_value("Found unconscious in the hall")
    app.button(key="record_submit").click().run()
    assert said(app.error) == ["Emergency access until 16:00. Every look is recorded."]
    assert "Reason for the visit**  \n" + WORDS in shown(app)
    assert not app.file_uploader


@pytest.mark.parametrize("username", ["rita", "albert", "roth"])
def test_a_patients_page_is_for_patients_alone(open_as: OpenAs, residents: Residents, username: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(MY_RECORD)


@pytest.mark.parametrize("username", ["rita", "albert"])
def test_the_desk_and_administrators_see_nothing_clinical(
    open_as: OpenAs, write: Callable[..., int], residents: Residents, username: str
) -> None:
    write()
    app = open_as(username, "pages/staff/book_for_patient.py")
    app.session_state["people_chosen"] = residents.ada_id
    app.run()
    assert "Ada Okafor" in shown(app)
    assert WORDS not in shown(app)


def test_the_page_by_itself_refuses_whoever_is_not_signed_in(residents: Residents) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", MY_RECORD), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title


def test_somebody_without_a_record_reads_that(open_as: OpenAs, database: Engine) -> None:
    with unit_of_work(database) as session:
        ben = session.scalars(select(Patient).where(Patient.name == "Ben Sato")).one()
        ben.user_id = None
    assert said(open_as("ben", MY_RECORD).info) == ["There is no record of yours yet."]


def test_a_long_history_is_prepared_first_and_the_page_shows_how_far_it_is(
    open_as: OpenAs,
    write: Callable[..., int],
    database: Engine,
    residents: Residents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history_choices, "LONG", 100)
    monkeypatch.setattr(history_report, "HISTORIES", prints := Printouts(places := Places(1)))
    with_cookie(monkeypatch, database)
    write()
    app = open_as("ada", MY_RECORD)
    address = f"/files/history/{residents.ada_id}.pdf"
    assert not any(link.startswith(address) for link in links(app))
    assert places.take(0)
    app.button(key=f"history_{residents.ada_id}_prepare").click().run()
    assert "Laying out the history: 0%" in [bar.text for bar in app.get("progress")]
    places.leave(0)
    with Session(database) as session:
        [account] = session.scalars(select(Patient.user_id).where(Patient.id == residents.ada_id))
    wanted = residents.ada_id, history_choices.chosen(None, None, history_choices.ALL)
    while not (found := prints.of(account or 0, wanted)) or not found.is_ready:
        time.sleep(0.02)
    app.run()
    assert f"{address}?sections=lists,visits,prescriptions,letters,files" in links(app)
    file = prints.fetch(account or 0, wanted)
    assert file is not None
    with file:
        file.seek(0)
        assert file.read(5) == b"%PDF-"
