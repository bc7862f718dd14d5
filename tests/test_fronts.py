"""The portal reached otherwise than on this machine: over HTTPS, over plain HTTP, without its database."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core import grants, sign_ins
from db.models import User
from db.session import unit_of_work
from tests import portal, raw

pytestmark = pytest.mark.screens
SECRET = "a-secret-of-at-least-thirty-two-characters"
AGENTS = {"STREAMLIT_SERVER_ENABLE_AGENT_API": "true"}
AGENT_PATH = "/_stcore/agent/openapi.json"
WARNING = "This portal is reached without encryption"


def signed_in(clinic: Engine, username: str) -> str:
    with unit_of_work(clinic) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        return sign_ins.start(session, user_id=user.id)


@pytest.fixture
def clinic(database: Engine) -> Engine:
    with unit_of_work(database) as session:
        portal.settle_in(session)
    return database


async def shown(address: str, cookies: dict[str, str], public: str) -> str:
    """What a tab shows that reaches the portal under its public address."""
    host = public.partition("//")[2]
    async with raw.tab(address, cookies, origin=public, host=host) as tab:
        return raw.texts(await tab.rerun())


def test_in_production_over_https_only_the_public_name_counts(clinic: Engine, tmp_path: Path) -> None:
    public = "https://portal.example.org"
    variables = {"PUBLIC_URL": public, "CLINIC_ENV": "production", "SECRET_KEY": SECRET} | AGENTS
    with portal.running(clinic, tmp_path / "log", **variables) as address:
        token = signed_in(clinic, "ada")
        assert raw.ask(address, "/").status == 421, "not even this machine's own names"
        assert raw.ask(address, AGENT_PATH, Host="portal.example.org").status == 404
        answer = raw.ask(address, "/", Host="portal.example.org")
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
        assert answer.headers["set-cookie"].startswith("__Host-bid=")
        assert answer.headers["set-cookie"].endswith("; Path=/; HttpOnly; Secure; SameSite=Lax")
        said = asyncio.run(shown(address, {"__Host-sid": token}, public))
        assert "Ada Okafor" in said
        assert WARNING not in said
        for origin in ("http://portal.example.org", address, "https://portal.example.org:8443"):
            with pytest.raises(InvalidStatus):
                asyncio.run(shown(address, {}, origin))
    assert "encrypted" not in (tmp_path / "log").read_text()


def test_a_clinic_on_plain_http_can_sign_in_and_is_warned(clinic: Engine, tmp_path: Path) -> None:
    public = "http://clinic.lan"
    with portal.running(clinic, tmp_path / "log", PUBLIC_URL=public) as address:
        with unit_of_work(clinic) as session:
            ada = session.scalars(select(User).where(User.username == "ada")).one()
            grants.grant(session, user_id=ada.id, browser="hers")
        first = raw.ask(address, "/", Host="clinic.lan")
        assert first.headers["set-cookie"].startswith("clinic_bid=")
        assert first.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
        started = raw.ask(address, "/session/start", {"clinic_bid": "hers"}, Host="clinic.lan")
        assert "Secure" not in started.headers["set-cookie"]
        said = asyncio.run(shown(address, started.cookies, public))
        assert "Ada Okafor" in said
        assert WARNING in said
        assert WARNING in asyncio.run(shown(address, {}, public)), "also before one types a password"
    assert "http://clinic.lan is not encrypted" in (tmp_path / "log").read_text()


def test_agents_are_let_in_by_a_developer_who_asks_for_them(clinic: Engine, tmp_path: Path) -> None:
    with portal.running(clinic, tmp_path / "log", **AGENTS) as address:
        assert raw.ask(address, AGENT_PATH).status == 200


def test_the_pages_alone_can_be_signed_into_for_as_long_as_a_tab_is_open(
    clinic: Engine, tmp_path: Path
) -> None:
    async def story(address: str) -> None:
        async with raw.tab(address, origin=None) as tab:
            drawn = await tab.rerun()
            form = [
                raw.typed(raw.widget(drawn, "User name or email"), "ada"),
                raw.typed(raw.widget(drawn, "Password"), portal.PASSWORD),
                raw.pressed(raw.widget(drawn, "Sign in")),
            ]
            await tab.rerun(form)
            assert "Ada Okafor" in raw.texts(await tab.rerun())
        async with raw.tab(address, origin=None) as another:
            assert "Ada Okafor" not in raw.texts(await another.rerun())

    with portal.running(clinic, tmp_path / "log", "Home.py") as address:
        asyncio.run(story(address))


@contextmanager
def away(clinic: Engine, maintenance: Engine) -> Iterator[None]:
    """Have the database turn everybody away for the block."""
    name = clinic.url.database
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        try:
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    clinic.dispose()


def test_a_database_that_goes_and_comes_back_signs_nobody_out(
    clinic: Engine, migrated: Engine, tmp_path: Path
) -> None:
    log = tmp_path / "log"

    async def story(address: str, cookies: dict[str, str]) -> None:
        async with raw.tab(address, cookies) as waiting, raw.tab(address, cookies) as clicking:
            await waiting.rerun()
            drawn = await clicking.rerun()
            with away(clinic, migrated):
                await clicking.socket.send(b"")
                with pytest.raises(ConnectionClosed):
                    await clicking.rerun([raw.typed(raw.widget(drawn, "Doctor's name"), "roth")])
                assert clicking.socket.close_code == 1013, "what cannot be checked does not run"
                assert raw.ask(address, "/media/x", cookies).status == 503
                assert raw.ask(address, "/session/end", cookies).status == 503
                with pytest.raises(InvalidStatus):
                    async with raw.tab(address, cookies):
                        pass
                assert await waiting.is_quiet(5), "a moment without the database takes nothing away"
                assert raw.ask(address, "/healthz").status == 503, "once its last answer is old"
            assert await waiting.is_quiet(4)
            assert "Ada Okafor" in raw.texts(await waiting.rerun())
            with unit_of_work(clinic) as session:
                sign_ins.end(session, cookies["__Host-sid"])
            ended_at = time.monotonic()
            await waiting.until("auth_redirect")
            assert time.monotonic() - ended_at < 5, "and the watch goes on"

    with portal.running(clinic, log) as address:
        asyncio.run(story(address, {"__Host-sid": signed_in(clinic, "ada")}))
    assert log.read_text().count("Open tabs cannot be checked") == 1
    assert "Traceback" not in log.read_text()


def test_what_is_on_screens_is_taken_away_when_the_database_stays_away(
    clinic: Engine, migrated: Engine, tmp_path: Path
) -> None:
    async def story(address: str, cookies: dict[str, str]) -> None:
        async with raw.tab(address, cookies) as tab:
            await tab.rerun()
            with away(clinic, migrated):
                await tab.until("auth_redirect")
                answer = raw.ask(address, "/session/end", cookies)
                assert answer.text == "The portal cannot reach its database. Please try again in a minute."
                assert answer.headers["refresh"] == "5"
            assert raw.ask(address, "/session/end", cookies).cookies == {}, "the session itself goes on"

    with portal.running(clinic, tmp_path / "log") as address:
        asyncio.run(story(address, {"__Host-sid": signed_in(clinic, "ada")}))
