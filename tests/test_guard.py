"""The guard in front of the pages, asked by raw requests: grants, addresses, headers and rubbish."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from websockets.exceptions import InvalidStatus

from core import grants, sign_ins
from db.models import SignIn, User
from db.session import unit_of_work
from tests import portal, raw
from tests.portal import BID, SID, Cookies, Residents

SECURITY = {
    "content-security-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
}


@pytest.fixture
def ada(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ada")


@pytest.fixture
def ben(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ben")


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


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"])
def test_the_portal_answers_under_its_own_name_only(address: str, host: str) -> None:
    assert asyncio.run(raw.refused(address, host=host)) == 421
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


@pytest.mark.parametrize(
    ("username", "path"),
    [
        ("ada", "/find_doctor"),
        ("roth", "/today"),
        ("rita", "/board"),
        ("rita", "/board%20"),
        ("albert", "/board"),
        ("ada", "/sign_in"),
        ("", "/sign_in"),
    ],
)
def test_the_page_where_somebody_lands_is_found_by_its_name(
    address: str, clinic: Engine, residents: Residents, username: str, path: str
) -> None:
    cookies = portal.signed_in(clinic, username) if username else {}
    answer = raw.ask(address, f"{path}?day=2026-06-01", cookies)
    assert (answer.status, answer.headers["location"]) == (303, "/?day=2026-06-01")
    assert raw.ask(address, path, cookies).headers["location"] == "/"
    assert raw.ask(address, "/", cookies).status == 200


@pytest.mark.parametrize(
    ("username", "at", "drawn"),
    [
        ("rita", "{here}/nowhere/board", "Board"),
        ("rita", "{here}/board%20", "Board"),
        ("ada", "{here}/nowhere/find_doctor", "Find a doctor"),
        ("", "{here}/nowhere/sign_in", "Sign in"),
        ("", "http://[", "Sign in"),
        ("", "{here}/%00%ff", "Sign in"),
    ],
)
def test_no_address_that_a_browser_may_be_at_breaks_the_page_where_somebody_lands(
    address: str, clinic: Engine, residents: Residents, username: str, at: str, drawn: str
) -> None:
    async def story() -> str:
        async with raw.tab(address, portal.signed_in(clinic, username) if username else {}) as tab:
            return raw.texts(
                [message for _ in (1, 2) for message in await tab.rerun(url=at.format(here=address))]
            )

    shown = asyncio.run(story())
    assert drawn in shown
    assert "Please try again" not in shown


@pytest.mark.parametrize(("username", "path"), [("rita", "/today"), ("", "/board"), ("ada", "/board")])
def test_other_pages_stay_where_they_are(
    address: str, clinic: Engine, residents: Residents, username: str, path: str
) -> None:
    cookies = portal.signed_in(clinic, username) if username else {}
    assert raw.ask(address, path, cookies).status == 200, "today is a page among others at the desk"


@pytest.mark.parametrize("username", ["rita", ""])
def test_whoever_asks_for_something_below_a_page_is_led_to_the_page(
    address: str, clinic: Engine, residents: Residents, username: str
) -> None:
    cookies = portal.signed_in(clinic, username) if username else {}
    person = {"accept": "text/html,application/xhtml+xml"}
    answer = raw.ask(address, "/revenue/x/y?until=2026-06-01", cookies, **person)
    assert (answer.status, answer.headers["location"]) == (303, "/revenue?until=2026-06-01")
    assert raw.ask(address, "/revenue/_stcore/health", cookies).status == 404, "Streamlit's own question"
    assert raw.ask(address, "/revenues/x", cookies, **person).status == 200
