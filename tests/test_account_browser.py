"""Accounts in a real Chromium on a phone: from the form over the mailbox to the second step."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from db.session import unit_of_work
from tests import browsers, make, portal
from tests.browsers import settle
from tests.portal import Residents

pytestmark = browsers.NEEDED
PASSWORD = "glass river tempo"


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    with unit_of_work(clinic) as session:
        made = portal.settle_in(session)
        make.clinic(session, is_demo=True, requires_second_factor=False)
        return made


@pytest.fixture(scope="module")
def unwanted() -> tuple[str, ...]:
    return ("WARNING", "Warning", "Zoë", "zoe@example.org", "12345678", PASSWORD)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)


def test_somebody_registers_signs_in_and_sets_up_the_second_step(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Full name").fill("Zoë Übel")
    page.get_by_label("Mobile phone").fill("0151 12345678")
    page.get_by_label("Email").fill("Zoe@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Send me a code")
    expect(page.get_by_text("Please give the birth date.")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Zoë Übel")
    page.get_by_test_id("stDateInput").get_by_role("spinbutton").first.click()
    page.keyboard.type("19900215")
    press(page, "Send me a code")
    expect(page.get_by_label("Code from the email")).to_be_visible()

    mailbox = page.context.new_page()
    mailbox.goto(f"{address}/demo_mailbox")
    letter = mailbox.get_by_text("Your code is").inner_text()
    mailbox.close()
    page.get_by_label("Code from the email").fill(letter.partition("Your code is ")[2][:6])
    press(page, "Open my account")
    expect(page.get_by_text("Your account is ready. Please sign in.")).to_be_visible()
    page.get_by_label("User name").fill("ZOE@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Find a doctor")).to_be_visible(timeout=20_000)

    page.goto(f"{address}/security")
    page.get_by_label("Your current password").fill(PASSWORD)
    press(page, "Set it up")
    picture = page.get_by_test_id("stImage").get_by_role("img")
    expect(picture).to_be_visible()
    assert (picture.get_attribute("src") or "").startswith("data:image/svg+xml")
    assert not [url for url in asked if url.startswith(f"{address}/media/") or "zoe" in url.lower()]
