"""A doctor's visits in a calendar program: secret addresses, made, shown once, and ended."""

from urllib.parse import urlsplit

import streamlit as st

from core import calendar_feeds, clock
from core.access import Actor
from core.i18n import N_, _, short_date, since
from db.config import config
from pages.ui.actions import perform
from pages.ui.refusals import reading

MADE = "feeds_made"  # the secret of the address just made: it cannot be shown again


def feeds_section(actor: Actor, doctor_id: int) -> None:
    """The addresses of a doctor's visits, for the doctor alone."""
    st.header(_("In your own calendar"))
    st.write(
        _(
            "A calendar program reads your visits by itself from a secret address: the last 30 days and all "
            "that are ahead, with the patients' initials and without what they come for."
        )
    )
    with reading() as session:
        feeds = calendar_feeds.listed(session, actor, doctor_id=doctor_id)
    if secret := st.session_state.get(MADE):
        _show_once(secret)
    now = clock.now()
    for feed in feeds:
        about, end = st.columns([4, 1], vertical_alignment="center")
        made = _("Made on {date}").format(date=short_date(feed.created_at.date()))
        read = (
            _("never read yet")
            if feed.last_read_at is None
            else _("last read {when}").format(when=since(feed.last_read_at, now))
        )
        about.markdown(f"{made}, {read}")
        end.button(
            _("End it"),
            icon=":material/link_off:",
            on_click=_revoke,
            args=(feed.id,),
            key=f"feeds_end_{feed.id}",
        )
    st.button(
        _("Make an address"), icon=":material/add_link:", on_click=_make, args=(doctor_id,), key="feeds_make"
    )


def _show_once(secret: str) -> None:
    public = urlsplit(config().public_url)
    address = f"{config().public_url.rstrip('/')}/feeds/{secret}.ics"
    with st.container(border=True):
        st.write(
            _("Copy it now: it is not shown again. Whoever has it reads your visits until you end it here.")
        )
        st.code(address, language=None, wrap_lines=True)
        with st.container(horizontal=True):
            webcal = f"webcal://{public.netloc}/feeds/{secret}.ics"
            st.link_button(_("Open in a calendar on this device"), webcal, icon=":material/event:")
            st.button(_("I have copied it"), on_click=_forget, key="feeds_copied")


def _make(doctor_id: int) -> None:
    made = perform(calendar_feeds.make, doctor_id=doctor_id, done=N_("The address is made."))
    if made is not None:
        st.session_state[MADE] = made


def _revoke(feed_id: int) -> None:
    _forget()
    perform(calendar_feeds.revoke, feed_id=feed_id, done=N_("That address reads nothing any more."))


def _forget() -> None:
    st.session_state.pop(MADE, None)
