"""How requests leave for Twilio: in time or not at all, and with the knowledge whether they left.

Whether a text may have been sent is asked of the connection, not guessed from an exception: once the first
byte is on its way it may have been. A process that was frozen while it connected learns it there too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from core import clock
from core.sms import LeaseOver

SECONDS = 15  # to connect, and again for each piece of an answer


@dataclass
class Departure:
    """One request, or several that only read: whether they left, and when to come again."""

    before: datetime | None
    has_left: bool = False
    retry_after: timedelta | None = None


_departing: ContextVar[Departure | None] = ContextVar("departing", default=None)


@contextmanager
def departing(before: datetime | None = None) -> Iterator[Departure]:
    """Watch over the requests of the block: from `before` on none leaves, and `LeaseOver` is raised."""
    departure = Departure(before)
    token = _departing.set(departure)
    try:
        yield departure
    finally:
        _departing.reset(token)


def _require_in_time() -> None:
    departure = _departing.get()
    if departure is not None and departure.before is not None and clock.now() >= departure.before:
        raise LeaseOver("too late to leave")


def _leave() -> None:
    _require_in_time()
    departure = _departing.get()
    if departure is not None:
        departure.has_left = True


class _Plain(HTTPConnection):
    """A connection that asks, when it stands and before each write, whether it may go on.

    A request of which the end was never written is none: whoever was frozen after its head breaks off.
    """

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _leave()
        super().endheaders(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            _require_in_time()
        super().send(data)


class _Secure(_Plain, HTTPSConnection):
    """The same through TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Connections of ours, which are never tried twice."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Wire(TwilioHttpClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's own client, led to `base` where there is one. It logs nothing: addresses hold numbers."""

    def __init__(self, base: str | None = None, *, seconds: float = SECONDS) -> None:
        super().__init__(timeout=seconds)
        self._base = urlsplit(base) if base else None
        self.session.trust_env = base is None  # no proxy leads to this machine
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, _Adapter(max_retries=0))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._base:
            url = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc).geturl()
        answer = super().request(method, url, *args, **kwargs)
        departure = _departing.get()
        seconds = answer.headers.get("retry-after", "")
        if departure is not None and seconds.isascii() and seconds.isdecimal():
            departure.retry_after = timedelta(seconds=min(int(seconds), 24 * 60 * 60))
        return answer

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Nothing: it would write down numbers."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Nothing."""
