"""The guard in front of the pages, asked by raw requests and websockets that do as they please."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus

from core import clock, grants, sign_ins
from db.models import SignIn, User
from db.session import unit_of_work
from pages.front.guard import ANONYMOUS_TABS
from tests import portal, raw, servers
from tests.portal import Residents

LEAVES_WITHIN_SECONDS = 5.0
SID, BID = "__Host-sid", "__Host-bid"
SECURITY = {
    "content-security-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
}
Cookies = dict[str, str]


@pytest.fixture(scope="module")
def clinic(server_url: str) -> Iterator[Engine]:
    with servers.fresh_database(server_url) as engine:
        yield engine


@pytest.fixture(scope="module")
def residents(clinic: Engine) -> Residents:
    with unit_of_work(clinic) as session:
        return portal.settle_in(session)


@pytest.fixture(scope="module")
def address(clinic: Engine, residents: Residents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log: Path = tmp_path_factory.mktemp("portal") / "log"
    with portal.running(clinic, log) as url:
        yield url
    said = log.read_text()
    for unwanted in ("Traceback", "Reference", "Ada", "Okafor", "?to=", "upload_file", "__Host-"):
        assert unwanted not in said, said


@pytest.fixture
def token(clinic: Engine, residents: Residents) -> Callable[[str], str]:
    """A new session of somebody's."""

    def started(username: str) -> str:
        with unit_of_work(clinic) as session:
            user = session.scalars(select(User).where(User.username == username)).one()
            return sign_ins.start(session, user_id=user.id)

    return started


@pytest.fixture
def ada(token: Callable[[str], str]) -> Cookies:
    return {SID: token("ada")}


@pytest.fixture
def ben(token: Callable[[str], str]) -> Cookies:
    return {SID: token("ben")}


def change(clinic: Engine, statement: str, cookies: Cookies) -> None:
    """Change the rows of a session, `s`, and its user, `u`, as somebody at the database could."""
    with clinic.begin() as connection:
        connection.execute(text(statement), {"hash": sign_ins.hashed(cookies[SID])})


def last_seen(clinic: Engine, cookies: Cookies) -> datetime:
    with Session(clinic) as session:
        found = select(SignIn.last_seen_at).where(SignIn.token_hash == sign_ins.hashed(cookies[SID]))
        return session.scalars(found).one()


async def refused(address: str, cookies: Cookies | None = None, **how: str | None) -> int:
    """The status with which a websocket is refused, 0 when it is not."""
    try:
        async with raw.tab(address, cookies, **how):  # type: ignore[arg-type] # each is what `tab` takes
            return 0
    except InvalidStatus as refusal:
        return refusal.response.status_code


ENDED = "UPDATE sign_ins SET ended_at = now() WHERE token_hash = :hash"
OF_USER = "WHERE id = (SELECT user_id FROM sign_ins WHERE token_hash = :hash)"


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
        asyncio.run(story())
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

    asyncio.run(story())


def test_a_cookie_replayed_after_its_end_is_nobodys(address: str, clinic: Engine, ada: Cookies) -> None:
    change(clinic, ENDED, ada)

    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            shown = raw.texts(await tab.rerun())
            assert "Ada Okafor" not in shown
            assert "Sign in" in shown

    asyncio.run(story())
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

    asyncio.run(story())


def test_the_owners_header_is_the_guards_alone(address: str, ada: Cookies, ben: Cookies) -> None:
    """Whoever could choose it could resume the tabs of others."""

    async def story() -> None:
        async with raw.tab(address, ada, x_portal_owner="chosen") as hers:
            await hers.rerun()
        async with raw.tab(address, ben, resume=hers.session_id, x_portal_owner="chosen") as his:
            await his.rerun()
            assert his.session_id != hers.session_id

    asyncio.run(story())


def grant(clinic: Engine, username: str, browser: str) -> None:
    with unit_of_work(clinic) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        grants.grant(session, user_id=user.id, browser=browser)


