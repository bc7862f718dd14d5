"""A click on a bar in a real browser, and the way back to what was looked at before."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from core import clock
from db.models import AppointmentStatus, Doctor, Patient, Service
from db.session import unit_of_work
from tests import browsers, make, portal
from tests.browsers import SignInAs, settle
from tests.portal import Residents

pytestmark = browsers.NEEDED


def completed(clinic: Engine, residents: Residents, *, days_ago: int) -> None:
    """Ada has come to Roth."""
    with unit_of_work(clinic) as session:
        make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now() - timedelta(days=days_ago),
            patient=session.get_one(Patient, residents.ada_id),
            status=AppointmentStatus.COMPLETED,
        )


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    """Ada came to Roth a week ago."""
    with unit_of_work(clinic) as session:
        made = portal.settle_in(session)
    completed(clinic, made, days_ago=7)
    return made


def choose_period(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Period").click()
    page.get_by_role("option", name=name).click()
    settle(page)


def test_a_click_on_a_bar_shows_its_visits_and_the_browser_goes_back_to_the_view_before(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents
) -> None:
    page = sign_in_as("albert")
    page.goto(f"{address}/revenue")
    figure = page.locator(".st-key-figures_revenue-by_doctor")
    chart = figure.get_by_role("figure", name="Revenue by doctor. Earned: Dr. Eva Roth, €60.00.")
    expect(chart).to_be_visible(timeout=20_000)
    choose_period(page, "Last 7 days")
    choose_period(page, "Last 30 days")
    expect(page).to_have_url(re.compile("from="))
    completed(clinic, residents, days_ago=6)
    bar = chart.locator(".barlayer .point")
    bar.hover(force=True)  # what hears of it lies above the bars
    expect(chart.locator(".hoverlayer .hovertext")).to_be_visible()
    bar.click(force=True)
    expect(figure.get_by_text("Visits behind Dr. Eva Roth")).to_be_visible()
    sums = "Booked: €120.00 · Earned: €120.00 · Outstanding: €120.00"
    expect(figure.get_by_text(f"2 visits · {sums}", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")
    page.reload()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_chosen_is_read_as_a_whole(
    sign_in_as: SignInAs, address: str, clinic: Engine, residents: Residents, width: int
) -> None:
    with unit_of_work(clinic) as session:
        place_id = make.location(session, name=f"Lindenhof am alten Park {width}").id
        service_id = make.service(session, name=f"Psychiatric first interview {width}").id
    page = sign_in_as("albert")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(
        f"{address}/revenue?from=2026-05-01&until=2026-05-31&by=month&place={place_id}&service={service_id}"
    )
    for name, said in (("Place", "Lindenhof am"), ("Service", "Psychiatric first"), ("By", "Month")):
        field = page.get_by_role("combobox", name=name, exact=True)
        expect(field).to_have_value(re.compile(said), timeout=20_000)
        settle(page)
        assert field.evaluate("field => field.scrollWidth <= field.clientWidth"), name


def test_the_menu_takes_what_is_chosen_along(sign_in_as: SignInAs, address: str) -> None:
    page = sign_in_as("albert")
    page.goto(f"{address}/revenue")
    expect(page.get_by_role("heading", name="Revenue", exact=True)).to_be_visible(timeout=20_000)
    choose_period(page, "Last 7 days")
    expect(page).to_have_url(re.compile("/revenue\\?from="))
    page.get_by_text(re.compile("^[0-9]+ more$")).click()
    page.locator("a[href$='/missed']").click()
    expect(page.get_by_role("heading", name="No-shows", exact=True)).to_be_visible(timeout=20_000)
    expect(page).to_have_url(re.compile("/missed\\?from="))
    expect(page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")
    page.reload()
    expect(page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")
