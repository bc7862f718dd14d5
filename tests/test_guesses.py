"""Thirty guesses at once in the portal's own forms: five are looked at, and the right one comes too late."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pyotp
import pytest
from sqlalchemy import Engine, delete, func, select, text
from sqlalchemy.orm import Session

from core import grants, second_factors
from core.audit import Event
from core.second_factors import WrongCode
from core.sign_ins import WrongPassword
from core.throttles import ACCOUNT_TRIES, TooManyTries
from db.models import AuditEntry, SignIn, SignInAttempts, User
from db.session import unit_of_work
from tests import portal, raw
from tests.portal import BID, SID, Residents

GUESSES = 30
WRONG_CODE = "AAAAA-AAAAA"


class Form:
    """A form in a tab of its own, drawn and ready to be sent."""

    def __init__(self, tab: raw.Tab, fields: Sequence[str], button: str) -> None:
        self._tab = tab
        self._fields, self._button = fields, button

    async def draw(self) -> None:
        self._drawn = await self._tab.rerun()

    async def send(self, *values: str) -> str:
        """Fill the form in and press its button; what the page says then."""
        filled = zip(self._fields, values, strict=True)
        widgets = [raw.typed(raw.widget(self._drawn, name), value) for name, value in filled]
        return raw.texts(
            await self._tab.rerun([*widgets, raw.pressed(raw.widget(self._drawn, self._button))])
        )


@asynccontextmanager
async def forms(
    address: str, browsers: Sequence[str], fields: Sequence[str], button: str
) -> AsyncIterator[list[Form]]:
    """A form in each of many browsers."""
    async with AsyncExitStack() as tabs:
        opened = [await tabs.enter_async_context(raw.tab(address, {BID: each})) for each in browsers]
        made = [Form(tab, fields, button) for tab in opened]
        await asyncio.gather(*(each.draw() for each in made))
        yield made


async def stretched(clinic: Engine, key: str) -> None:
    """Wait until the throttle closes, and have it stay closed for as long as a slow machine takes to draw."""
    stretch = text(
        "UPDATE sign_in_attempts SET locked_until = locked_until + interval '2 minutes'"
        " WHERE starts_with(key, :key) AND locked_until IS NOT NULL RETURNING key"
    )
    async with asyncio.timeout(raw.PATIENCE_SECONDS):
        while True:
            with clinic.begin() as connection:
                if connection.execute(stretch, {"key": key}).all():
                    return
            await asyncio.sleep(0.02)


async def guess(
    clinic: Engine, forms: Sequence[Form], wrong: Sequence[str], right: Sequence[str], key: str
) -> tuple[list[str], str]:
    """Send every form but the last with what is wrong, at once, and the last with what is right meanwhile."""
    *guessing, last = forms
    answers = [asyncio.create_task(each.send(*wrong)) for each in guessing]
    await stretched(clinic, key)
    told = await last.send(*right)
    return list(await asyncio.gather(*answers)), told


def how_many(answers: Sequence[str], error: type[Exception]) -> int:
    sentence = str(error())
    return sum(sentence in answer for answer in answers)


def count(clinic: Engine, rows: type[SignIn] | type[AuditEntry], **having: str) -> int:
    with Session(clinic) as session:
        return session.scalar(select(func.count()).select_from(rows).filter_by(**having)) or 0


def forget_tries(clinic: Engine) -> None:
    with unit_of_work(clinic) as session:
        session.execute(delete(SignInAttempts))


@pytest.fixture(autouse=True)
def _no_tries(clinic: Engine) -> None:
    forget_tries(clinic)


def test_of_thirty_passwords_at_once_five_are_looked_at_and_the_right_one_is_too_late(
    address: str, clinic: Engine, residents: Residents
) -> None:
    browsers = [f"browser {number}" for number in range(GUESSES)]
    fields, right = ("User name or email", "Password"), ("ada", portal.PASSWORD)

    async def story() -> None:
        async with forms(address, browsers, fields, "Sign in") as drawn:
            answers, told = await guess(clinic, drawn, ("ada", "wrong"), right, "account ada\n")
            assert how_many(answers, WrongPassword) == ACCOUNT_TRIES
            assert how_many(answers, TooManyTries) == GUESSES - 1 - ACCOUNT_TRIES
            assert how_many([told], TooManyTries) == 1
            assert count(clinic, AuditEntry, action=Event.SIGN_IN_FAILED) == ACCOUNT_TRIES
            assert count(clinic, AuditEntry, action=Event.TOO_MANY_TRIES) == GUESSES - ACCOUNT_TRIES
            assert SID not in raw.ask(address, "/session/start", {BID: browsers[-1]}).cookies
            assert count(clinic, SignIn) == 0
            forget_tries(clinic)
            await drawn[-1].send(*right)
            assert SID in raw.ask(address, "/session/start", {BID: browsers[-1]}).cookies, "it was right"

    asyncio.run(story())


def test_of_thirty_codes_at_once_five_are_looked_at_and_the_right_one_is_too_late(
    address: str, clinic: Engine, residents: Residents
) -> None:
    """Whoever has the password may open as many browsers as they like: the account is counted, not they."""
    browsers = [f"phone {number}" for number in range(GUESSES)]
    with unit_of_work(clinic) as session:
        rita = session.scalars(select(User).where(User.username == "rita")).one()
        secret = second_factors.begin(session, rita).secret
        [recovery, *_others] = second_factors.confirm(session, rita, code=pyotp.TOTP(secret).now())
        for each in browsers:
            grants.grant(session, user_id=rita.id, browser=each, awaits_second_factor=True)

    async def story() -> None:
        async with forms(address, browsers, ["Code from your app"], "Go on") as drawn:
            key = f"second factor {rita.id}\n"
            answers, told = await guess(clinic, drawn, [WRONG_CODE], [recovery], key)
            assert how_many(answers, WrongCode) == ACCOUNT_TRIES
            assert how_many(answers, TooManyTries) == GUESSES - 1 - ACCOUNT_TRIES
            assert how_many([told], TooManyTries) == 1
            assert count(clinic, AuditEntry, action=Event.CODE_REFUSED) == ACCOUNT_TRIES
            for each in browsers:
                assert SID not in raw.ask(address, "/session/start", {BID: each}).cookies
            forget_tries(clinic)
            await drawn[-1].send(recovery)
            assert SID in raw.ask(address, "/session/start", {BID: browsers[-1]}).cookies, "it was right"

    asyncio.run(story())
