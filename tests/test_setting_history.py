"""Whatever an administrator sets is in the history: what, by whom, from what to what, in words."""

from collections.abc import Iterator
from datetime import time
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from core import (
    clinics,
    intake_questions,
    letter_wordings,
    letterheads,
    message_settings,
    message_wordings,
    profile_drafts,
    setting_changes,
)
from core.message_templates import TEMPLATES
from core.setting_changes import Line, Subject
from db.models import AnswerKind, LetterKind, Paper
from pages.ui.setting_words import field_name, field_value, title
from tests.cast import NOW, Cast, assemble, time_is

BOOKED = "{clinic}: see you {when}. Change it: {link}"


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        yield assemble(session)


def picture(colour: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (60, 60), colour).save(written, "PNG")
    return written.getvalue()


def lines(session: Session, cast: Cast, subject: Subject) -> list[Line]:
    """The changes of one kind, the first one first."""
    return setting_changes.entries(session, cast.admin, subject=subject)[::-1]


def told(line: Line) -> dict[str, tuple[str, str]]:
    """A change as the page says it: by the name of each field, what it was and what it is."""
    before = line.before or {}
    return {
        field_name(field): (field_value(field, before.get(field), "EUR"), field_value(field, value, "EUR"))
        for field, value in line.after.items()
    }


def test_the_letterhead_and_its_logo(session: Session, cast: Cast) -> None:
    letterheads.change(session, cast.admin, address="Lindenstraße 2", paper=Paper.LETTER)
    letterheads.change(session, cast.admin, address="Lindenstraße 2", paper=Paper.LETTER)
    for given in (picture("navy"), picture("navy"), picture("teal"), None):
        letterheads.change_logo(session, cast.admin, content=given)
    assert [told(line) for line in lines(session, cast, Subject.LETTERHEAD)] == [
        {"Address": ("–", "Lindenstraße 2"), "Paper": ("A4", "US Letter")},
        {"Logo": ("–", "one")},
        {"Logo": ("one", "another one")},
        {"Logo": ("one", "–")},
    ]


def test_what_letters_begin_with(session: Session, cast: Cast) -> None:
    which = {"kind": LetterKind.SICK_NOTE, "locale": "en_GB"}
    ours = letter_wordings.WORDS[LetterKind.SICK_NOTE]
    for text in ("{patient} is ill.", "{patient} is ill.", ours):
        letter_wordings.save(session, cast.admin, **which, text=text)
    first, last = lines(session, cast, Subject.LETTER)
    assert title(first) == "Sick note · English (United Kingdom)"
    assert (first.before, first.after) == ({"text": ours}, {"text": "{patient} is ill."})
    assert (last.before, last.after) == ({"text": "{patient} is ill."}, {"text": ours})


def test_the_words_of_a_message(session: Session, cast: Cast) -> None:
    which = {"name": "booked", "locale": "en"}
    message_wordings.save(session, cast.admin, **which, text=BOOKED)
    message_wordings.restore(session, cast.admin, **which)
    message_wordings.restore(session, cast.admin, **which)
    first, last = lines(session, cast, Subject.MESSAGE_TEXT)
    assert title(first) == "A visit is booked · English"
    assert told(first) == {"Text": (TEMPLATES["booked"].text, BOOKED)}
    assert told(last) == {"Text": (BOOKED, TEMPLATES["booked"].text)}


def test_when_messages_are_sent(session: Session, cast: Cast) -> None:
    before = clinics.settings(session)
    same = {
        "text_name": before.text_name,
        "quiet_until": before.quiet_until,
        "waitlist_offer_minutes": before.waitlist_offer_minutes,
    }
    message_settings.change(
        session, cast.admin, **same, reminder_minutes=[1440, 120], quiet_from=time(21, 30)
    )
    [line] = lines(session, cast, Subject.MESSAGES)
    assert told(line).keys() <= {"Reminders before the visit", "No texts from"}
    assert told(line)["No texts from"][1] == "9:30\u202fPM"
    assert field_value("reminder_minutes", [1440, 120], "EUR") == "24 hours, 2 hours"


def test_rules_and_days_are_in_words_too() -> None:
    assert field_value("payment_rule", "deposit", "EUR") == "A deposit"
    assert field_value("first_visit_rule", None, "EUR") == "–"
    assert field_value("from_on", "2026-06-03", "EUR") == "Wed, Jun 3, 2026"


def test_the_questions_before_visits(session: Session, cast: Cast) -> None:
    own = {"service_id": cast.checkup.id}
    first = intake_questions.add(
        session, cast.admin, **own, question="Do you smoke?", kind=AnswerKind.CHOICE, choices=["Yes", "No"]
    )
    second = intake_questions.add(session, cast.admin, **own, question="Since when?", kind=AnswerKind.TEXT)
    intake_questions.move_up(session, cast.admin, question_id=second.id)
    for _press in range(2):
        intake_questions.retire(session, cast.admin, question_id=first.id)
    asked, _other, moved, retired = lines(session, cast, Subject.QUESTION)
    assert (asked.title, asked.before) == (cast.checkup.name, None)
    assert told(asked)["Kind of answer"] == ("–", "One of several answers")
    assert told(asked)["Answers to choose from"] == ("–", "Yes, No")
    assert told(moved) == {"Place in the list": ("2", "1")}
    assert retired.title == f"{cast.checkup.name}: Do you smoke?"
    assert told(retired) == {"Asked": ("yes", "no")}


def test_a_profile_that_patients_see_from_then_on(session: Session, cast: Cast) -> None:
    own = {"doctor_id": cast.dr_roth.id}
    cast.dr_roth.bio, cast.dr_roth.languages, cast.dr_roth.photo = "Known for patience.", ["de"], None
    draft = {"bio": "Heart and patience.", "languages": ["de", "vi"], "photo": picture("navy")}
    profile_drafts.save(session, cast.roth, **own, **draft, seen=None, is_submitted=True)
    assert lines(session, cast, Subject.PROFILE) == [], "a draft is nobody's business yet"
    seen = profile_drafts.of_doctor(session, cast.admin, **own).seen
    profile_drafts.publish(session, cast.admin, **own, seen=seen)
    [line] = lines(session, cast, Subject.PROFILE)
    assert (line.title, line.by) == ("Dr. Eva Roth", "Albert Admin")
    assert told(line) == {
        "What patients read": ("Known for patience.", "Heart and patience."),
        "Languages": ("German", "German, Vietnamese"),
        "Photo": ("–", "one"),
    }
