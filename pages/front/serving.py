"""What uvicorn and Streamlit are told that they have no options for."""

import logging

import uvicorn
import websockets.http11
from streamlit.runtime.pages_manager import PagesManager

_LONGEST_HEADER = (
    16 * 1024
)  # as much as uvicorn takes in a request; websockets would hang up from 8 kB of cookies
_REFUSED = "ASGI callable returned without completing handshake."  # said of each websocket that we turn away


def tell_uvicorn() -> None:
    """Name no server in responses, take long cookies in websockets as in requests, and log no refusals."""
    uvicorn.Config.encoded_headers = property(lambda _config: [])  # type: ignore[assignment]
    websockets.http11.MAX_LINE_LENGTH = _LONGEST_HEADER
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != _REFUSED)


def tell_streamlit() -> None:
    """Leave the folder `pages` to our own navigation, from the first run on.

    Otherwise the first page that anybody asks of a portal just started is said not to exist.
    """
    PagesManager.uses_pages_directory = False
