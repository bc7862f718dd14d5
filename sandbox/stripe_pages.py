"""The pages one can click: where a payer pays, and an overview where one plays the bank."""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_refunds, stripe_sessions
from sandbox.drawing import asset, page
from sandbox.store import Body, Store
from sandbox.stripe_errors import Refused

SHOWN = 25  # of the last sessions and refunds
SESSION_WORDS = {
    ("complete", "paid"): "paid",
    ("complete", "no_payment_required"): "nothing to pay",
}
SESSION_BUTTONS: dict[str, Callable[[Store, Body], Body]] = {
    "pay": stripe_sessions.pay,
    "expire": stripe_sessions.expire_by_hand,
    "settle": stripe_sessions.settle,
    "fail": stripe_sessions.fail,
}
REFUND_BUTTONS = {"succeed": stripe_refunds.succeed, "fail": stripe_refunds.fail}


def routes(store: Store) -> list[Route]:
    """The addresses a browser opens."""
    pages = _Pages(store)
    return [
        Route("/", pages.overview),
        Route("/style.css", asset("style.css", "text/css")),
        Route("/checkout/{id}", pages.checkout),
        Route("/checkout/{id}/pay", pages.pay, methods=["POST"]),
        Route("/checkout/{id}/decline", pages.decline, methods=["POST"]),
        Route("/press/{what}/{id}", pages.press, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def checkout(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return page("missing.html", 404)
        return page(
            "checkout.html",
            session=session,
            lines=session["line_items"]["data"],
            is_declined=request.query_params.get("card") == "declined",
            way_back=stripe_sessions.way_back(session),
        )

    async def pay(self, request: Request) -> Response:
        """Pay, and lead the payer back to the shop. Who is late learns it from the page."""
        session = self._session(request)
        if session is None:
            return page("missing.html", 404)
        here = f"/checkout/{session['id']}"
        if session["status"] == "open":
            with self._store.transaction():
                session = stripe_sessions.pay(self._store, session)
            return RedirectResponse(stripe_sessions.way_back(session) or here, 303)
        return RedirectResponse(here, 303)

    async def decline(self, request: Request) -> Response:
        return RedirectResponse(f"/checkout/{request.path_params['id']}?card=declined", 303)

    async def overview(self, request: Request) -> Response:
        with self._store.transaction():
            stripe_sessions.lapse(self._store)
        sessions = self._store.rows(stripe_sessions.KIND, limit=SHOWN)
        return page(
            "overview.html",
            sessions=[(each, self._state(each)) for each in sessions],
            refunds=self._store.rows(stripe_refunds.KIND, limit=SHOWN),
            is_next_pending=self._store.setting("next_refund") == stripe_refunds.WAITING,
            trouble=request.query_params.get("late") == "1",
        )

    async def press(self, request: Request) -> Response:
        """What a button of the overview does. A button of yesterday's page may come too late."""
        what, key = request.path_params["what"], request.path_params["id"]
        told = parse_qs((await request.body()).decode(errors="replace"))
        try:
            with self._store.transaction():
                self._press(what, key, told)
        except (Refused, KeyError):
            return RedirectResponse("/?late=1", 303)
        return RedirectResponse("/", 303)

    def _press(self, what: str, key: str, told: dict[str, list[str]]) -> None:
        store = self._store
        if what == "next_refund":
            store.set("next_refund", stripe_refunds.WAITING if "pending" in told else stripe_refunds.AT_ONCE)
        elif session := store.find(stripe_sessions.KIND, key):
            SESSION_BUTTONS[what](store, session)
        elif refund := store.find(stripe_refunds.KIND, key):
            REFUND_BUTTONS[what](store, refund)

    def _state(self, session: Body) -> str:
        status: str = session["status"]
        if status != "complete" or session["payment_status"] != "unpaid":
            return SESSION_WORDS.get((status, session["payment_status"]), status)
        return "money on its way" if stripe_sessions.is_awaited(self._store, session) else "money never came"

    def _session(self, request: Request) -> Body | None:
        with self._store.transaction():
            stripe_sessions.lapse(self._store)
        return self._store.find(stripe_sessions.KIND, request.path_params["id"])
