"""What stands above every page: what is not real here, and what waits for whoever is signed in."""

import streamlit as st

from core.access import Actor
from core.i18n import _
from db.config import config
from db.models import ClinicSettings
from pages.ui.emergencies import flag_emergencies
from pages.ui.inbox import flag_texts
from pages.ui.profile_flags import flag_profiles
from pages.ui.refund_flags import flag_refunds
from pages.ui.unsettled import flag_unsettled

# The links of one row, as small as the line above them, and close to each other where they wrap.
_STYLE = """<style>
.st-key-home_notices { gap: 0.7rem 0.5rem; }
.st-key-home_notices a { padding: 0.1rem 0.5rem; background: light-dark(#fdf0d5, #3a2f17); }
.st-key-home_notices a p { font-size: 0.875rem; }
</style>"""


def not_real(clinic: ClinicSettings) -> None:
    """One line that says what is simulated and where it can be seen; nothing where all is real."""
    said, more = [], []
    if clinic.is_demo:
        said.append(_("Demo clinic"))
        more.append(_("Every person and every visit here is invented."))
    if config().is_sandbox:
        said.append(_("[Simulated payments]({address})").format(address=config().stripe_api_base))
        more.append(_("No money moves."))
    if config().texts_are_simulated:
        said.append(_("[Simulated texts]({address})").format(address=f"{config().twilio_api_base}/phones"))
        more.append(_("No text leaves this machine."))
    if said:  # no caption: that makes links too pale
        st.markdown(f":small[{' · '.join(said)}]", help=" ".join(more), width="content")


def notices(actor: Actor) -> None:
    """What waits for this person, each a link to where it is dealt with."""
    st.html(_STYLE)
    with st.container(horizontal=True, key="home_notices"):
        flag_emergencies(actor)
        flag_refunds(actor)
        flag_texts(actor)
        flag_unsettled(actor)
        flag_profiles(actor)
