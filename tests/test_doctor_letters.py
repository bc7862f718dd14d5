"""Letters: begun from the clinic's words, kept as they are typed, signed, never changed."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import clinics, doctor_letters, i18n, letter_drafts, letter_wordings, letterheads
from core.doctor_letters import (
    AbsenceImpossible,
    AbsenceMissing,
    BlankLeft,
    LetterEmpty,
)
from core.errors import AccessDenied, NotFound
from core.file_kinds import WrongFileKind
from core.i18n import speaking
from core.letter_drafts import LetterTooLong, LetterUnreadable
from core.letter_wordings import UnknownLetter, WordsTooLong, WordsUnreadable
from core.letterheads import AddressTooLong, AddressUnreadable, LogoDamaged, LogoTooLarge
from core.message_wordings import BlankUnknown, BraceAlone, TextEmpty
from core.note_drafts import DraftChangedElsewhere
from core.signatures import NotArrived
from db.models import Appointment, AppointmentStatus, ItemKind, Letter, LetterKind, Paper, Patient
from tests import clinical, make
from tests.cast import NOW, Cast, assemble, on, time_is

REFERRAL, SICK_NOTE = LetterKind.REFERRAL, LetterKind.SICK_NOTE
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 5)


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


@pytest.fixture
def visit(session: Session, cast: Cast) -> Appointment:
    """Ada's with Dr. Roth, who has her in the room."""
    patient = session.get_one(Patient, cast.ada.patient_ids[0])
    return clinical.arrived(session, cast.dr_roth, cast.checkup, patient)


def begun(session: Session, cast: Cast, visit: Appointment, kind: LetterKind = REFERRAL) -> Letter:
    return letter_drafts.begin(session, cast.roth, appointment_id=visit.id, kind=kind, request_key=uuid4())


def save(session: Session, cast: Cast, letter: Letter, revision: int = 0, **more: Any) -> Letter:
    wanted = {"addressee": letter.addressee, "body": letter.body} | more
    return letter_drafts.save(session, cast.roth, letter_id=letter.id, revision=revision, **wanted)


def sign(session: Session, cast: Cast, letter: Letter) -> Letter:
    return doctor_letters.sign(session, cast.roth, letter_id=letter.id, revision=letter.revision)


def test_a_referral_begins_with_what_is_known(session: Session, cast: Cast, visit: Appointment) -> None:
    patient = session.get_one(Patient, visit.patient_id)
    make.known_of(session, patient)
    make.record_item(session, patient, "Asthma", kind=ItemKind.PROBLEM)
    letter = begun(session, cast, visit)
    for known in ("Ada Okafor", "May 17, 1985", "Dr. Eva Roth", "Problems: Asthma".casefold(), "Penicillin"):
        assert known in letter.body or known in letter.body.casefold()
    assert "Medication: –" in letter.body
    save(session, cast, letter, addressee=" Dr. Who\nTardis 1 ", body="Please look\r\nat it")
    sign(session, cast, letter)
    [read] = doctor_letters.of_patient(session, cast.ada, patient_id=visit.patient_id)
    assert (read.addressee, read.body, read.signed_at) == ("Dr. Who\nTardis 1", "Please look\nat it", NOW)
    assert read.doctor.user.name == "Dr. Eva Roth"


