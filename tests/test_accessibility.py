"""What keeps people from using a page, as axe-core finds it: on each page of each role, light and dark.

Only what is serious counts, and what is ours: what Streamlit draws by itself is listed here.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from core import clock
from db.models import Doctor, Patient, Service
from db.session import unit_of_work
from pages.ui import navigation
from tests import browsers, make, portal
from tests.portal import Residents

pytestmark = browsers.NEEDED
SERIOUS = {"serious", "critical"}
STREAMLITS: set[str] = set()
PAGES = {  # the first is where the role lands: it has no name in its address
    "ada": [
        *("find_doctor", "my_appointments", "my_record", "my_waitlist", "payments", "notifications"),
        *("record_access", "my_data", "profile", "security"),
    ],
    "roth": ["today", "week", "patient_record", "hours", "my_profile", "profile"],
    "rita": [
        *("board", "book_for_patient", "today", "waitlist", "inbox", "message_log", "till", "day_close"),
        *("week", "unsettled", "doctor_hours"),
    ],
    "albert": [
        *("users", "clinic", "places", "services", "doctors", "policies", "reconciliation", "prices"),
        *("messages", "questions", "letterhead", "history", "audit_trail", "system", "holidays", "profiles"),
    ],
}


@pytest.fixture(scope="module")
def lived_in(clinic: Engine, residents: Residents, address: str) -> str:
    """The portal's address, once there are visits to see."""
    with unit_of_work(clinic) as session:
        doctor, service = (
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
        )
        ada = session.get_one(Patient, residents.ada_id)
        now = clock.now().replace(minute=0, second=0, microsecond=0)
        for hours in (-48, 2, 72):
            make.appointment(session, doctor, service, now + timedelta(hours=hours), patient=ada)
    return address


@pytest.fixture
def page(chromium: Browser, lived_in: str, clinic: Engine, username: str) -> Iterator[Page]:
    """A signed-in tab."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    browsers.keep(context, lived_in, portal.signed_in(clinic, username))
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    yield tab
    context.close()


def obstacles(page: Page, *rules: str) -> dict[str, list[str]]:
    """What axe-core finds on the page as it is, by rule: how the elements begin."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options).response["violations"]
    return {
        each["id"]: [node["html"][:200] for node in each["nodes"]]
        for each in found
        if each["impact"] in SERIOUS and each["id"] not in STREAMLITS
    }


def ground(page: Page) -> str:
    """The colour that the page is drawn on."""
    colour: str = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    return colour


@pytest.mark.parametrize("username", list(PAGES))
def test_no_page_has_a_serious_obstacle(page: Page, lived_in: str, username: str) -> None:
    found = {}
    for name in PAGES[username]:
        page.emulate_media(color_scheme="light")
        page.goto(f"{lived_in}/{'' if name == PAGES[username][0] else name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        browsers.settle(page)
        found[name], light = obstacles(page), ground(page)
        page.emulate_media(color_scheme="dark")
        browsers.settle(page)
        assert ground(page) != light
        found[f"{name}, dark"] = obstacles(page, "color-contrast")
    assert {name: what for name, what in found.items() if what} == {}


def test_every_page_of_a_role_is_looked_at() -> None:
    looked_at = {page for pages in PAGES.values() for page in pages}
    elsewhere = {"doctor", "pay", "visit", "before_visit"}  # they need a visit or doctor in their address
    ours = {page.rpartition("/")[2].removesuffix(".py") for page in navigation.BEHIND_GUARDS}
    assert ours - looked_at == elsewhere


def test_an_obstacle_is_found_where_there_is_one(chromium: Browser) -> None:
    tab = chromium.new_page()
    tab.set_content(
        "<main lang='en'><button></button><p style='color: #ccc; background: #fff'>Hardly</p></main>"
    )
    assert {"button-name", "color-contrast"} <= set(obstacles(tab))
    assert list(obstacles(tab, "color-contrast")) == ["color-contrast"]
    tab.close()
