"""Drawing a part of a page anew because of something that nobody here has clicked."""

from collections.abc import Sequence
from typing import NoReturn

from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx


def redraw(parts: Sequence[str]) -> NoReturn:
    """End this run, and run the fragments with those keys alone.

    `st.rerun` does so for callbacks only. It ends them in the same way, by raising, so this is to be called
    outside of a transaction too.
    """
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("no page is being drawn")
    raise RerunException(
        RerunData(
            query_string=context.query_string,
            page_script_hash=context.page_script_hash,
            fragment_id_queue=context.fragment_storage.resolve_target(parts),
            is_fragment_scoped_rerun=True,
            cached_message_hashes=context.cached_message_hashes,
            context_info=context.context_info,
        )
    )
