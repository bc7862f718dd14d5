"""A real Chromium for tests: where it is, how it is started, and people who sign in with it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from sqlalchemy import Engine

from tests import portal
from tests.portal import Cookies

# The first is the same browser without a window that nobody looks at, which takes a fifth less work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NEEDED = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="There is no Chromium on this machine: install chromium-headless-shell, or chromium.",
    ),
]
PROBES = ("/_stcore/health", "/_stcore/host-config")
SignInAs = Callable[[str], Page]


@contextmanager
def of_people(chromium: Browser, address: str, clinic: Engine | None = None) -> Iterator[SignInAs]:
    """Signs people in at `address`, each in a browser of their own.

    By the form, or with the cookie of a new session in `clinic`, which is a page less to load.
    """
    with ExitStack() as contexts:

        def sign_in(username: str) -> Page:
            context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
            contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(20_000)
            if clinic is None:
                page.goto(address)
                _fill_the_form(page, username)
            else:
                keep(context, address, portal.signed_in(clinic, username))
                page.goto(address)
            expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=20_000)
            return page

        yield sign_in


def _fill_the_form(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(portal.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def keep(context: BrowserContext, address: str, cookies: Cookies) -> None:
    """Have a browser keep cookies as if the portal had set them."""
    secure = address.replace("http:", "https:")
    context.add_cookies(
        [{"name": name, "value": value, "url": secure, "secure": True} for name, value in cookies.items()]
    )


def settle(page: Page) -> None:
    """Wait until the page has answered the last click: a person would wait to see it too."""
    page.wait_for_timeout(150)
    page.locator("[data-test-script-state='notRunning']").wait_for()


def complaints_of(page: Page) -> list[str]:
    """What the browser itself has to say against a page from now on: a list that fills by itself.

    Not that Streamlit asks for its server under a page's own address first, and is told that it is not there.
    """
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(PROBES):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
