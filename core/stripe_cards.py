"""The card processor Stripe through its own SDK. API version 2026-10-28.endive, which the SDK pins.

Nothing here knows the database. A request that may be repeated carries a key made of our own row, since the
SDK's own keys do not outlive a crash.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import stripe
from stripe.checkout import Session as StripeSession

from core.cards import Cards, CardsFailed, Checkout, Happening, NewCheckout, PaidBack, Progress
from db.config import config

SECONDS = 10  # for one request, while somebody looks at an empty page
RETRIES = 1  # by the SDK, with the same key
PAGE = 100  # the most that Stripe lists at once
LONGEST_CHECKOUT = timedelta(days=1)
EVENT_KINDS = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
]


class StripeCards:
    """Stripe, or what speaks like it under `base`."""

    def __init__(self, key: str, base: str | None = None, *, retries: int = RETRIES) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base} if base else {},
            http_client=stripe.RequestsClient(timeout=SECONDS),
            max_network_retries=retries,
        ).v1

    def open(self, wanted: NewCheckout) -> Checkout:
        """Open a session, or get the one that the same request has opened before, as it is now."""
        key = {"idempotency_key": f"checkout-{wanted.reference}"}
        try:
            made = self._client.checkout.sessions.create(_request(wanted), key)  # type: ignore[arg-type] # its own TypedDicts
        except stripe.IdempotencyError:  # it reads differently than then: the portal's address is another
            return self._opened(wanted)
        except stripe.StripeError as error:
            if _was_kept(error.headers):
                return self._opened(wanted)
            raise _failure(error) from None
        return self.look(made.id) if _was_kept(_headers(made)) else _checkout(made)

    def _opened(self, wanted: NewCheckout) -> Checkout:
        """The session that a request has opened whose answer was lost. Raises `CardsFailed` when none was."""
        found = self.find(wanted.reference, since=wanted.expires_at - LONGEST_CHECKOUT)
        if found is None:
            raise CardsFailed("nothing came of it", is_spent=True)
        return found

    def look(self, session_id: str) -> Checkout:
        try:
            return _checkout(self._client.checkout.sessions.retrieve(session_id))
        except stripe.StripeError as error:
            raise _failure(error) from None

    def end(self, session_id: str) -> Checkout:
        """Expire a session, so that it cannot be paid any more; one that is not open is only looked at."""
        try:
            return _checkout(self._client.checkout.sessions.expire(session_id))
        except stripe.InvalidRequestError:
            return self.look(session_id)
        except stripe.StripeError as error:
            raise _failure(error) from None

    def find(self, reference: str, since: datetime) -> Checkout | None:
        """The session of ours with that reference, for when its number was never received."""
        listed = self.checkouts(since, since + LONGEST_CHECKOUT)
        return next((each for each in listed if each.reference == reference), None)

    def pay_back(self, payment_id: str, amount_minor: int, reference: str) -> PaidBack:
        """Pay back a part of a payment once, however often this is asked within a day."""
        try:
            made = self._client.refunds.create(
                {
                    "payment_intent": payment_id,
                    "amount": amount_minor,
                    "reason": "requested_by_customer",
                    "metadata": {"reference": reference},
                },
                {"idempotency_key": f"refund-{reference}"},
            )
        except stripe.StripeError as error:
            if not _was_kept(error.headers):
                raise _failure(error) from None
            found = self.find_refund(payment_id, reference)
            if found is None:
                raise CardsFailed("nothing came of it", is_spent=True) from None
            return found
        return self.look_at_refund(made.id) if _was_kept(_headers(made)) else _paid_back(made)

    def look_at_refund(self, refund_id: str) -> PaidBack:
        try:
            return _paid_back(self._client.refunds.retrieve(refund_id))
        except stripe.StripeError as error:
            raise _failure(error) from None

    def find_refund(self, payment_id: str, reference: str) -> PaidBack | None:
        """The refund of ours with that reference, for when its number was never received."""
        found = self._listed(self._client.refunds, {"payment_intent": payment_id})
        return next((each for each in map(_paid_back, found) if each.reference == reference), None)

    def happenings(self, since: datetime) -> Iterator[Happening]:
        """What has happened since then, newest first; Stripe keeps events for thirty days."""
        asked = {"types": EVENT_KINDS, "created": {"gte": int(since.timestamp())}}
        for event in self._listed(self._client.events, asked):
            yield happening(event)

    def checkouts(self, since: datetime, until: datetime) -> Iterator[Checkout]:
        """The sessions created from `since` until just before `until`, newest first."""
        yield from map(_checkout, self._listed(self._client.checkout.sessions, _created(since, until)))

    def refunds(self, since: datetime, until: datetime) -> Iterator[PaidBack]:
        """The refunds created from `since` until just before `until`, newest first."""
        yield from map(_paid_back, self._listed(self._client.refunds, _created(since, until)))

    def _listed(self, of: Any, wanted: dict[str, Any]) -> Iterator[Any]:
        try:
            yield from of.list({**wanted, "limit": PAGE}).auto_paging_iter()
        except stripe.StripeError as error:
            raise _failure(error) from None


def happening(event: stripe.Event) -> Happening:
    """What an event says, whichever version of the API it is written in: what kind, about which object."""
    return Happening(
        event_id=event.id,
        kind=event.type,
        object_id=event.data.object.to_dict().get("id", ""),
        created_at=datetime.fromtimestamp(event.created, UTC),
    )


def signed(body: bytes, signature: str) -> Happening | None:
    """The event in a webhook's `body`; None unless Stripe has signed it in the last five minutes.

    Kinds that nobody looks at come back too: they are stored and left alone.
    """
    secret = config().stripe_webhook_secret
    if secret is None or not signature.isascii():  # what is not cannot be compared
        return None
    try:
        event = stripe.Webhook.construct_event(body, signature, secret.get_secret_value())
    except (ValueError, stripe.SignatureVerificationError):
        return None
    return happening(event)


def _request(wanted: NewCheckout) -> dict[str, Any]:
    """A session for one sum. Only cards: what is paid with them is known at once. Never another currency."""
    name, reference = f"Booking {wanted.reference[:8].upper()}", {"reference": wanted.reference}
    price = {
        "currency": wanted.currency.lower(),
        "unit_amount": wanted.amount_minor,
        "product_data": {"name": name},
    }
    return {
        "mode": "payment",
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "client_reference_id": wanted.reference,
        "expires_at": int(wanted.expires_at.timestamp()),
        "line_items": [{"price_data": price, "quantity": 1}],
        "metadata": reference,
        "payment_intent_data": {"metadata": reference, "description": name},  # the session's is not copied
        "success_url": wanted.back_to,
        "cancel_url": wanted.back_to,
    }


def _created(since: datetime, until: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}}


def _checkout(session: StripeSession) -> Checkout:
    payment = session.payment_intent
    return Checkout(
        session_id=session.id,
        reference=session.client_reference_id or "",
        is_open=session.status == "open",
        is_paid=session.payment_status == "paid",
        is_over=session.status == "expired",
        url=session.url,
        payment_id=payment if payment is None or isinstance(payment, str) else payment.id,
        amount_minor=session.amount_total or 0,
        currency=(session.currency or "").upper(),
        created_at=datetime.fromtimestamp(session.created, UTC),
    )


def _paid_back(refund: stripe.Refund) -> PaidBack:
    payment = refund.payment_intent
    progress = {"succeeded": Progress.DONE, "failed": Progress.FAILED, "canceled": Progress.FAILED}
    return PaidBack(
        refund_id=refund.id,
        payment_id=payment if isinstance(payment, str) else payment.id if payment else "",
        reference=refund.metadata.to_dict().get("reference", "") if refund.metadata else "",
        amount_minor=refund.amount,
        progress=progress.get(refund.status or "", Progress.UNDER_WAY),
        failure=refund.failure_reason if refund.status == "failed" else refund.status,
        created_at=datetime.fromtimestamp(refund.created, UTC),
    )


def _headers(made: Any) -> Mapping[str, str] | None:
    answer: Mapping[str, str] | None = made.last_response and made.last_response.headers
    return answer


def _was_kept(headers: Mapping[str, str] | None) -> bool:
    """Whether an answer is that to an earlier request with the same key; Stripe keeps its failures too."""
    return any(name.lower() == "idempotent-replayed" for name in headers or ())


def _failure(error: stripe.StripeError) -> CardsFailed:
    """What went wrong, in the processor's code: its words could name somebody."""
    is_final = isinstance(error, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError)
    return CardsFailed(error.code or type(error).__name__, is_final=is_final)


@cache
def configured() -> Cards | None:
    """The processor of STRIPE_SECRET_KEY, None where there is none."""
    settings = config()
    if settings.stripe_secret_key is None:
        return None
    return StripeCards(settings.stripe_secret_key.get_secret_value(), settings.stripe_api_base)
