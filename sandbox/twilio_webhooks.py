"""Moves messages on, and tells of it: signed, one try each as Twilio does for texts, one after another."""

import asyncio
import logging

import httpx
from twilio.request_validator import RequestValidator

from sandbox import twilio_messages
from sandbox.store import Store

log = logging.getLogger("sandbox")

PATIENCE_SECONDS = 5.0
TICK_SECONDS = 0.05


async def move_on_forever(store: Store) -> None:
    """Move messages on by the clock, until cancelled."""
    while True:
        with store.transaction():
            twilio_messages.move_on(store)
        await asyncio.sleep(TICK_SECONDS)


async def tell_forever(store: Store) -> None:
    """Post what is to be told, until cancelled."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as client:
        while True:
            while post := store.take_post():
                await _tell(client, *post, (store.setting(twilio_messages.SETTINGS) or {}).get("token") or "")
            await asyncio.sleep(TICK_SECONDS)


async def _tell(client: httpx.AsyncClient, url: str, form: dict[str, str], token: str) -> None:
    signature = RequestValidator(token).compute_signature(url, form)
    try:
        answer = await client.post(url, data=form, headers={"X-Twilio-Signature": signature})
    except (httpx.HTTPError, httpx.InvalidURL):
        log.warning("A webhook for texts cannot be reached.")
        return
    if not answer.is_success:
        log.warning("A webhook for texts answered %s.", answer.status_code)
