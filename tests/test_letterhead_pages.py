"""The letterhead, the logo and the words of letters on the screen, as an administrator sets them."""

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from db.models import ClinicSettings, LetterKind, LetterTemplate, Paper
from tests.app_pages import HOME, OpenAs
from tests.portal import Residents
from tests.test_pages import open_as, residents, said, texts

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
LETTERHEAD = "pages/admin/letterhead.py"
REFERRAL = f"letter_words_{LetterKind.REFERRAL.value}_en"


def picture(form: str = "PNG", side: int = 20) -> bytes:
    written = BytesIO()
    Image.new("RGB", (side, 10), "navy").save(written, form)
    return written.getvalue()


def settings(database: Engine) -> ClinicSettings:
    with Session(database) as session:
        return session.scalars(select(ClinicSettings)).one()


def logo(database: Engine) -> bytes | None:
    with Session(database) as session:
        return session.scalar(select(ClinicSettings.logo))


def test_an_administrator_sets_the_address_and_the_paper(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", LETTERHEAD)
    app.text_area(key="letterhead_address").set_value("Lindenallee 1\n10115 Berlin")
    app.radio(key="letterhead_paper").set_value(Paper.LETTER)
    app.button(key="letterhead_save").click().run()
    assert said(app.success) == ["Saved."]
    kept = settings(database)
    assert (kept.address, kept.paper) == ("Lindenallee 1\n10115 Berlin", Paper.LETTER)


def test_an_address_that_cannot_be_printed_is_refused_and_stays(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", LETTERHEAD)
    app.text_area(key="letterhead_address").set_value("Lindenallee\x07 1")
    app.button(key="letterhead_save").click().run()
    assert "characters in the address that cannot be shown" in said(app.error)[0]
    assert app.text_area(key="letterhead_address").value == "Lindenallee\x07 1"
    assert settings(database).address == ""


def test_a_logo_is_set_shown_and_taken_away(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", LETTERHEAD)
    assert app.button(key="letterhead_save_logo").disabled
    app.file_uploader[0].set_value(("logo.png", picture(), "image/png")).run()
    app.button(key="letterhead_save_logo").click().run()
    assert said(app.success) == ["The logo is saved."]
    assert logo(database) == picture()
    assert "](/logo?" in texts(app)
    app.button(key="letterhead_remove").click().run()
    assert said(app.success) == ["There is no logo any more."]
    assert logo(database) is None
    assert "](/logo?" not in texts(app)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("logo.png", b"%PDF-1.7", "This file cannot be used. Please choose one of these: PNG, JPEG."),
        ("logo.png", picture()[:-30], "The logo cannot be opened: the file seems to be damaged."),
        ("logo.png", picture(side=4001), "The logo is too large: 1 MB and 4000 × 4000 pixels at most."),
    ],
)
def test_a_logo_that_cannot_be_drawn_gets_one_sentence(
    open_as: OpenAs, database: Engine, name: str, content: bytes, sentence: str
) -> None:
    app = open_as("albert", LETTERHEAD)
    app.file_uploader[0].set_value((name, content, "image/png")).run()
    if not app.button(key="letterhead_save_logo").disabled:
        app.button(key="letterhead_save_logo").click().run()
    assert said(app.error) == [sentence]
    assert logo(database) is None


def test_own_words_are_previewed_saved_and_given_up(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", LETTERHEAD)
    assert "thank you for seeing Maria Example, born Dec 31, 1980" in texts(app).replace("\\", "")
    app.text_area(key=REFERRAL).set_value("Dear friend,\n\nplease see {patient}.\n{doctor}").run()
    assert "Dear friend,  \n\u00a0  \nplease see Maria Example.  \nDr. Sample" in texts(app).replace("\\", "")
    app.button(key="letter_words_save").click().run()
    assert said(app.success) == ["Saved."]
    with Session(database) as session:
        assert session.scalars(select(LetterTemplate.text)).one().startswith("Dear friend")
    app.button(key="letter_words_restore").click().run()
    assert said(app.success) == ["Our words are used again."]
    assert app.text_area(key=REFERRAL).value.startswith("Dear colleague")
    with Session(database) as session:
        assert session.scalars(select(LetterTemplate.text)).all() == []


def test_words_with_a_blank_nobody_knows_are_refused_and_stay(open_as: OpenAs, database: Engine) -> None:
    app = open_as("albert", LETTERHEAD)
    app.text_area(key=REFERRAL).set_value("Dear {friend}").run()
    assert "{friend}" in said(app.warning)[0], "said before it is saved"
    app.button(key="letter_words_save").click().run()
    assert "{friend}" in said(app.error)[0]
    assert app.text_area(key=REFERRAL).value == "Dear {friend}"
    with Session(database) as session:
        assert session.scalars(select(LetterTemplate.text)).all() == []


@pytest.mark.parametrize("username", ["ada", "roth", "rita"])
def test_it_is_for_administrators_alone(open_as: OpenAs, username: str) -> None:
    app = open_as(username)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(LETTERHEAD)


def test_by_itself_it_refuses_whoever_is_not_signed_in(residents: Residents) -> None:
    app = AppTest.from_file(HOME.replace("Home.py", LETTERHEAD), default_timeout=20).run()
    assert [warning.value for warning in app.warning] == ["Please sign in to see this page."]
    assert not app.title
