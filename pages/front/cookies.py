"""The portal's own cookies: what they are called and how they are set.

Over HTTPS, and on this machine, their names begin with `__Host-`: browsers then take them from this host
only, for all of it, and never send them unencrypted. A clinic on plain HTTP in its own network could not
sign in with such cookies, so there they have plain names.
"""

from starlette.requests import HTTPConnection
from starlette.types import Scope

from db.config import config

_STREAMLIT_SIGN_IN = "_streamlit_user"  # and its chunks and tokens: `st.login`'s own cookies


def session_cookie() -> str:
    """The name of the cookie that holds the session token."""
    return "clinic_sid" if config().is_plain_http else "__Host-sid"


def browser_cookie() -> str:
    """The name of the cookie that holds a browser's own secret, to which a sign-in's grant is bound."""
    return "clinic_bid" if config().is_plain_http else "__Host-bid"


def set_cookie(name: str, value: str, max_age: int | None = None) -> str:
    """A `Set-Cookie` header: for the whole of this host, never readable by scripts."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    secure = "" if config().is_plain_http else "; Secure"
    return f"{name}={value}; Path=/; HttpOnly{secure}; SameSite=Lax{age}"


def forget_streamlit_sign_in(cookies: dict[str, str]) -> list[str]:
    """The `Set-Cookie` headers that clear what `st.login` left in a browser: our own session counts."""
    return [
        f"{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        for name in cookies
        if name.startswith(_STREAMLIT_SIGN_IN)
    ]


def cookies_of(scope: Scope) -> dict[str, str]:
    """The cookies of a request or websocket."""
    return HTTPConnection(scope).cookies
