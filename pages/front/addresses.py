"""Under which addresses the portal answers, and whose pages may open a websocket to it.

Another site's page must not reach the portal with a visitor's cookies, be it by a websocket (browsers send
cookies along) or by a name of its own that it points at our address.
"""

from functools import cache
from urllib.parse import SplitResult, urlsplit

from db.config import LOCAL_HOSTS, config

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own_host(host: str) -> bool:
    """Whether a `Host` header names the portal. In development, this machine's names do too."""
    return _split(f"//{host}").hostname in _own_hosts()


def is_own_origin(origin: str) -> bool:
    """Whether an `Origin` header is one of the portal's own pages."""
    return _origin(_split(origin)) in _own_origins()


@cache
def _own_hosts() -> set[str | None]:
    own = {urlsplit(config().public_url).hostname}
    return own if config().is_production else own | LOCAL_HOSTS


@cache
def _own_origins() -> set[str]:
    public = urlsplit(config().public_url)
    own = {_origin(public)}
    if not config().is_production:
        ports = {config().port, _port(public)}
        own |= {
            _origin(urlsplit(f"http://{host}:{port}"))
            for host in ("localhost", "127.0.0.1")
            for port in ports
        }
    return own


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname}:{_port(parts)}"


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _split(address: str) -> SplitResult:
    """The parts of an address that anybody may have written; without any when it is none."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - it is read here to find out whether it is a number
    except ValueError:
        return urlsplit("")
    return parts
