"""Every page as a browser that keeps to the strict policy draws it, and as axe-core looks at it.

A new page is in here by itself: who may see it is read from its guard.
"""

import ast
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select

from core import clock, notifications, records, sign_ins
from db.models import Doctor, Patient, Role, Service, User
from db.session import unit_of_work
from pages.ui import navigation
from tests import browsers, make, obstacles, portal
from tests.browsers import SignInAs, settle
from tests.portal import PASSWORD, ROOT, Residents

pytestmark = browsers.NEEDED
PERSON = {Role.PATIENT: "ada", Role.DOCTOR: "roth", Role.STAFF: "rita", Role.ADMIN: "albert"}
LANDING = {None: navigation.SIGN_IN, **navigation.LANDING}  # at the address of the portal itself
TO_VISIT = {navigation.PAY, navigation.BEFORE_VISIT}  # whoever asks for none is led to the list of them
FOR_NOBODY = (navigation.SIGN_IN, *navigation.SIGNED_OUT)
GO = "to => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate')) }"
EMERGENCY = "Found unconscious in the hall"


def seen_by(role: Role) -> list[str]:
    """The pages whose guard lets a role in."""
    return [page for page in navigation.BEHIND_GUARDS if f"Role.{role.name}" in _let_in(page)]


def _let_in(page: str) -> list[str]:
    guards = [
        node
        for node in ast.walk(ast.parse((ROOT / page).read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "require"
    ]
    return [ast.unparse(argument) for guard in guards for argument in guard.args]


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    """People with something on every page: visits, an emergency, a message, and so a trail."""
    with unit_of_work(clinic) as session:
        made = portal.settle_in(session)
        make.clinic(session, is_demo=True, requires_second_factor=False)
        roth, service = session.get_one(Doctor, made.roth_id), session.get_one(Service, made.checkup_id)
        ada, ben = (session.get_one(Patient, number) for number in (made.ada_id, made.ben_id))
        make.known_of(session, ada)
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        for patient, hours in ((ada, -48), (ada, 1), (ada, 72), (ben, 2)):
            make.appointment(session, roth, service, hour + timedelta(hours=hours), patient=patient)
        notifications.enqueue_email(session, to="ada@example.org", subject="Hello", body="A letter")
        weiss = session.scalars(select(User).where(User.username == "weiss")).one()
        token = sign_ins.start(session, user_id=weiss.id)
        actor = sign_ins.current_actor(session, token)
        assert actor is not None
        records.break_glass(session, actor, patient_id=made.ben_id, reason=EMERGENCY)
        return made


def open_page(page: Page, address: str, path: str, residents: Residents, role: Role | None) -> None:
    """Open a page by its address and wait until all of it is drawn."""
    page.goto(_address_of(address, path, residents, role))
    _wait_until_drawn(page)


def go_to_page(page: Page, address: str, path: str, residents: Residents, role: Role) -> None:
    """Have the open portal show a page as Back and Forward do, and wait until all of it is drawn.

    Streamlit is not loaded again for it, which takes longer than all the rest.
    """
    heading, to = page.get_by_role("heading").first, _address_of(address, path, residents, role)
    if page.url != to:
        before = heading.inner_text()
        page.evaluate(GO, to)
        expect(heading).not_to_have_text(before, timeout=20_000)
    _wait_until_drawn(page)


def _address_of(address: str, path: str, residents: Residents, role: Role | None) -> str:
    query = f"?doctor={residents.roth_id}&service={residents.checkup_id}" if path == navigation.DOCTOR else ""
    return f"{address}/{Path(path).stem}{query}" if path != LANDING[role] else f"{address}/"


def _wait_until_drawn(page: Page) -> None:
    expect(page.get_by_role("heading").first).to_be_visible(timeout=20_000)
    settle(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_text("no page at this address")).to_have_count(0)
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    expect(page.get_by_text("not for your role")).to_have_count(0)


def test_every_page_there_is_is_opened() -> None:
    scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "pages").glob("*/*.py")}
    shared = {each for each in scripts if each.startswith(("pages/ui/", "pages/front/"))}
    opened = {*FOR_NOBODY, *(page for role in PERSON for page in seen_by(role))}
    assert {each for each in scripts - shared if not each.endswith("__init__.py")} == opened
    assert PERSON.keys() == set(Role)


