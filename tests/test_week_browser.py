"""A visit dragged and stretched in a real browser: asked about, saved, and seen where it then is."""

from datetime import datetime, time, timedelta

from playwright.sync_api import FrameLocator, Locator, Page, expect
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from core import clock
from db.models import Appointment, Doctor, Patient, Service
from db.session import unit_of_work
from pages.ui.diaries import SLOT_MINUTES, SLOT_PIXELS
from tests import browsers, make
from tests.browsers import SignInAs
from tests.cast import BERLIN
from tests.portal import Residents

pytestmark = browsers.NEEDED
HOUR = timedelta(hours=1)


def tomorrow_at(hour: int) -> datetime:
    return datetime.combine((clock.now() + timedelta(days=1)).astimezone(BERLIN).date(), time(hour), BERLIN)


def booked(clinic: Engine, residents: Residents, at: datetime, length: timedelta | None = None) -> int:
    with unit_of_work(clinic) as session:
        visit = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            at,
            patient=session.get_one(Patient, residents.ada_id),
        )
        if length is not None:
            visit.ends_at, visit.blocked = at + length, Range(at, at + length)
        return visit.id


def week_of(page: Page, address: str, at: datetime) -> FrameLocator:
    """The calendar in the week of `at`, which is this one or the next."""
    page.goto(f"{address}/week")
    page.get_by_role("button", name="After").wait_for()
    if at.isocalendar().week != clock.now().astimezone(BERLIN).isocalendar().week:
        page.get_by_role("button", name="After").click()
        browsers.settle(page)
    calendar = page.locator("iframe[title='streamlit_calendar.calendar']")
    expect(calendar).to_have_count(1, timeout=20_000)  # that of the week before stands for a moment longer
    return calendar.content_frame


def pull(page: Page, visit: Locator, *, by: timedelta, at_foot: bool = False) -> None:
    """Drag a visit, or its lower edge, down by so much time."""
    visit.scroll_into_view_if_needed()
    visit.hover()
    box = visit.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + (box["height"] - 2 if at_foot else 8)
    pixels = by / timedelta(minutes=SLOT_MINUTES) * SLOT_PIXELS
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x, y + pixels * part, steps=4)
    page.mouse.up()


def times(clinic: Engine, number: int) -> tuple[datetime, datetime]:
    with Session(clinic) as session:
        visit = session.get_one(Appointment, number)
        return visit.starts_at, visit.ends_at


def test_a_visit_is_dragged_and_then_stretched(
    address: str, clinic: Engine, residents: Residents, sign_in_as: SignInAs
) -> None:
    at = tomorrow_at(10)
    number = booked(clinic, residents, at)
    page = sign_in_as("roth")
    visit = week_of(page, address, at).locator(".fc-event-draggable")
    pull(page, visit, by=HOUR)
    expect(page.get_by_text("Move Ada Okafor")).to_be_visible()
    assert times(clinic, number)[0] == at
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Moved. The patient is told.")).to_be_visible()
    assert times(clinic, number) == (at + HOUR, at + 1.5 * HOUR)
    browsers.settle(page)  # the calendar is drawn anew, and for a moment there are two
    expect(visit).to_contain_text("11:00")
    pull(page, visit, by=HOUR, at_foot=True)
    expect(page.get_by_text("Let the visit of Ada Okafor")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert times(clinic, number) == (at + HOUR, at + 2.5 * HOUR)


def test_the_keyboard_opens_a_visit_from_the_calendar(
    address: str, clinic: Engine, residents: Residents, sign_in_as: SignInAs
) -> None:
    at = tomorrow_at(16)
    booked(clinic, residents, at)
    page = sign_in_as("roth")
    visit = week_of(page, address, at).locator(".fc-event", has_text="16:00")
    visit.focus()
    visit.press("Enter")
    page.wait_for_url("**/visit?visit=*")


def test_on_a_phone_the_time_of_a_short_visit_is_there_for_whoever_does_not_see(
    address: str, clinic: Engine, residents: Residents, sign_in_as: SignInAs
) -> None:
    at = tomorrow_at(14) + timedelta(minutes=10)
    booked(clinic, residents, at, timedelta(minutes=10))
    page = sign_in_as("roth")
    page.set_viewport_size({"width": 390, "height": 844})
    visit = week_of(page, address, at).locator(".fc-event", has_text="14:10")
    visit.scroll_into_view_if_needed()
    assert (visit.bounding_box() or {"width": 99})["width"] <= 80
    assert "14:10" in visit.aria_snapshot()


def inside(part: Locator, whole: Locator) -> bool:
    inner, outer = part.bounding_box(), whole.bounding_box()
    assert inner is not None
    assert outer is not None
    return (
        outer["x"] <= inner["x"]
        and outer["y"] <= inner["y"]
        and inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        and inner["y"] + inner["height"] <= outer["y"] + outer["height"]
    )


def test_a_visit_of_ten_minutes_shows_its_time_and_name_and_the_rest_under_the_pointer(
    address: str, clinic: Engine, residents: Residents, sign_in_as: SignInAs
) -> None:
    at = tomorrow_at(15)
    booked(clinic, residents, at, timedelta(minutes=10))
    page = sign_in_as("roth")
    visit = week_of(page, address, at).locator(".fc-event", has_text="15:00")
    time_of, title = visit.locator(".fc-event-time"), visit.locator(".fc-event-title")
    visit.scroll_into_view_if_needed()
    assert inside(time_of, visit)
    assert inside(title, visit)
    assert (title.bounding_box() or {})["width"] > 80  # "Ada Okafor"
    visit.hover()
    expect(title).to_have_css("white-space", "normal")
    assert title.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert time_of.evaluate("it => it.scrollWidth <= it.clientWidth")
