"""Files that people send: taken only where a page asks for one, from the tab it asked in, and of its kinds.

Streamlit itself takes files from anybody at any time. So a page's question is noted here, and the guard lets
nothing else in.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import clock
from core.errors import ClinicError
from core.file_kinds import FileKind, require_kind
from core.i18n import N_
from pages.front.visitors import OWNER_HEADER, Visitor

PATH = "/_stcore/upload_file/"
MAX_FILES = 5  # kept for one tab at a time; server.maxUploadSize says how large each may be
PERMIT_LIFE = timedelta(minutes=10)


class NothingAsked(ClinicError):
    message = N_("No file was asked for here. Please open the page again.")


class TooManyFiles(ClinicError):
    message = N_("Too many files were sent from this page. Please open it again.")


class NameRefused(ClinicError):
    message = N_("A file of that name cannot be used. Please open the page again and choose another.")


class GivenFile(NamedTuple):
    """A file of a kind that was asked for; `name` is what the sender calls it."""

    kind: FileKind
    content: bytes
    name: str


@dataclass
class _Permit:
    """That a tab may send files until then, and the numbers of those it has sent."""

    owner: str
    until: datetime
    files: set[str] = field(default_factory=set)


_NAMES_REFUSED = {"file-uploader-invalid-extension", "filename-contains-null-bytes"}
_permits: dict[str, _Permit] = {}  # by the number of Streamlit's session, which an upload's address names
_lock = Lock()


def ask_for_file(
    label: str, *, kinds: Collection[FileKind], key: str, megabytes: int | None = None
) -> GivenFile | None:
    """Draw a field for one file; what was chosen, or None. A file of no such kind gets a sentence instead.

    The browser turns away what has more than `megabytes`; the service sees to it again.
    """
    _permit()
    endings = [kind.name.lower() for kind in kinds]
    chosen = st.file_uploader(label, type=endings, key=key, max_upload_size=megabytes)
    if chosen is None:
        return None
    content = chosen.getvalue()
    try:
        return GivenFile(require_kind(content, kinds), content, chosen.name)
    except ClinicError as error:
        st.error(str(error))
        return None


def refusal(method: str, path: str, visitor: Visitor) -> ClinicError | None:
    """Why a request to send a file, or to take one back, is refused. A file that may come is counted."""
    tab, _slash, file = path.removeprefix(PATH).partition("/")
    with _lock:
        permit = _permits.get(tab)
        if permit is None or not visitor.is_signed_in or permit.owner != visitor.owner:
            return NothingAsked()
        if method == "DELETE":
            permit.files.discard(file)
            return None
        if method != "PUT" or permit.until <= clock.now():
            return NothingAsked()
        if file not in permit.files and len(permit.files) >= MAX_FILES:
            return TooManyFiles()
        permit.files.add(file)
    return None


def is_about_name(error: Exception) -> bool:
    """Whether Streamlit complains of a file's name, which the field in a browser would not have taken."""
    return isinstance(error, StreamlitAPIException) and error.error_id in _NAMES_REFUSED


def _permit() -> None:
    """Let this tab send files for ten minutes from now."""
    context, owner = get_script_run_ctx(), st.context.headers.get(OWNER_HEADER)
    if context is None or owner is None:
        return  # `Home.py` by itself has no guard that would ask
    now = clock.now()
    with _lock:
        for tab in [tab for tab, permit in _permits.items() if permit.until + PERMIT_LIFE <= now]:
            del _permits[tab]  # long gone: a tab that still asks was noted again
        permit = _permits.get(context.session_id)
        files = permit.files if permit is not None and permit.owner == owner else set()
        _permits[context.session_id] = _Permit(owner, now + PERMIT_LIFE, files)
