"""Messages: taken, answered, and moved on by the clock until they have arrived or not."""

import secrets
import time
from typing import Any

from sandbox import twilio_optouts
from sandbox.store import Body, Condition, Store
from sandbox.twilio_errors import Refused
from sandbox.twilio_rules import Form, require_valid
from sandbox.twilio_shapes import inbound_form, status_form

KIND = "sms"
POOL = "+15005550006"  # the number that a messaging service sends from
SETTINGS = "texts"  # whose account it is, and where statuses and replies are told
FINAL = {"delivered", "undelivered", "failed", "canceled", "received"}
CANCELABLE = {"accepted", "queued"}
AT_ONCE = 200  # moved on in one go
PACE_SECONDS = 1.0  # for each step
_STEPS = {"accepted": "queued", "queued": "sending", "sending": "sent", "sent": "delivered"}


def create(store: Store, account: str, form: Form) -> Body:
    """Take a text. The same request twice makes two: Twilio has no idempotency here."""
    require_valid(form)
    service = form.get("MessagingServiceSid") or None
    sender = form["From"] if not service else POOL
    if twilio_optouts.is_out(store, sender, form["To"]):
        raise Refused(21610, more=form["To"])
    return _added(
        store,
        account=account,
        phone=form["To"],
        ours=sender,
        sender=None if service else sender,
        service=service,
        body=form["Body"],
        direction="outbound-api",
        status="accepted" if service else "queued",
        callback=form.get("StatusCallback") or (store.setting(SETTINGS) or {}).get("status_url"),
        since=moment(store),
    )


def reply(store: Store, phone: str, body: str, to: str | None = None) -> Body:
    """A text from `phone` to the number that wrote to it last, unless `to` names another."""
    last = next(iter(conversation(store, phone, limit=1)), None)
    told = store.setting(SETTINGS) or {}
    ours = to or (last["ours"] if last else told.get("number") or POOL)
    account = last["account"] if last else told.get("account") or f"AC{'0' * 32}"
    message = _added(
        store,
        account=account,
        phone=phone,
        ours=ours,
        sender=phone,
        body=body,
        direction="inbound",
        status="received",
        sent=store.now(),
    )
    if told.get("inbound_url"):
        store.post_later(told["inbound_url"], inbound_form(message))
    if answer := twilio_optouts.heard(store, ours, phone, body):
        _added(
            store,
            account=account,
            phone=phone,
            ours=ours,
            sender=ours,
            body=answer,
            direction="outbound-reply",
            status="delivered",
            is_notice=True,
        )
    return message


def _added(store: Store, **known: Any) -> Body:
    """A message as it is kept: times in seconds, `phone` the person's number and `ours` the other one.

    `since` is when it came to its status, None once it moves no more. What Twilio says on its own is a
    notice: people read it, and no list of the account's has it.
    """
    message: Body = {
        "object": KIND,
        "id": f"SM{secrets.token_hex(16)}",
        "created": store.now(),
        "sent": None,
        "service": None,
        "error_code": None,
        "callback": None,
        "since": None,
        "is_notice": False,
        **known,
    }
    message["updated"] = message["created"]
    return store.add(message)


def conversation(store: Store, phone: str, *, limit: int = -1) -> list[Body]:
    """All texts to and from a phone, newest first."""
    return store.rows(KIND, [Condition("json_extract(body, '$.phone') = ?", [phone])], limit=limit)


def found(store: Store, account: str, sid: str) -> Body:
    message = store.find(KIND, sid)
    if message is None or message["account"] != account or message["is_notice"]:
        raise Refused(20404, 404)
    return message


def update(store: Store, account: str, sid: str, form: Form) -> Body:
    """Cancel a message that has not left, or forget what it said."""
    message = found(store, account, sid)
    if form.get("Status") == "canceled":
        if message["status"] not in CANCELABLE:
            raise Refused(30409)
        moved(store, message, "canceled")
    elif form.get("Body") == "" and message["status"] in FINAL:
        message["body"] = ""
        store.put(message)
    else:
        raise Refused(20001)
    return message


def delete(store: Store, account: str, sid: str) -> None:
    message = found(store, account, sid)
    if message["status"] not in FINAL:
        raise Refused(20009)
    store.remove(message)


def moment(store: Store) -> float:
    """The sandbox's clock, finer than whole seconds unless it is stopped."""
    stopped = store.setting("clock")
    return time.time() if stopped is None else float(stopped)


def move_on(store: Store) -> None:
    """Move what has been in its state for long enough one step on. A pace of null holds everything."""
    pace = store.setting("pace")
    if pace is not None and pace["seconds"] is None:
        return
    due = moment(store) - (PACE_SECONDS if pace is None else pace["seconds"])
    ready = [Condition("json_extract(body, '$.since') <= ?", [due])]
    for message in store.rows(KIND, ready, limit=AT_ONCE, is_oldest_first=True):
        _step(store, message)


def _step(store: Store, message: Body) -> None:
    fate = store.setting(f"fate of {message['phone']}") or {"status": "delivered", "error_code": None}
    status, ending = message["status"], fate["status"]
    if status == ending:  # it stays there, as where carriers give no receipts
        message["since"] = None
        store.put(message)
    elif status == "sent" or (status == "queued" and ending == "failed"):
        moved(store, message, ending, fate["error_code"])
    else:
        moved(store, message, _STEPS[status])


def moved(store: Store, message: Body, status: str, error_code: int | None = None) -> None:
    """Set a status, and have it told."""
    message |= {
        "status": status,
        "error_code": error_code,
        "updated": store.now(),
        "since": None if status in FINAL else moment(store),
    }
    if status == "queued":
        message["sender"] = message["ours"]
    if status == "sent":
        message["sent"] = store.now()
    store.put(message)
    if message["callback"]:
        store.post_later(message["callback"], status_form(message))
