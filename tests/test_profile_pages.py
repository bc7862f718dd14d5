"""Doctors' profiles on the screen: written, sent, sent back, published, and seen by patients."""

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.orm import Session, undefer
from streamlit.testing.v1 import AppTest

from db.models import Doctor, ProfileDraft
from db.session import unit_of_work
from tests import make
from tests.app_pages import HOME, OpenAs
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
MINE, THEIRS, DOCTOR = "pages/doctor/my_profile.py", "pages/admin/profiles.py", "pages/patient/doctor.py"


def picture(form: str = "JPEG") -> bytes:
    written = BytesIO()
    Image.new("RGB", (40, 30), "navy").save(written, form)
    return written.getvalue()


def draft(database: Engine, residents: Residents) -> ProfileDraft | None:
    with Session(database) as session:
        return session.get(ProfileDraft, residents.roth_id, options=[undefer(ProfileDraft.photo)])


def links(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("page_link")]


def fields(app: AppTest) -> tuple[str, str]:
    """The keys of the words and of the languages: they change once the form is done."""
    return app.text_area[0].key or "", app.multiselect[0].key or ""


def write(app: AppTest, words: str) -> AppTest:
    bio, languages = fields(app)
    app.text_area(key=bio).set_value(words)
    app.multiselect(key=languages).set_value(["en", "vi"])
    return app


def sent(database: Engine, residents: Residents) -> None:
    with unit_of_work(database) as session:
        session.add(
            ProfileDraft(
                doctor_id=residents.roth_id,
                bio="Heart and patience.",
                languages=["vi"],
                changed_at=NOON,
                submitted_at=NOON,
            )
        )


def test_of_many_profiles_the_first_are_shown_and_more_when_asked_for(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    with unit_of_work(database) as session:
        for _number in range(7):
            doctor = make.doctor(session)
            session.add(
                ProfileDraft(
                    doctor_id=doctor.id, bio="Hello.", languages=[], changed_at=NOON, submitted_at=NOON
                )
            )
    app = open_as("albert", THEIRS)
    assert "5 of 7 are shown." in texts(app)
    app.button(key="profiles_more").click().run()
    assert len([each for each in app.button if (each.key or "").startswith("profiles_publish_")]) == 7


def test_a_doctor_keeps_a_draft_and_then_sends_it(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = write(open_as("roth", MINE), "Heart and patience.")
    app.file_uploader[0].set_value(("me.jpg", picture(), "image/jpeg")).run()
    app.button(key="my_profile_save").click().run()
    assert said(app.success) == ["Your draft is kept. Patients do not see it yet."]
    kept = draft(database, residents)
    assert kept is not None
    assert (kept.bio, kept.languages, kept.submitted_at) == ("Heart and patience.", ["en", "vi"], None)
    assert kept.photo
    assert app.text_area[0].value == "Heart and patience."
    app.button(key="my_profile_send").click().run()
    assert said(app.success) == ["It is sent: patients see it once an administrator has published it."]
    kept = draft(database, residents)
    assert kept is not None
    assert kept.submitted_at == NOON
    assert kept.photo, "the photo stays while nothing else is chosen"


def test_what_cannot_be_kept_is_refused_and_stays_typed(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    app = write(open_as("roth", MINE), "Bell\x07")
    app.button(key="my_profile_send").click().run()
    assert "characters in the text that cannot be shown" in said(app.error)[0]
    assert app.text_area[0].value == "Bell\x07"
    assert draft(database, residents) is None


def test_a_draft_is_thrown_away(open_as: OpenAs, database: Engine, residents: Residents) -> None:
    sent(database, residents)
    app = open_as("roth", MINE)
    assert said(app.info) == ["It waits for an administrator. You may still change it."]
    app.button(key="my_profile_discard").click().run()
    assert said(app.success) == ["The draft is thrown away."]
    assert draft(database, residents) is None
    assert app.text_area[0].value == ""


def test_an_administrator_publishes_what_patients_then_read(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    assert said(open_as("albert", THEIRS).info) == ["No profile waits to be published."]
    sent(database, residents)
    app = open_as("albert")
    assert "1 profile to publish" in links(app)
    assert "1 profile to publish" not in links(open_as("rita"))
    app.switch_page(THEIRS).run()
    assert "1 profile waits." in texts(app)
    assert [text.value for text in app.text] == ["Heart and patience."]
    app.button(key=f"profiles_publish_{residents.roth_id}").click().run()
    assert said(app.success) == ["Published."]
    patients = open_as("ada", DOCTOR, doctor=str(residents.roth_id))
    assert [text.value for text in patients.text] == ["Heart and patience."]
    assert "Speaks Vietnamese" in texts(patients)
    assert "**Check\\-up** · 30 minutes · €60\\.00" in texts(patients)


def test_an_administrator_sends_one_back_and_the_doctor_reads_why(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    sent(database, residents)
    app = open_as("albert", THEIRS)
    app.button(key=f"profiles_send_back_{residents.roth_id}").click().run()
    assert said(app.error) == ["Please say what should be changed."]
    app.text_area(key=f"profiles_remark_{residents.roth_id}").set_value("Please name your training.")
    app.button(key=f"profiles_send_back_{residents.roth_id}").click().run()
    assert said(app.success) == ["Sent back. The doctor reads why."]
    doctors = open_as("roth", MINE)
    assert said(doctors.warning) == ["An administrator has sent it back:"]
    assert "Please name your training" in texts(doctors)


def test_what_was_changed_since_it_was_shown_is_not_published(
    open_as: OpenAs, database: Engine, residents: Residents
) -> None:
    sent(database, residents)
    app = open_as("albert", THEIRS)
    with unit_of_work(database) as session:
        session.get_one(ProfileDraft, residents.roth_id).changed_at = NOON.replace(minute=1)
    app.button(key=f"profiles_publish_{residents.roth_id}").click().run()
    assert said(app.error) == ["The profile has been changed since you looked. Please look at it again."]
    with Session(database) as session:
        assert session.get_one(Doctor, residents.roth_id).bio == ""


@pytest.mark.parametrize(
    ("username", "page"), [("ada", MINE), ("rita", MINE), ("roth", THEIRS), ("rita", THEIRS)]
)
def test_each_page_is_for_its_own(open_as: OpenAs, username: str, page: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(page)


@pytest.mark.parametrize("page", [MINE, THEIRS])
def test_by_itself_it_refuses_whoever_is_not_signed_in(residents: Residents, page: str) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", page), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