def count_of_sessions(clinic: Engine) -> int:
    with Session(clinic) as session:
        return session.scalar(select(func.count()).select_from(SignIn)) or 0


def test_a_grant_is_worth_one_session_to_the_browser_that_typed_the_password(
    address: str, clinic: Engine, residents: Residents
) -> None:
    grant(clinic, "ada", "hers")
    before = count_of_sessions(clinic)
    assert SID not in raw.ask(address, "/session/start", {BID: "another"}).cookies
    assert SID not in raw.ask(address, "/session/start").cookies
    first = raw.ask(address, "/session/start?to=/my_appointments", {BID: "hers"})
    assert (first.status, first.headers["location"]) == (303, "/my_appointments")
    assert "HttpOnly; Secure; SameSite=Lax" in first.headers["set-cookie"]
    assert first.cookies[SID] not in first.headers["location"]
    assert SID not in raw.ask(address, "/session/start", {BID: "hers"}).cookies
    assert count_of_sessions(clinic) == before + 1


def test_thirty_exchanges_of_one_grant_at_once_make_one_session(
    address: str, clinic: Engine, residents: Residents
) -> None:
    grant(clinic, "ada", "hers")
    before = count_of_sessions(clinic)
    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(lambda _n: raw.ask(address, "/session/start", {BID: "hers"}), range(30)))
    assert sum(SID in answer.cookies for answer in answers) == 1
    assert {answer.status for answer in answers} == {303}
    assert count_of_sessions(clinic) == before + 1


def test_nobody_is_signed_in_by_somebody_elses_grant(address: str, clinic: Engine, ben: Cookies) -> None:
    """Login CSRF: a link to /session/start, while the attacker's grant waits for the attacker's browser."""
    grant(clinic, "ada", "the attacker's")
    for cookies in ({BID: "his"}, ben | {BID: "his"}):
        assert SID not in raw.ask(address, "/session/start", cookies).cookies
    assert raw.ask(address, "/session/end", ben).cookies == {}, "nor signed out by a link"
    with Session(clinic) as session:
        still = sign_ins.current_actor(session, ben[SID], is_active_use=False)
    assert still is not None
    assert still.name == "Ben Sato"


def test_signing_in_again_ends_the_older_session_and_signing_out_clears_what_st_login_left(
    address: str, clinic: Engine, ada: Cookies
) -> None:
    grant(clinic, "ada", "hers")
    left = {"_streamlit_user": "x", "_streamlit_user__1": "y", "_streamlit_user_tokens": "z"}
    answer = raw.ask(address, "/session/start", ada | {BID: "hers"} | left)
    assert answer.cookies.keys() == {SID}, "the person may still be asked whether the two belong together"
    with Session(clinic) as session:
        assert sign_ins.current_actor(session, ada[SID]) is None
        assert sign_ins.current_actor(session, answer.cookies[SID]) is not None
    ended = raw.ask(address, "/session/end", ada | left)
    assert ended.cookies == dict.fromkeys({SID, *left}, "")


@pytest.mark.parametrize(("browser", "is_let_in"), [({}, False), ({BID: "hers"}, True)])
def test_nobody_signs_in_without_cookies_past_the_guards_watch(
    address: str, clinic: Engine, residents: Residents, browser: Cookies, is_let_in: bool
) -> None:
    before = count_of_sessions(clinic)

    async def story() -> None:
        async with raw.tab(address, browser) as tab:
            drawn = await tab.rerun()
            form = [
                raw.typed(raw.widget(drawn, "User name or email"), "ada"),
                raw.typed(raw.widget(drawn, "Password"), portal.PASSWORD),
                raw.pressed(raw.widget(drawn, "Sign in")),
            ]
            said = raw.texts(await tab.rerun(form))
            assert ("let your browser keep cookies" in said) is not is_let_in
            assert "Ada Okafor" not in said, "not before the grant is exchanged"

    asyncio.run(story())
    assert (SID in raw.ask(address, "/session/start", browser).cookies) is is_let_in
    assert count_of_sessions(clinic) == before + is_let_in


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "http://localhost:1", "http://[", "x"]
)
def test_a_websocket_opens_from_our_own_pages_only(address: str, ada: Cookies, origin: str | None) -> None:
    assert asyncio.run(refused(address, ada, origin=origin)) == 403


