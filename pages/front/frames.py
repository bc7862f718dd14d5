"""What a browser asks for over its websocket, read before Streamlit reads it."""

from typing import NamedTuple

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg

# All that our pages need. What is left out: clearing caches that everybody shares, installing things on the
# server, running the callables behind download buttons, and what serves Streamlit's own developers.
_KINDS = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
_OPERATIONS = {"dataframe_chunk"}
_HARMLESS = {"stop_script", "app_heartbeat"}


class Frame(NamedTuple):
    """`does_something`: asks the portal to run or hand out something. `is_use`: a person's doing."""

    does_something: bool
    is_use: bool


def read(content: bytes | None) -> Frame | None:
    """What a message asks for; None for what is not let through, or is no message at all."""
    message = BackMsg()
    try:
        message.ParseFromString(content or b"")
    except DecodeError:
        return None
    kind = message.WhichOneof("type")
    if kind not in _KINDS:
        return None
    if kind == "backend_operation_request":
        wanted = {field.name for field, _value in message.backend_operation_request.ListFields()}
        if not wanted <= _OPERATIONS | {"request_id", "session_id"}:
            return None
    is_use = kind == "rerun_script" and not message.rerun_script.is_auto_rerun
    return Frame(kind not in _HARMLESS, is_use)
