"""The guard in front of open tabs, asked by raw websockets that do as they please."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus

from core import clock, sign_ins
from db.models import SignIn
from pages.front.guard import ANONYMOUS_TABS
from tests import portal, raw
from tests.portal import BID, SID, Cookies, Residents

LEAVES_WITHIN_SECONDS = 5.0
ENDED = "UPDATE sign_ins SET ended_at = now() WHERE token_hash = :hash"
OF_USER = "WHERE id = (SELECT user_id FROM sign_ins WHERE token_hash = :hash)"


@pytest.fixture
def ada(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ada")


@pytest.fixture
def ben(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ben")


def change(clinic: Engine, statement: str, cookies: Cookies) -> None:
    """Change the rows of a session, `s`, and its user, `u`, as somebody at the database could."""
    with clinic.begin() as connection:
        connection.execute(text(statement), {"hash": sign_ins.hashed(cookies[SID])})


def last_seen(clinic: Engine, cookies: Cookies) -> datetime:
    with Session(clinic) as session:
        found = select(SignIn.last_seen_at).where(SignIn.token_hash == sign_ins.hashed(cookies[SID]))
        return session.scalars(found).one()


@pytest.mark.parametrize(
    "statement",
    [
        ENDED,
        f"UPDATE users SET password_hash = password_hash || 'x' {OF_USER}",
        f"UPDATE users SET role = 'staff' {OF_USER}",
        f"UPDATE users SET is_active = false {OF_USER}",
        "UPDATE sign_ins SET last_seen_at = now() - interval '61 minutes' WHERE token_hash = :hash",
        "UPDATE sign_ins SET expires_at = now() WHERE token_hash = :hash",
    ],
    ids=["ended", "new password", "new role", "deactivated", "idle", "expired"],
)
def test_an_open_tab_leaves_within_five_seconds_of_its_sessions_end_untouched(
    address: str, clinic: Engine, ada: Cookies, statement: str
) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            assert "Ada Okafor" in raw.texts(await tab.rerun())
            started = time.monotonic()
            change(clinic, statement, ada)
            [*_rest, goodbye] = await tab.until("auth_redirect")
            assert time.monotonic() - started < LEAVES_WITHIN_SECONDS
            assert goodbye.auth_redirect.url == "/session/end"
            assert await tab.closed_with() == 4401

    try:
        raw.play(story())
        ended = raw.ask(address, "/session/end", ada)
        assert ended.cookies[SID] == ""
    finally:
        as_before = "is_active = true, role = 'patient', password_hash = left(password_hash, 60)"
        change(clinic, f"UPDATE users SET {as_before} {OF_USER}", ada)


def test_only_the_tabs_of_the_ended_session_leave(
    address: str, clinic: Engine, ada: Cookies, ben: Cookies
) -> None:
    async def story() -> None:
        async with (
            raw.tab(address, ada) as hers,
            raw.tab(address, ada) as again,
            raw.tab(address, ben) as his,
        ):
            for tab in (hers, again, his):
                await tab.rerun()
            change(clinic, ENDED, ada)
            for tab in (hers, again):
                await tab.until("auth_redirect")
            assert await his.is_quiet(3)
            assert "Ben Sato" in raw.texts(await his.rerun())

    raw.play(story())


def test_a_cookie_replayed_after_its_end_is_nobodys(address: str, clinic: Engine, ada: Cookies) -> None:
    change(clinic, ENDED, ada)

    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            shown = raw.texts(await tab.rerun())
            assert "Ada Okafor" not in shown
            assert "Sign in" in shown

    raw.play(story())
    assert raw.ask(address, "/media/anything.pdf", ada).status == 401
    assert raw.ask(address, "/files/appointments/1.ics", ada).status == 401


def test_a_tab_is_resumed_by_its_owner_and_by_nobody_else(address: str, ada: Cookies, ben: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as hers:
            drawn = await hers.rerun()
            for thief, more in (
                ({}, {}),
                (ben, {}),
                ({}, {"x_portal_owner": "owner"}),
                ({BID: "made up"}, {}),
            ):
                async with raw.tab(address, thief, resume=hers.session_id, **more) as taken:
                    await taken.rerun()
                    assert taken.session_id != hers.session_id
            assert await hers.is_quiet(), "the owner's own socket stays"
            await hers.rerun([raw.typed(raw.widget(drawn, "Doctor's name"), "róth")])
        async with raw.tab(address, ada, resume=hers.session_id) as back:
            await back.rerun()
            assert back.session_id == hers.session_id

    raw.play(story())


def test_the_owners_header_is_the_guards_alone(address: str, ada: Cookies, ben: Cookies) -> None:
    """Whoever could choose it could resume the tabs of others."""

    async def story() -> None:
        async with raw.tab(address, ada, x_portal_owner="chosen") as hers:
            await hers.rerun()
        async with raw.tab(address, ben, resume=hers.session_id, x_portal_owner="chosen") as his:
            await his.rerun()
            assert his.session_id != hers.session_id

    raw.play(story())


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "http://localhost:1", "http://[", "x"]
)
def test_a_websocket_opens_from_our_own_pages_only(address: str, ada: Cookies, origin: str | None) -> None:
    assert raw.play(raw.refused(address, ada, origin=origin)) == 403


def test_in_development_the_same_machine_may_be_called_by_its_number(address: str, ada: Cookies) -> None:
    by_number = address.replace("localhost", "127.0.0.1")
    assert raw.play(raw.refused(address, ada, origin=by_number, host=by_number.removeprefix("http://"))) == 0


def test_frames_that_are_none_are_dropped(address: str, ada: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            await tab.rerun()
            for frame in (b"", b"\xff\xff\xff", b"\x00" * 100, "text", b"\x0a\xff\xff\xff\xff\x0f"):
                await tab.socket.send(frame)
            for message in (BackMsg(load_git_info=True), BackMsg(set_run_on_save=True)):
                await tab.send(message)
            await tab.send(BackMsg(debug_shutdown_runtime=True))
            installing = BackMsg()
            installing.backend_operation_request.install_skills.SetInParent()
            await tab.send(installing)
            assert await tab.is_quiet()
            assert "Ada Okafor" in raw.texts(await tab.rerun())

    raw.play(story())


def test_a_click_keeps_a_session_and_what_a_page_does_by_itself_does_not(
    address: str, clinic: Engine, ada: Cookies
) -> None:
    async def story(tab: raw.Tab, act: Callable[[], Awaitable[object]]) -> bool:
        """Whether something counts as use, five minutes after the last."""
        change(
            clinic,
            "UPDATE sign_ins SET last_seen_at = now() - interval '5 minutes' WHERE token_hash = :hash",
            ada,
        )
        await act()
        return clock.now() - last_seen(clinic, ada) < timedelta(minutes=1)

    async def stories() -> None:
        async with raw.tab(address, ada) as tab:
            assert not await story(tab, tab.is_quiet), "an open tab"
            assert not await story(tab, lambda: tab.rerun(is_auto=True)), "a page that refreshes itself"
            await tab.send(BackMsg(app_heartbeat=True))
            assert not await story(tab, lambda: tab.until("heartbeat_ack")), "a heartbeat"
            assert await story(tab, tab.rerun), "a click"

    raw.play(stories())


def test_anonymous_tabs_from_one_address_are_limited_and_signed_in_ones_are_not(
    address: str, ada: Cookies
) -> None:
    async def story() -> None:
        async with AsyncExitStack() as open_tabs:
            last = await fill_up(address, open_tabs)
            assert await raw.refused(address) == 429
            assert await raw.refused(address, ada) == 0
            await last.aclose()
            assert await until_let_in(address) == 0

    raw.play(story())


async def fill_up(address: str, open_tabs: AsyncExitStack) -> AsyncExitStack:
    """Open as many anonymous tabs as one address may have; the last of them, to be closed by itself.

    Tabs of an earlier test may still be closing: each is waited for.
    """
    for _n in range(ANONYMOUS_TABS - 1):
        assert await until_let_in(address, open_tabs) == 0
    last = await open_tabs.enter_async_context(AsyncExitStack())
    assert await until_let_in(address, last) == 0
    return last


async def until_let_in(address: str, kept_in: AsyncExitStack | None = None) -> int:
    """Open an anonymous tab as soon as there is room, kept open in `kept_in`; 0 once it was let in."""
    deadline = time.monotonic() + raw.PATIENCE_SECONDS
    while True:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(raw.tab(address))
            except InvalidStatus as refusal:
                if time.monotonic() > deadline:
                    return refusal.response.status_code
            else:
                if kept_in is not None:
                    kept_in.push_async_exit(stack.pop_all())
                return 0
        await asyncio.sleep(0.05)
