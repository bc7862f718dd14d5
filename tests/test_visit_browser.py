"""The note of a visit in a real browser: saved while one types, and only where that is meant."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from db.models import Letter, PrescriptionItem
from tests import browsers
from tests.browsers import SignInAs, settle
from tests.portal import Residents
from tests.visits import SLOWLY, in_the_chair, kept, open_visit, wait_until_kept

pytestmark = browsers.NEEDED


@pytest.fixture
def visit_id(clinic: Engine, residents: Residents, request: pytest.FixtureRequest) -> int:
    """A visit of its own for each test: they may not lie over each other."""
    here = [each.name for each in request.session.items if each.path == request.node.path]
    number = sorted(here).index(request.node.name)
    return in_the_chair(clinic, residents, minutes_ago=40 * (number + 1))


def test_a_note_is_saved_while_one_types_and_focus_cursor_and_text_stay(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    complaints = browsers.complaints_of(page)
    findings = open_visit(page, address, visit_id)
    findings.click()
    words = "".join(f"word{number} " for number in range(20))
    page.keyboard.type(words, delay=SLOWLY)
    assert kept(clinic, visit_id).startswith("word0 "), "saved although nobody has paused"
    for _step in range(4):
        page.keyboard.press("ArrowLeft")
    wait_until_kept(page, clinic, visit_id, words)
    settle(page)
    page.keyboard.type("!", delay=SLOWLY)
    words = f"{words[:-4]}!{words[-4:]}"
    wait_until_kept(page, clinic, visit_id, words)
    expect(findings).to_have_value(words)
    expect(findings).to_be_focused()
    expect(page.get_by_text("Saved", exact=False).first).to_be_visible()
    expect(page.get_by_text("Not saved yet")).to_have_count(2)
    for line in page.get_by_text("Not saved yet").all():
        expect(line).to_be_hidden()
    assert complaints == []


def test_a_vital_sign_is_saved_too_and_other_fields_are_left_alone(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    open_visit(page, address, visit_id)
    page.get_by_label("Pulse (/min)").click()
    page.keyboard.type("64", delay=SLOWLY)
    page.wait_for_timeout(1500)
    assert kept(clinic, visit_id, "pulse") == "64"
    page.evaluate("""() => {
        window.pressed = [];
        document.addEventListener("keydown", event => window.pressed.push(event.target.ariaLabel));
    }""")
    page.get_by_text("Add to a list").click()
    page.get_by_label("What it is").click()
    page.keyboard.insert_text("Latex")
    page.wait_for_timeout(1500)
    assert page.evaluate("window.pressed") == []
    page.get_by_label("Pulse (/min)").click()
    page.keyboard.insert_text("0")
    page.wait_for_timeout(1500)
    assert page.evaluate("window.pressed") == ["Pulse (/min)"]


def test_characters_that_take_several_keys_are_not_interrupted(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    findings = open_visit(page, address, visit_id)
    findings.click()
    keyboard = page.context.new_cdp_session(page)
    compose = {"selectionStart": 2, "selectionEnd": 2}
    keyboard.send("Input.imeSetComposition", {"text": "ni", **compose})
    page.wait_for_timeout(1500)
    assert kept(clinic, visit_id) == ""
    keyboard.send("Input.insertText", {"text": "你"})
    wait_until_kept(page, clinic, visit_id, "你")
    expect(findings).to_have_value("你")


@pytest.mark.parametrize("how", ["closed", "reloaded", "left"])
def test_what_was_typed_just_before_the_tab_goes_is_kept(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs, how: str
) -> None:
    page = sign_in_as("roth")
    open_visit(page, address, visit_id).click()
    page.keyboard.type("Typed in the last moment")
    # Of Ctrl+W, Ctrl+R or Ctrl+L; who takes the mouse leaves the page with it, which does the same. What is
    # sent only when a page goes already is not always let through.
    page.keyboard.press("Control")
    page.wait_for_timeout(50)
    if how == "closed":
        page.close(run_before_unload=True)
    elif how == "reloaded":
        page.reload()
    else:
        page.goto(f"{address}/profile")
    other = page.context.new_page()
    wait_until_kept(other, clinic, visit_id, "Typed in the last moment")
    expect(open_visit(other, address, visit_id)).to_have_value("Typed in the last moment")


@pytest.mark.parametrize("how", ["closed", "reloaded", "left"])
def test_what_no_websocket_carries_any_more_when_the_tab_goes_is_kept(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs, how: str
) -> None:
    page = sign_in_as("roth")
    open_visit(page, address, visit_id).click()
    page.keyboard.type("Before. ", delay=SLOWLY)
    wait_until_kept(page, clinic, visit_id, "Before. ")
    settle(page)
    page.evaluate("WebSocket.prototype.send = () => {}")
    page.keyboard.type("Typed in the last moment")
    if how == "closed":
        page.close(run_before_unload=True)
    elif how == "reloaded":
        page.reload()
    else:
        page.goto(f"{address}/profile")
    other = page.context.new_page()
    wait_until_kept(other, clinic, visit_id, "Before. Typed in the last moment")
    expect(open_visit(other, address, visit_id)).to_have_value("Before. Typed in the last moment")


def test_of_two_tabs_the_second_keeps_its_text_on_the_screen_until_the_other_is_loaded(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    other = page.context.new_page()
    first, second = open_visit(page, address, visit_id), open_visit(other, address, visit_id)
    first.fill("From the first")
    wait_until_kept(page, clinic, visit_id, "From the first")
    other.bring_to_front()
    second.click()
    other.keyboard.type("From the second", delay=SLOWLY)
    expect(other.get_by_text("changed in another window")).to_be_visible()
    expect(second).to_have_value("From the second")
    assert kept(clinic, visit_id) == "From the first"
    other.get_by_role("button", name="Load the other text").click()
    expect(second).to_have_value("From the first")
    second.press("End")
    other.keyboard.type(", and on", delay=SLOWLY)
    wait_until_kept(other, clinic, visit_id, "From the first, and on")


def test_the_keys_sign_the_note_as_it_is_typed(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    open_visit(page, address, visit_id).click()
    page.keyboard.type("Nothing found")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_text("The note is signed.")).to_be_visible()
    expect(page.get_by_text("Signed by Dr. Eva Roth")).to_be_visible()
    expect(page.get_by_text("Nothing found")).to_be_visible()
    visit = page.get_by_role("link", name="Visit as PDF").get_attribute("href")
    assert page.evaluate("address => fetch(address).then(answer => answer.status)", visit) == 200


def test_a_prescription_and_a_letter_are_saved_while_one_types_too(
    clinic: Engine, visit_id: int, address: str, sign_in_as: SignInAs
) -> None:
    page = sign_in_as("roth")
    open_visit(page, address, visit_id)
    page.get_by_role("tab", name="Prescription").click()
    page.get_by_label("1. Drug *").click()
    page.keyboard.type("Ibuprofen", delay=SLOWLY)
    expect(page.get_by_label("2. Drug *")).to_be_visible()
    page.keyboard.type(" 400", delay=SLOWLY)
    page.get_by_role("tab", name="Letters").click()
    page.get_by_role("button", name="New: Referral letter").click()
    page.get_by_label("For whom (name and address)").click()
    page.keyboard.type("Dr. Sommer", delay=SLOWLY)
    page.wait_for_timeout(1500)
    with Session(clinic) as session:
        assert session.scalars(select(PrescriptionItem.drug)).all() == ["Ibuprofen 400"]
        assert session.scalars(select(Letter.addressee)).all() == ["Dr. Sommer"]
