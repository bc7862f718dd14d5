"""The sandbox's phones in a real browser, and who may not answer from them."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import NEEDED, complaints_of
from tests.phones import ADA, BEN, NUMBER, Phones


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def send(phone: Phones, to: str, body: str) -> str:
    return str(phone.client().messages.create(to=to, from_=NUMBER, body=body).sid)


def replies(phone: Phones) -> list[str]:
    return [each["body"] for each in phone.texts() if each["direction"] == "inbound"]


class TestInABrowser:
    """What one sees and presses, on a narrow screen."""

    pytestmark = NEEDED

    def test_a_text_is_read_and_answered(self, phone: Phones, page: Page) -> None:
        complaints = complaints_of(page)
        page.goto(phone.sandbox.url)
        page.get_by_role("link", name="Phones").click()
        expect(page.get_by_text("Sandbox: no text leaves this machine.")).to_be_visible()
        expect(
            page.get_by_text("None yet. A phone appears here when the first text is sent to it.")
        ).to_be_visible()
        send(phone, BEN, "For Ben")
        send(phone, ADA, "Reply C to confirm")
        page.reload()
        expect(page.locator("a.phone strong")).to_have_text([ADA, BEN])
        page.get_by_role("link", name=ADA).click()
        expect(page.locator(".bubble")).to_have_count(1)
        expect(page.get_by_text("delivered", exact=True)).to_be_visible()
        expect(page.get_by_text("1 segment", exact=False)).to_be_visible()
        page.get_by_role("button", name="C", exact=True).click()
        expect(page.locator(".mine p")).to_have_text("C")
        page.get_by_label("Answer as this person").fill("Danke & bis <bald>")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".mine p")).to_have_text(["C", "Danke & bis <bald>"])
        assert replies(phone) == ["C", "Danke & bis <bald>"]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert complaints == []

    def test_a_text_that_comes_while_one_types_is_shown_and_nothing_typed_is_lost(
        self, phone: Phones, page: Page
    ) -> None:
        phone.set_pace(None)
        send(phone, ADA, "First")
        page.goto(f"{phone.sandbox.url}/phones/{ADA}")
        expect(page.get_by_text("queued", exact=True)).to_be_visible()
        page.get_by_label("Answer as this person").press_sequentially("I am ty")
        phone.set_pace(0)
        send(phone, ADA, "Second")
        expect(page.locator(".theirs p")).to_have_text(["First", "Second"])
        expect(page.get_by_text("delivered", exact=True)).to_have_count(2)
        page.keyboard.type("ping")
        expect(page.get_by_label("Answer as this person")).to_have_value("I am typing")

    def test_who_says_stop_is_shown_as_gone_until_start(self, phone: Phones, page: Page) -> None:
        send(phone, ADA, "Hello")
        page.goto(f"{phone.sandbox.url}/phones/{ADA}")
        page.get_by_role("button", name="STOP").click()
        expect(page.get_by_text("This phone has said STOP")).to_be_visible()
        page.get_by_role("button", name="START").click()
        expect(page.get_by_text("This phone has said STOP")).to_have_count(0)
        assert replies(phone) == ["STOP", "START"]

    def test_what_becomes_of_texts_is_chosen_on_the_page(self, phone: Phones, page: Page) -> None:
        page.goto(f"{phone.sandbox.url}/phones/{ADA}")
        expect(page.get_by_text("Nothing was sent to this phone yet.")).to_be_visible()
        page.get_by_text("What becomes of texts to this phone").click()
        page.get_by_role("button", name="It is a landline").click()
        send(phone, ADA, "Hello")
        expect(page.get_by_text("undelivered (30006)")).to_be_visible()


def test_what_a_text_says_is_escaped(phone: Phones) -> None:
    send(phone, ADA, "<script>alert(1)</script>")
    for path in ("/phones", f"/phones/{ADA}", f"/phones/{ADA}/texts"):
        said = httpx.get(phone.sandbox.url + path).text
        assert "&lt;script&gt;alert" in said
        assert "<script>alert" not in said


def test_of_many_phones_the_latest_are_listed_and_the_page_says_so(phone: Phones) -> None:
    for number in range(50):
        phone.reply(f"+49301000{number:02}", "Hello", to=NUMBER)
    said = httpx.get(f"{phone.sandbox.url}/phones").text
    assert "+4930100000" in said
    assert "Only the" not in said
    phone.reply("+4930100099", "Hello", to=NUMBER)
    said = httpx.get(f"{phone.sandbox.url}/phones").text
    assert "Only the 50 phones with the latest texts are shown." in said
    assert "+4930100000" not in said


def test_a_page_for_what_is_no_number_says_so(phone: Phones) -> None:
    for path in ("/phones/12", "/phones/%3Cscript%3E"):
        answer = httpx.get(phone.sandbox.url + path)
        assert answer.status_code == 404
        assert "That is no phone number" in answer.text
        assert httpx.post(f"{phone.sandbox.url}{path}/reply", data={"body": "C"}).status_code == 303
    assert replies(phone) == []


def test_an_empty_answer_is_none(phone: Phones) -> None:
    for body in ("", "  "):
        assert httpx.post(f"{phone.sandbox.url}/phones/{ADA}/reply", data={"body": body}).status_code == 303
    assert replies(phone) == []


@pytest.mark.parametrize(
    "headers", [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_sites_page_answers_for_nobody(phone: Phones, headers: dict[str, str]) -> None:
    for path in (f"/phones/{ADA}/reply", f"/sandbox/phones/{ADA}/reply"):
        answer = httpx.post(phone.sandbox.url + path, data={"body": "STOP"}, headers=headers)
        assert answer.status_code == 403
    assert replies(phone) == []


def test_a_reset_empties_the_phones(phone: Phones) -> None:
    send(phone, ADA, "Hello")
    phone.reply(ADA, "STOP")
    phone.sandbox.reset()
    assert phone.texts() == []
    assert "None yet" in httpx.get(f"{phone.sandbox.url}/phones").text
    send(phone, ADA, "Hello")
