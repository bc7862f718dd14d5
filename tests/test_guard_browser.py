"""The guard as a browser meets it: its cookies, and tabs that leave when their session ends."""

import time

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core import grants, sign_ins
from db.models import AuditEntry, Outcome, SignIn, User
from db.session import unit_of_work
from tests import browsers
from tests.browsers import SignInAs, settle

pytestmark = browsers.NEEDED


def end_all(clinic: Engine) -> None:
    with unit_of_work(clinic) as session:
        for sign_in in session.scalars(select(SignIn).where(SignIn.ended_at.is_(None))):
            sign_in.ended_at = sign_in.last_seen_at


def test_an_open_tab_leaves_its_page_when_the_session_ends_elsewhere(
    sign_in_by_form: SignInAs,
    clinic: Engine,
) -> None:
    page = sign_in_by_form("ada")
    settle(page)
    started = time.monotonic()
    end_all(clinic)
    expect(page.get_by_text("Ada Okafor")).to_have_count(0, timeout=5_000)
    assert time.monotonic() - started < 5
    expect(page.get_by_label("User name")).to_be_visible()
    assert "__Host-sid" not in {cookie["name"] for cookie in page.context.cookies()}


def test_signing_out_in_one_tab_clears_the_others(sign_in_by_form: SignInAs, address: str) -> None:
    page = sign_in_by_form("ada")
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_text("Ada Okafor")).to_be_visible(timeout=20_000)
    settle(page)
    page.get_by_role("button", name="Sign out").click()
    expect(other.get_by_text("Ada Okafor")).to_have_count(0, timeout=5_000)
    expect(other.get_by_label("User name")).to_be_visible()


def test_scripts_see_neither_cookie_and_no_address_holds_the_token(
    chromium: Browser,
    sign_in_by_form: SignInAs,
    clinic: Engine,
    address: str,
) -> None:
    addresses: list[str] = []
    page = sign_in_by_form("ada")
    page.on("request", lambda request: addresses.append(request.url))
    page.reload()
    expect(page.get_by_text("Ada Okafor")).to_be_visible()
    held = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    visible = page.evaluate("document.cookie")
    assert {"__Host-sid", "__Host-bid"} <= held.keys()
    for name in ("__Host-sid", "__Host-bid"):
        assert name not in visible
        assert all(held[name] not in each for each in addresses)


def test_a_new_session_replaces_the_older_one_of_the_browser(
    sign_in_by_form: SignInAs,
    address: str,
    clinic: Engine,
) -> None:
    page = sign_in_by_form("ada")
    older = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["__Host-sid"]
    browser = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["__Host-bid"]
    with unit_of_work(clinic) as session:
        ben = session.scalars(select(User).where(User.username == "ben")).one()
        grants.grant(session, user_id=ben.id, browser=browser)
    page.goto(f"{address}/session/start")
    expect(page.get_by_text("Ben Sato")).to_be_visible(timeout=20_000)
    with Session(clinic) as session:
        assert sign_ins.current_actor(session, older) is None


def refused(clinic: Engine) -> int:
    with Session(clinic) as session:
        refusals = select(AuditEntry.id).where(AuditEntry.outcome == Outcome.REFUSED)
        return len(session.scalars(refusals).all())


@pytest.mark.parametrize(
    ("username", "asked", "lands_on"),
    [
        ("ada", "revenue", "Find a doctor"),
        ("ada", "board", "Find a doctor"),
        ("rita", "my_waitlist", "Board"),
    ],
)
def test_a_page_of_another_role_says_so_itself_is_kept_once_and_leads_on(
    sign_in_as: SignInAs, clinic: Engine, address: str, username: str, asked: str, lands_on: str
) -> None:
    page, before = sign_in_as(username), refused(clinic)
    page.goto(f"{address}/{asked}")
    expect(page.get_by_text("This page is not for your role.")).to_be_visible()
    settle(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.get_by_role("button", name="To the first page").click()
    expect(page.get_by_role("heading", name=lands_on)).to_be_visible()
    assert page.url == f"{address}/"
    assert refused(clinic) == before + 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nonsense", "There is no page at this address."),
        ("Ünsinn", "There is no page at this address."),
        ("register", "This page is for whoever is not signed in."),
    ],
)
def test_an_address_without_a_page_for_somebody_says_so_calmly(
    sign_in_as: SignInAs, address: str, asked: str, said: str
) -> None:
    page = sign_in_as("ada")
    page.goto(f"{address}/{asked}")
    expect(page.get_by_text(said)).to_be_visible()
    settle(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.get_by_role("button", name="To the first page").click()
    expect(page.get_by_role("heading", name="Find a doctor")).to_be_visible()
