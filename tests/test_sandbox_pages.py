"""The sandbox's pages in a real browser, and who may not press their buttons."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import stripe
from playwright.sync_api import Browser, Page, expect

from tests.browsers import NEEDED, complaints_of
from tests.payment_sandbox import PaymentSandbox, order


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """Where payers come from and are led back to."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"Back at {self.path}".encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture
def session(sandbox: PaymentSandbox, shop: str) -> stripe.checkout.Session:
    """Something to pay in yen, which have no smaller part."""
    wanted = order(
        4500, "jpy", success_url=f"{shop}/paid?s={{CHECKOUT_SESSION_ID}}", cancel_url=f"{shop}/left"
    )
    return sandbox.stripe_client().v1.checkout.sessions.create(wanted)  # type: ignore[arg-type]


def state(sandbox: PaymentSandbox, session: stripe.checkout.Session) -> tuple[str | None, str]:
    now = sandbox.stripe_client().v1.checkout.sessions.retrieve(session.id)
    return now.status, now.payment_status


class TestInABrowser:
    """What a payer does, click by click."""

    pytestmark = NEEDED

    def test_a_payer_pays_and_is_led_back(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        complaints = complaints_of(page)
        page.goto(str(session.url))
        expect(page.get_by_text("Sandbox: no money moves.")).to_be_visible()
        expect(page.get_by_role("heading", name="Clinic invoice 42")).to_be_visible()
        page.get_by_role("button", name="Pay 4,500 JPY").click()
        expect(page.get_by_text(f"Back at /paid?s={session.id}")).to_be_visible()
        assert state(sandbox, session) == ("complete", "paid")
        page.goto(str(session.url))
        expect(page.get_by_role("heading", name="This has been paid")).to_be_visible()
        page.get_by_role("link", name="Go back").click()
        expect(page.get_by_text(f"Back at /paid?s={session.id}")).to_be_visible()
        assert complaints == []

    def test_a_declined_card_can_be_followed_by_a_good_one(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        page.goto(str(session.url))
        page.get_by_role("button", name="Use a card that is declined").click()
        expect(page.get_by_role("alert")).to_contain_text("The card was declined.")
        assert state(sandbox, session) == ("open", "unpaid")
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_text(f"Back at /paid?s={session.id}")).to_be_visible()
        assert state(sandbox, session) == ("complete", "paid")

    def test_a_payer_who_goes_back_has_paid_nothing(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        page.goto(str(session.url))
        page.get_by_role("link", name="Go back without paying").click()
        expect(page.get_by_text("Back at /left")).to_be_visible()
        assert state(sandbox, session) == ("open", "unpaid")

    def test_a_payer_who_comes_late_is_told_so(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        page.goto(str(session.url))
        sandbox.stripe_client().v1.checkout.sessions.expire(session.id)
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("heading", name="This payment page has expired")).to_be_visible()
        page.get_by_role("link", name="Go back").click()
        expect(page.get_by_text("Back at /left")).to_be_visible()

    def test_the_bank_is_played_in_the_overview(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        client = sandbox.stripe_client()
        page.goto(sandbox.url)
        page.get_by_role("button", name="Make the next one pending").click()
        page.get_by_role("button", name="Pay", exact=True).click()
        intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
        refund = client.v1.refunds.create({"payment_intent": str(intent)})
        assert refund.status == "pending"
        page.reload()
        page.get_by_role("button", name="Let it succeed", exact=True).click()
        assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
        page.get_by_role("button", name="Let it fail").click()
        expect(page.get_by_text("failed", exact=True)).to_be_visible()
        assert client.v1.refunds.retrieve(refund.id).status == "failed"

    def test_money_that_comes_later_is_let_in_or_fails_in_the_overview(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        sandbox.pay(session.id, how="async")
        page.goto(sandbox.url)
        expect(page.get_by_text("money on its way")).to_be_visible()
        page.get_by_role("button", name="Money fails").click()
        expect(page.get_by_text("money never came")).to_be_visible()
        expect(page.get_by_role("button", name="Money arrives")).to_have_count(0)
        assert state(sandbox, session) == ("complete", "unpaid")

    def test_a_button_of_an_old_page_says_that_it_is_late(
        self, sandbox: PaymentSandbox, page: Page, session: stripe.checkout.Session
    ) -> None:
        page.goto(sandbox.url)
        sandbox.pay(session.id)
        page.get_by_role("button", name="Expire").click()
        expect(page.get_by_role("alert")).to_contain_text("not possible any more")
        assert state(sandbox, session) == ("complete", "paid")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [(4500, "jpy", "4,500 JPY"), (123_456, "usd", "1,234.56 USD")]
)
def test_a_page_shows_the_amount_as_people_write_it(
    sandbox: PaymentSandbox, amount: int, currency: str, shown: str
) -> None:
    made = sandbox.stripe_client().v1.checkout.sessions.create(order(amount, currency))  # type: ignore[arg-type]
    assert f"Pay {shown}" in httpx.get(str(made.url)).text


def test_what_a_shop_writes_is_escaped(sandbox: PaymentSandbox) -> None:
    wanted = order(cancel_url='http://localhost/?"><script>alert(1)</script>')
    wanted["line_items"][0]["price_data"]["product_data"]["name"] = "<script>alert(1)</script>"
    made = sandbox.stripe_client().v1.checkout.sessions.create(wanted)  # type: ignore[arg-type]
    for address in (str(made.url), sandbox.url):
        said = httpx.get(address).text
        assert "&lt;script&gt;" in said
        assert "<script>" not in said


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "elsewhere.example"},
        {"host": "["},
    ],
)
def test_another_sites_page_presses_no_button(
    sandbox: PaymentSandbox, session: stripe.checkout.Session, headers: dict[str, str]
) -> None:
    for path in (
        f"/checkout/{session.id}/pay",
        f"/press/pay/{session.id}",
        f"/sandbox/sessions/{session.id}/pay",
    ):
        assert httpx.post(sandbox.url + path, headers=headers).status_code == 403
    assert state(sandbox, session) == ("open", "unpaid")


def test_its_own_pages_buttons_work(sandbox: PaymentSandbox, session: stripe.checkout.Session) -> None:
    own = {"origin": sandbox.url, "sec-fetch-site": "same-origin"}
    assert httpx.post(f"{sandbox.url}/press/pay/{session.id}", headers=own).status_code == 303
    assert state(sandbox, session) == ("complete", "paid")


def test_a_foreign_name_reads_nothing(sandbox: PaymentSandbox) -> None:
    assert httpx.get(sandbox.url, headers={"host": "elsewhere.example"}).status_code == 403


@pytest.mark.parametrize("path", ["/checkout/cs_test_nothing", "/press/explode/any"])
def test_a_page_or_button_that_is_not_there_is_no_error(sandbox: PaymentSandbox, path: str) -> None:
    if path.startswith("/press"):
        assert httpx.post(sandbox.url + path).headers["location"] in {"/", "/?late=1"}
    else:
        answer = httpx.get(sandbox.url + path)
        assert answer.status_code == 404
        assert "There is no such payment" in answer.text