@pytest.mark.parametrize("role", list(Role))
def test_the_pages_of_each_role_keep_to_the_strict_policy_and_put_nothing_in_anybodys_way(
    sign_in_as: SignInAs, address: str, residents: Residents, role: Role
) -> None:
    page = sign_in_as(PERSON[role])
    complaints = browsers.complaints_of(page)
    before = list(Role)[: list(Role).index(role)]
    looked_at = {path for other in before for path in seen_by(other)}
    in_the_way = {}
    for path in seen_by(role):
        go = open_page if path in TO_VISIT else go_to_page
        go(page, address, path, residents, role)
        assert complaints == [], path
        if path not in looked_at:
            in_the_way[path] = obstacles.found_light_and_dark(page)
    assert {path: what for path, what in in_the_way.items() if what} == {}


def test_what_is_in_the_way_is_found_where_there_is_something(chromium: Browser) -> None:
    tab = chromium.new_page()
    tab.set_content(
        "<main lang='en'><button></button><p style='color: #ccc; background: #fff'>Hardly</p></main>"
    )
    assert {"button-name", "color-contrast"} <= set(obstacles.found(tab))
    assert list(obstacles.found(tab, "color-contrast")) == ["color-contrast"]
    tab.close()


def test_the_pages_of_nobody_keep_to_it_too(chromium: Browser, address: str, residents: Residents) -> None:
    context = chromium.new_context()
    page = context.new_page()
    complaints = browsers.complaints_of(page)
    for path in (*FOR_NOBODY, navigation.FIND_DOCTOR):
        open_page(page, address, path, residents, None)
        assert complaints == [], path
    expect(page.get_by_text("Please sign in to see this page.")).to_be_visible()
    context.close()


def test_the_qr_code_of_a_second_step_and_its_recovery_codes_do(sign_in_as: SignInAs, address: str) -> None:
    page = sign_in_as("ben")
    complaints = browsers.complaints_of(page)
    page.goto(f"{address}/security")
    page.get_by_label("Your current password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("img[src^='data:image/svg']")).to_be_visible()
    page.get_by_text("Cannot scan it?").click()
    secret = page.locator("code").first.inner_text()
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Keep these recovery codes")).to_be_visible()
    settle(page)
    assert complaints == []


def test_a_record_and_the_question_before_it_do(sign_in_as: SignInAs, address: str) -> None:
    for username, shown in (("roth", "Penicillin"), ("weiss", "What is the emergency?")):
        page = sign_in_as(username)
        complaints = browsers.complaints_of(page)
        page.goto(f"{address}/patient_record")
        page.get_by_label("Find a patient").fill("okafor")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Ada Okafor").click()
        expect(page.get_by_text(shown).first).to_be_visible()
        settle(page)
        assert complaints == [], username


def test_a_trail_with_entries_and_its_check_do(sign_in_as: SignInAs, address: str) -> None:
    page = sign_in_as("albert")
    complaints = browsers.complaints_of(page)
    page.goto(f"{address}/audit_trail")
    expect(page.get_by_text(EMERGENCY)).to_be_visible()
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="Check every entry").click()
    expect(page.get_by_text("Every entry is as it was written")).to_be_visible()
    settle(page)
    assert complaints == []


def test_times_to_choose_from_and_a_visit_to_move_or_cancel_do(
    sign_in_as: SignInAs, address: str, residents: Residents
) -> None:
    page = sign_in_as("ada")
    complaints = browsers.complaints_of(page)
    open_page(page, address, navigation.DOCTOR, residents, Role.PATIENT)
    expect(page.get_by_role("radiogroup", name="Day", exact=True)).to_be_visible()
    open_page(page, address, navigation.MY_APPOINTMENTS, residents, Role.PATIENT)
    for panel in ("Move", "Cancel"):
        page.get_by_role("button", name=panel, exact=True).last.click()
        settle(page)
    assert complaints == []


def test_what_the_policy_forbids_is_noticed(chromium: Browser, address: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    complaints = browsers.complaints_of(page)
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible(timeout=20_000)
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), {text: 'x()'}))")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in each for each in complaints)
    context.close()
