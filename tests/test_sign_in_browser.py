"""Signing in as people do it, in a real Chromium: with a phone, and through Google and Facebook."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.models import ClinicSettings, SignIn, SocialIdentity, User
from db.session import unit_of_work
from tests import browsers, other_site, portal
from tests.browsers import settle
from tests.portal import PASSWORD, Residents
from tests.test_launch import free_port

pytestmark = browsers.NEEDED
SITES = {"Google": "google", "Facebook": "facebook"}
SECRETS = """
[auth]
redirect_uri = "{portal}/oauth2callback"
cookie_secret = "for tests only, and long enough to be one"

[auth.google]
client_id = "clinic"
client_secret = "secret"
server_metadata_url = "{google}/.well-known/openid-configuration"

[auth.facebook]
client_id = "clinic"
client_secret = "secret"
server_metadata_url = "{facebook}/.well-known/openid-configuration"
client_kwargs = {{ scope = "openid email" }}
access_token_url = "{facebook}/oauth2/token"
"""


@pytest.fixture(scope="module")
def sites() -> Iterator[dict[str, str]]:
    """The stand-ins for both other sites: their addresses by name."""
    with ExitStack() as running:
        yield {name: running.enter_context(other_site.running(name)) for name in SITES.values()}


@pytest.fixture(scope="module")
def address(
    clinic: Engine,
    residents: Residents,
    sites: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The portal of a clinic that wants a second factor of its people, with both other sites set up."""
    with unit_of_work(clinic) as session:
        session.get_one(ClinicSettings, 1).requires_second_factor = True
    folder: Path = tmp_path_factory.mktemp("portal")
    port = free_port()
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(portal=f"http://localhost:{port}", **sites))
    options = ["--secrets.files", str(secrets)]
    with portal.running(clinic, folder / "log", port=port, options=options) as url:
        yield url
    portal.require_quiet(folder / "log")


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    yield context
    context.close()


def open_portal(browser: BrowserContext, address: str) -> Page:
    page = browser.new_page()
    page.goto(address)
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    return page


def give_password(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def expect_signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=20_000)


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code from your app").fill(code)
    page.get_by_role("button", name="Go on").click()


def agree(page: Page, subject: str) -> None:
    """What the other site asks: who one is."""
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize", exact=True).click()


def sessions(clinic: Engine) -> int:
    with Session(clinic) as session:
        return len(session.scalars(select(SignIn).where(SignIn.ended_at.is_(None))).all())


def test_a_receptionist_sets_up_a_phone_signs_in_with_it_and_once_without_it(
    browser: BrowserContext,
    address: str,
    clinic: Engine,
) -> None:
    before = sessions(clinic)
    page = open_portal(browser, address)
    give_password(page, "rita")
    shown = page.locator("code").first.text_content() or ""  # folded away for those who cannot scan
    secret = shown.replace(" ", "")
    expect(page.locator("img[src^='data:image/svg']")).to_be_visible()
    assert sessions(clinic) == before, "half signed in is not signed in"
    give_code(page, "000000")
    expect(page.get_by_text("That code does not fit")).to_be_visible()
    page.reload()
    expect(page.locator("code").first).to_have_text(shown, timeout=20_000)
    spent = pyotp.TOTP(secret).now()
    give_code(page, spent)
    expect(page.get_by_text("Keep these recovery codes")).to_be_visible()
    recovery = page.locator("code").first.inner_text().split()[0]
    assert sessions(clinic) == before
    page.get_by_role("button", name="I have kept them").click()
    expect_signed_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    give_password(page, "rita")
    give_code(page, spent)
    expect(page.get_by_text("That code does not fit")).to_be_visible()
    give_code(page, recovery)
    expect_signed_in(page)


def test_whose_password_was_given_can_be_forgotten_again(browser: BrowserContext, address: str) -> None:
    page = open_portal(browser, address)
    give_password(page, "albert")
    page.get_by_role("button", name="Sign in as somebody else").click()
    expect(page.get_by_label("User name")).to_be_visible()
    give_password(page, "ada")
    expect_signed_in(page)


@pytest.mark.parametrize("site", SITES)
def test_an_account_is_linked_with_its_password_and_then_let_in_without(
    browser: BrowserContext,
    address: str,
    clinic: Engine,
    site: str,
) -> None:
    subject = f"ada-at-{site}@example.org"
    page = open_portal(browser, address)
    page.get_by_role("button", name=f"Continue with {site}").click()
    agree(page, subject)
    expect(page.get_by_text("is not linked to an account here yet")).to_be_visible(timeout=20_000)
    give_password(page, "ada")
    expect_signed_in(page)
    expect(page.get_by_text("from now on?")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_text("That is not your current password.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_text("Linked.")).to_be_visible()
    expect(page.get_by_text("from now on?")).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    page.reload()  # what the site said has been used, and its cookie is gone
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(1100)  # sites tell the time in whole seconds
    page.get_by_role("button", name=f"Continue with {site}").click()
    agree(page, subject)
    expect_signed_in(page)
    expect(page.get_by_text(re.compile("^Ada Okafor"))).to_be_visible()
    with Session(clinic) as session:
        ada = session.scalars(select(User).where(User.username == "ada")).one()
        linked = select(SocialIdentity).where(SocialIdentity.user_id == ada.id)
        assert subject in {each.subject for each in session.scalars(linked)}


def test_a_kept_cookie_of_another_site_lets_nobody_in_again(
    browser: BrowserContext,
    address: str,
    clinic: Engine,
    sites: dict[str, str],
) -> None:
    with unit_of_work(clinic) as session:
        ada = session.scalars(select(User).where(User.username == "ada")).one()
        session.add(SocialIdentity(user_id=ada.id, issuer=sites["google"], subject="ada-once@example.org"))
    page = open_portal(browser, address)
    page.get_by_role("button", name="Continue with Google").click()
    agree(page, "ada-once@example.org")
    expect_signed_in(page)
    kept = [cookie for cookie in browser.cookies() if cookie["name"].startswith("_streamlit_user")]
    assert kept
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    browser.add_cookies(
        [{key: cookie[key] for key in ("name", "value", "domain", "path")} for cookie in kept]
    )
    page.goto(address)
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    settle(page)
    assert page.get_by_role("button", name="Sign out").count() == 0


def test_whoever_declines_at_the_other_site_is_back_at_the_form(
    browser: BrowserContext, address: str
) -> None:
    page = open_portal(browser, address)
    page.get_by_role("button", name="Continue with Google").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