def test_a_sick_note_says_from_when_until_when_and_not_why(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    make.known_of(session, session.get_one(Patient, visit.patient_id))
    letter = begun(session, cast, visit, SICK_NOTE)
    assert "Penicillin" not in letter.body
    with pytest.raises(AbsenceMissing):
        sign(session, cast, letter)
    save(session, cast, letter, absent_from=FIRST)
    with pytest.raises(AbsenceMissing):
        sign(session, cast, letter)
    for last in (date(2026, 5, 31), date(2027, 6, 3)):
        save(session, cast, letter, letter.revision, absent_from=FIRST, absent_until=last)
        with pytest.raises(AbsenceImpossible):
            sign(session, cast, letter)
    save(session, cast, letter, letter.revision, absent_from=FIRST, absent_until=LAST)
    assert "from Mon, Jun 1, 2026 until Fri, Jun 5, 2026" in sign(session, cast, letter).body


def test_a_sick_note_pressed_twice_is_signed_once(session: Session, cast: Cast, visit: Appointment) -> None:
    letter = begun(session, cast, visit, SICK_NOTE)
    press = {
        "letter_id": letter.id,
        "revision": letter.revision,
        "addressee": "Her employer",
        "body": letter.body,
        "absent_from": FIRST,
        "absent_until": LAST,
    }
    assert [doctor_letters.sign_as_typed(session, cast.roth, **press) for _ in range(2)] == [letter] * 2
    assert "until Fri, Jun 5, 2026" in letter.body
    for other in ({"absent_until": FIRST}, {"body": "Something else"}, {"addressee": "Her school"}):
        with pytest.raises(DraftChangedElsewhere):
            doctor_letters.sign_as_typed(session, cast.roth, **press | other)


def test_what_was_typed_elsewhere_is_kept_as_one_more_letter(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    wanted = {"appointment_id": visit.id, "kind": REFERRAL, "request_key": uuid4()}
    words = {"addressee": "Dr. Who", "body": "From the other window"}
    again = [letter_drafts.write_anew(session, cast.roth, **wanted, **words) for _ in range(2)]
    assert again[0] is again[1]
    save(session, cast, again[0], 1, body="And on")
    assert letter_drafts.write_anew(session, cast.roth, **wanted, **words).body == "And on"


def test_a_referral_has_no_days(session: Session, cast: Cast, visit: Appointment) -> None:
    letter = save(session, cast, begun(session, cast, visit), absent_from=FIRST, absent_until=LAST)
    assert (letter.absent_from, letter.absent_until, letter.revision) == (None, None, 0)


def test_a_form_sent_twice_begins_one_letter(session: Session, cast: Cast, visit: Appointment) -> None:
    key = {"appointment_id": visit.id, "kind": REFERRAL, "request_key": uuid4()}
    first, second = (letter_drafts.begin(session, cast.roth, **key) for _ in range(2))
    assert first is second
    assert letter_drafts.of_patient(session, cast.roth, patient_id=visit.patient_id) == [first]


def test_two_windows_do_not_overwrite_each_other(session: Session, cast: Cast, visit: Appointment) -> None:
    letter = begun(session, cast, visit)
    save(session, cast, letter, body="From the first window")
    assert save(session, cast, letter, body="From the first window").revision == 1
    with pytest.raises(DraftChangedElsewhere):
        save(session, cast, letter, body="From the second window")
    with pytest.raises(DraftChangedElsewhere):
        doctor_letters.sign(session, cast.roth, letter_id=letter.id, revision=0)
    for _ in range(2):
        sign(session, cast, letter)
    for change in (
        lambda: save(session, cast, letter, letter.revision, body="Afterwards"),
        lambda: letter_drafts.discard(session, cast.roth, letter_id=letter.id),
    ):
        with pytest.raises(DraftChangedElsewhere):
            change()
    assert letter.body == "From the first window"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"body": "x" * 20_001}, LetterTooLong),
        ({"addressee": "x" * 501}, LetterTooLong),
        ({"body": "A bell \x07"}, LetterUnreadable),
        ({"addressee": "Turned \u202e round"}, LetterUnreadable),
    ],
)
def test_what_cannot_be_kept_is_said(
    session: Session, cast: Cast, visit: Appointment, changes: dict[str, str], error: type[Exception]
) -> None:
    letter = begun(session, cast, visit)
    with pytest.raises(error):
        save(session, cast, letter, **changes)
    assert letter.revision == 0


def test_what_cannot_be_signed_is_said(session: Session, cast: Cast, visit: Appointment) -> None:
    letter = begun(session, cast, visit)
    save(session, cast, letter, body=" ")
    with pytest.raises(LetterEmpty):
        sign(session, cast, letter)
    save(session, cast, letter, letter.revision, body="Dear {doctor}")
    with pytest.raises(BlankLeft, match=r"\{doctor\}"):
        sign(session, cast, letter)
    save(session, cast, letter, letter.revision, body="Dear {colleague}")
    visit.status = AppointmentStatus.CONFIRMED
    session.flush()
    with pytest.raises(NotArrived):
        sign(session, cast, letter)
    assert letter.signed_at is None


@pytest.mark.parametrize(
    "statement", ["UPDATE letters SET body = 'Something else'", "DELETE FROM letters", "TRUNCATE letters"]
)
def test_no_statement_changes_a_signed_letter(
    session: Session, cast: Cast, visit: Appointment, statement: str
) -> None:
    sign(session, cast, begun(session, cast, visit))
    with pytest.raises(DBAPIError, match="what a doctor has signed is never"), session.begin_nested():
        session.execute(text(statement))