def test_in_development_the_same_machine_may_be_called_by_its_number(address: str, ada: Cookies) -> None:
    by_number = address.replace("localhost", "127.0.0.1")
    assert asyncio.run(refused(address, ada, origin=by_number, host=by_number.removeprefix("http://"))) == 0


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"])
def test_the_portal_answers_under_its_own_name_only(address: str, host: str) -> None:
    assert asyncio.run(refused(address, host=host)) == 421
    answer = raw.ask(address, "/", Host=host)
    assert (answer.status, answer.text) == (421, "The portal does not answer under this address.")
    assert raw.ask(address, "/healthz", Host=host).status == 200, "probes ask by inner names"
    assert raw.ask(address, "/_stcore/health", Host=host).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics/",
        "/_stcore/script-health-check",
        "/_stcore/agent",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
    ],
)
def test_what_visitors_have_no_business_with_is_not_there(address: str, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert raw.ask(address, path, method=method).status == 404


def test_every_kind_of_response_carries_the_security_headers(address: str, ada: Cookies) -> None:
    asked = {
        "/": 200,
        "/_stcore/health": 200,
        "/healthz": 200,
        "/favicon.png": 200,
        "/_stcore/metrics": 404,
        "/_stcore/upload_file/a/b": 403,
        "/component/none/index.html": 404,
        "/media/none.png": 404,
        "/files/appointments/1.ics": 404,
        "/session/start": 303,
        "/session/end": 303,
    }
    for path, status in asked.items():
        answer = raw.ask(address, path, ada)
        assert answer.status == status, path
        assert {name.lower() for name in answer.headers} >= SECURITY, path
        assert "server" not in answer.headers, path
        is_frame = path.startswith("/component/")
        ancestors = "frame-ancestors 'self'" if is_frame else "frame-ancestors 'none'"
        assert answer.headers["content-security-policy"].endswith(ancestors)
        assert answer.headers["x-frame-options"] == ("SAMEORIGIN" if is_frame else "DENY")
        assert "strict-transport-security" not in answer.headers, "only where there is HTTPS"
        if path.startswith(("/media/", "/files/", "/session/")):
            assert answer.headers["cache-control"] == "no-store", path


def test_a_refused_websocket_carries_them_too(address: str) -> None:
    async def story() -> None:
        with pytest.raises(InvalidStatus) as refusal:
            async with raw.tab(address, origin="http://evil.example"):
                pass
        assert {name.lower() for name in refusal.value.response.headers} >= SECURITY
        assert "server" not in refusal.value.response.headers

    asyncio.run(story())


def test_eight_kilobytes_of_cookies_and_rubbish_in_them_are_no_error(address: str) -> None:
    rubbish = ("x" * 8192, 'a"\\777;=;;  =\x80\xff', "%00", "\x7f")
    for value in rubbish:
        for path in ("/", "/session/start", "/session/end", "/media/x", "/files/appointments/1.ics"):
            answer = raw.ask(address, path, {SID: value, BID: value, "other": value})
            assert answer.status in {200, 303, 401}, path

    async def story() -> None:
        async with raw.tab(address, {SID: "y", BID: "z", "other": rubbish[0]}) as tab:
            assert "Sign in" in raw.texts(await tab.rerun())

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(stories())


def test_anonymous_tabs_from_one_address_are_limited_and_signed_in_ones_are_not(
    address: str, ada: Cookies
) -> None:
    async def story() -> None:
        async with AsyncExitStack() as open_tabs:
            last = await fill_up(address, open_tabs)
            assert await refused(address) == 429
            assert await refused(address, ada) == 0
            await last.aclose()
            assert await until_let_in(address) == 0

    asyncio.run(story())


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
