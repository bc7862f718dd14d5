"""What keeps people from using a page, as axe-core finds it: only what is serious counts."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests import browsers

AXE = Axe()
SERIOUS = {"serious", "critical"}


def found(page: Page, *rules: str) -> dict[str, list[str]]:
    """What is found on the page as it is, by rule (all of them unless some are named): how elements begin."""
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": list(rules)} if rules else {})
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    violations = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return {
        each["id"]: [node["html"][:200] for node in each["nodes"]]
        for each in violations
        if each["impact"] in SERIOUS
    }


def found_light_and_dark(page: Page) -> dict[str, list[str]]:
    """The same in the light, and what is too pale in the dark; the page is light again afterwards."""
    in_the_light, light = found(page), _ground(page)
    page.emulate_media(color_scheme="dark")
    browsers.settle(page)
    assert _ground(page) != light
    in_the_dark = found(page, "color-contrast")
    page.emulate_media(color_scheme="light")
    return in_the_light | {f"{rule}, dark": elements for rule, elements in in_the_dark.items()}


def _ground(page: Page) -> str:
    """The colour that the page is drawn on."""
    colour: str = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    return colour
