"""What uvicorn and Streamlit are told that they have no options for."""

import logging

import uvicorn
import websockets.http11
from streamlit.runtime.pages_manager import PagesManager

from pages.ui import uploads

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
    """Leave the folder `pages` to our own navigation, from the first run on, and log no refused file names.

    Otherwise the first page that anybody asks of a portal just started is said not to exist.
    """
    PagesManager.uses_pages_directory = False
    logging.getLogger("streamlit.error_util").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether an error is more than a file under a name that only a script sends: that is told the sender."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, Exception) and uploads.is_about_name(error))
