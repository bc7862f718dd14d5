"""Setting up an app on the phone for the second step of signing in, wherever that is done."""

from collections.abc import Sequence

import streamlit as st

from core.i18n import _
from core.second_factors import Enrolment


def show_enrolment(enrolment: Enrolment) -> None:
    """The QR code for the app, and the same as text for those who cannot scan it.

    As SVG it stands within the page: nothing secret travels through /media.
    """
    st.markdown(_("Scan this with an authenticator app, such as Aegis, FreeOTP or Google Authenticator."))
    st.image(enrolment.svg, width=220)
    with st.expander(_("Cannot scan it?")):
        st.markdown(_("Type this key into the app instead:"))
        grouped = " ".join(enrolment.secret[first : first + 4] for first in range(0, 32, 4))
        st.code(grouped, language=None, wrap_lines=True)


def show_recovery_codes(codes: Sequence[str]) -> None:
    """The recovery codes, which are never shown again."""
    st.warning(
        _(
            "Keep these recovery codes in a safe place, such as on paper. Each of them signs you in once "
            "when you do not have your phone. They will not be shown again."
        ),
        icon=":material/key:",
    )
    st.code("\n".join(codes), language=None)
