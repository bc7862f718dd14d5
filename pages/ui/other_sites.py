"""Signing in through Google or Facebook: `st.login` finds out who somebody is, our own session follows.

Which of them there are, `.streamlit/secrets.toml` says; see `.streamlit/secrets.example.toml`.
"""

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section

from core import identities, profiles
from core.access import Actor
from core.i18n import N_, _
from core.identities import Identity
from pages.ui import sessions
from pages.ui.actions import perform
from pages.ui.refusals import reading
from pages.ui.words import plain

PROVIDERS = {"google": "Google", "facebook": "Facebook"}


def providers() -> dict[str, str]:
    """Those that the clinic has set up, by the name they have in its secrets."""
    known = get_secrets_auth_section()
    return {name: shown for name, shown in PROVIDERS.items() if known is not None and name in known}


def _identity() -> Identity | None:
    """Who another site has just said this is, while that still counts."""
    claims = st.user.to_dict() if providers() else {}
    if not claims.get("is_logged_in"):
        return None
    identity = identities.from_claims(claims)
    return identity if identity is not None and identities.is_fresh(identity) else None


def enter_if_known() -> None:
    """Let in whoever comes back from another site, if an account is linked to who they are there."""
    identity = _identity()
    if identity is not None and sessions.sign_in_with(identity):
        sessions.go_on()
        st.stop()


def buttons() -> None:
    """A way in through each site, below the password."""
    identity = _identity()
    if identity is not None:
        st.info(
            _(
                "{who} is not linked to an account here yet. Sign in with your password, or register, "
                "and then say that they belong together."
            ).format(who=plain(identity.shown_as))
        )
    _ways_in()


def links(actor: Actor) -> None:
    """The other sites that somebody signs in through, each to be taken away, and those that can be linked."""
    with reading() as session:
        linked = identities.own(session, actor)
    if not linked and not providers():
        return
    st.header(_("Other ways to sign in"))
    if not linked:
        st.write(_("None yet. Go through a site below once, and confirm it with your password."))
    for each in linked:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"**{plain(each.shown_as)}**  \n{plain(each.issuer)}")
            st.button(_("Take away"), on_click=_unlink, args=(each.id,), key=f"other_sites_unlink_{each.id}")
    _ways_in()


def _unlink(identity_id: int) -> None:
    perform(identities.unlink, identity_id=identity_id, done=N_("Taken away."))


def _ways_in() -> None:
    for name, shown in providers().items():
        st.button(
            _("Continue with {site}").format(site=shown),
            on_click=st.login,
            args=(name,),
            key=f"other_sites_{name}",
            width="stretch",
        )


def offer_link() -> None:
    """Ask somebody signed in, who comes back from another site, whether the two belong together.

    The password is asked for: somebody else may have led this browser through the other site.
    """
    identity = _identity()
    if identity is None or st.session_state.get("other_sites_declined") == identity.issued_at:
        return
    with reading() as session:
        if identities.is_known(session, identity):
            return
    with st.form("other_sites_link"):
        st.write(
            _("Sign in as **{who}** from now on? Then type the password you have here.").format(
                who=plain(identity.shown_as)
            )
        )
        st.text_input(_("Password"), type="password", key="other_sites_password", max_chars=128)
        with st.container(horizontal=True):
            st.form_submit_button(_("Link"), type="primary", on_click=_link, args=(identity,))
            st.form_submit_button(_("No, thank you"), on_click=_decline, args=(identity,))


def _link(identity: Identity) -> None:
    perform(
        identities.link,
        trying=profiles.is_over,
        identity=identity,
        password=st.session_state.get("other_sites_password") or "",
        done=N_("Linked. You can sign in that way from now on."),
    )


def _decline(identity: Identity) -> None:
    st.session_state["other_sites_declined"] = identity.issued_at
