"""What a person reads when a page breaks off."""

import streamlit as st

from core.i18n import _
from pages.front.traces import log_error
from pages.ui import uploads


def report_error(error: Exception) -> bool:
    """Log what went wrong under a number and show the person that number only.

    Of a file under a name that no browser sends here, Streamlit complains before any page of ours is run.
    """
    if uploads.is_about_name(error):
        st.error(str(uploads.NameRefused()))
        return True
    advice = _("Please try again, and tell reception this number if it happens again: {reference}")
    st.error(advice.format(reference=log_error(error)), title=_("Something went wrong"))
    return True
