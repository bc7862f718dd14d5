"""Sends events to the webhook: signed, a few times if need be, and never in the way of a request."""

import asyncio
import json
import logging
import time

import httpx
from stripe import WebhookSignature

from sandbox.store import Body, Store

log = logging.getLogger("sandbox")

AGAIN_SECONDS = (0.5, 2.0, 10.0, 60.0)  # after each failed attempt; then it is given up
PATIENCE_SECONDS = 5.0
TICK_SECONDS = 0.05


async def deliver_forever(store: Store) -> None:
    """Send what is due, until cancelled."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as client:
        while True:
            webhooks = store.setting("webhooks") or {}
            if webhooks.get("url") and not webhooks.get("paused"):
                for event_id, attempts in store.due(time.time()):
                    await _deliver(store, client, webhooks, event_id, attempts)
            await asyncio.sleep(TICK_SECONDS)


async def _deliver(
    store: Store, client: httpx.AsyncClient, webhooks: Body, event_id: str, attempts: int
) -> None:
    event = store.find("event", event_id)
    if event is None:
        store.unschedule(event_id)
    elif await _is_taken(client, webhooks, event):
        store.unschedule(event_id)
        store.put(event | {"pending_webhooks": 0})
    elif attempts < len(AGAIN_SECONDS):
        store.schedule(event_id, attempts + 1, time.time() + AGAIN_SECONDS[attempts])
    else:
        store.unschedule(event_id)
        log.warning("%s was given up: the webhook did not take it.", event["type"])


async def _is_taken(client: httpx.AsyncClient, webhooks: Body, event: Body) -> bool:
    payload = json.dumps(event, indent=2)
    signature = WebhookSignature.generate_signature_header(payload, webhooks.get("secret") or "")
    headers = {"stripe-signature": signature, "content-type": "application/json; charset=utf-8"}
    try:
        answer = await client.post(webhooks["url"], content=payload, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.is_success
