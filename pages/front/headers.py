"""What every response says to the browser about how far it may be trusted."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from streamlit.file_util import get_static_dir

from db.config import config

Headers = list[tuple[bytes, bytes]]

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_TWO_YEARS = 63_072_000
_PRIVATE = ("/media/", "/files/", "/feeds/", "/session/")  # never kept by a browser or a proxy


def guarded(path: str, headers: Headers) -> Headers:
    """The headers of a response to `path` with ours, which replace its own of the same name."""
    ours = dict(_security(is_frame=path.startswith("/component/")))
    if path.startswith(_PRIVATE):
        ours[b"cache-control"] = b"no-store"
    kept = [
        (name, value) for name, value in headers if name.lower() not in ours and name.lower() != b"server"
    ]
    return [*kept, *ours.items()]


@cache
def _security(*, is_frame: bool) -> Headers:
    """The security headers. What is under /component/ is drawn in frames of our own pages."""
    made = {
        "content-security-policy": _content_security_policy("'self'" if is_frame else "'none'"),
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN" if is_frame else "DENY",
    }
    if config().public_url.startswith("https://"):
        made["strict-transport-security"] = f"max-age={_TWO_YEARS}; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in made.items()]


def _content_security_policy(ancestors: str) -> str:
    """Only what the portal itself serves runs or loads; forms may also lead to Stripe's payment page."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self'", *_inline_scripts())),
            "style-src 'self' 'unsafe-inline'",  # Streamlit writes its styles as it goes
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self' https://checkout.stripe.com",
            f"frame-ancestors {ancestors}",
        )
    )


@cache
def _inline_scripts() -> list[str]:
    """The hashes of the scripts written into the page that Streamlit ships, by which it may run them."""
    page = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    digests = [hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page)]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