def test_letters_are_written_by_the_doctor_of_the_visit_alone(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    letter = begun(session, cast, visit)
    for actor in (cast.weiss, cast.ada, cast.desk, cast.admin):
        with pytest.raises(AccessDenied):
            doctor_letters.sign(session, actor, letter_id=letter.id, revision=0)
    clinical.arrived(
        session,
        cast.dr_weiss,
        cast.checkup,
        session.get_one(Patient, visit.patient_id),
        starts_at=on(1, 11),
    )
    assert letter_drafts.of_patient(session, cast.weiss, patient_id=visit.patient_id) == []
    letter_drafts.discard(session, cast.roth, letter_id=letter.id)
    with pytest.raises(NotFound):
        letter_drafts.discard(session, cast.roth, letter_id=letter.id)


def test_the_clinics_own_words_are_used_in_their_language(
    session: Session, cast: Cast, visit: Appointment
) -> None:
    letter_wordings.save(session, cast.admin, kind=REFERRAL, locale="en", text="Hello, {patient} comes.")
    assert begun(session, cast, visit).body == "Hello, Ada Okafor comes."
    assert letter_wordings.all_own(session, cast.admin) == {(REFERRAL, "en"): "Hello, {patient} comes."}
    ours = letter_wordings.WORDS[REFERRAL]
    letter_wordings.save(session, cast.admin, kind=REFERRAL, locale="en", text=ours)
    assert letter_wordings.all_own(session, cast.admin) == {}
    letter_wordings.restore(session, cast.admin, kind=REFERRAL, locale="en")
    assert begun(session, cast, visit).body.startswith("Dear colleague")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"text": " "}, TextEmpty),
        ({"text": "x" * 5001}, WordsTooLong),
        ({"text": "A bell \x07"}, WordsUnreadable),
        ({"text": "{patient"}, BraceAlone),
        ({"text": "{0}"}, BraceAlone),
        ({"text": "{patient.name}"}, BraceAlone),
        ({"text": "{colleague}"}, BlankUnknown),
        ({"locale": "xx"}, UnknownLetter),
        ({"kind": "love"}, UnknownLetter),
    ],
)
def test_words_that_cannot_be_used_are_refused(
    session: Session, cast: Cast, wrong: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        letter_wordings.save(
            session, cast.admin, **{"kind": REFERRAL, "locale": "en", "text": "Hello"} | wrong
        )


def logo(side: int = 100) -> bytes:
    written = BytesIO()
    Image.new("RGB", (side, 50), "teal").save(written, "PNG")
    return written.getvalue()


def test_the_letterhead_has_an_address_a_logo_and_a_paper(session: Session, cast: Cast) -> None:
    letterheads.change(session, cast.admin, address=" Lindenallee 1 \n10115 Berlin\n", paper=Paper.LETTER)
    letterheads.change_logo(session, cast.admin, content=logo())
    settings = clinics.settings(session)
    assert (settings.address, settings.paper) == ("Lindenallee 1\n10115 Berlin", Paper.LETTER)
    assert letterheads.logo(session) == logo()
    letterheads.change_logo(session, cast.admin, content=None)
    assert letterheads.logo(session) is None


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"%PDF-1.7", WrongFileKind),
        (logo()[:60], LogoDamaged),
        (logo()[:16] + (60_000).to_bytes(4) * 2 + logo()[24:], LogoDamaged),  # a bomb, by its header
        (logo(4001), LogoTooLarge),
        (logo() + bytes(1024 * 1024), LogoTooLarge),
    ],
)
def test_what_is_no_logo_is_refused(
    session: Session, cast: Cast, content: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        letterheads.change_logo(session, cast.admin, content=content)
    assert letterheads.logo(session) is None


def test_an_address_that_cannot_be_printed_is_refused(session: Session, cast: Cast) -> None:
    for address, error in (("x" * 501, AddressTooLong), ("A bell \x07", AddressUnreadable)):
        with pytest.raises(error):
            letterheads.change(session, cast.admin, address=address, paper=Paper.A4)


def test_letters_speak_the_doctors_language(
    session: Session, cast: Cast, visit: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "languages", lambda: ("en", "en_GB", "de"))
    with speaking("de"):
        assert "17.05.1985" in begun(session, cast, visit).body
