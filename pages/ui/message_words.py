"""The words of the clinic's texts: ours or its own, by language, with what they come to."""

import streamlit as st

from core import i18n, languages, message_templates, message_wordings
from core.access import Actor
from core.i18n import N_, _, ngettext, speaking
from pages.ui.actions import perform
from pages.ui.choices import choice
from pages.ui.refusals import reading
from pages.ui.words import plain

NAMES = {
    "booked": N_("A visit is booked"),
    "moved": N_("A visit has moved"),
    "changed": N_("The doctor or the place of a visit has changed"),
    "cancelled": N_("A visit is cancelled"),
    "reminder": N_("Reminder of one visit"),
    "reminder_of_several": N_("Reminder of several visits"),
    "running_late": N_("Running late"),
    "offer": N_("Offer from the waitlist"),
    "payment_link": N_("Way to pay for a time that is held"),
    "payment_asked": N_("Way to pay for a visit that is booked"),
    "receipt": N_("Receipt"),
    "confirmed": N_("Thanks for confirming"),
    "cancelling_costs": N_("Cancelling costs a fee"),
    "choose_time": N_("Choose another time"),
    "will_call": N_("We will call"),
    "offer_over": N_("The offered time is gone"),
    "offer_declined": N_("The offer was declined"),
}


def words_panel(actor: Actor) -> None:
    """Choose a message and a language, change its words, and see what they come to."""
    which, language = st.columns(2)
    with which:
        name = choice(_("Message"), {key: _(told) for key, told in NAMES.items()}, key="words_name")
    with language:
        locales = {code: languages.locale_name(code) for code in i18n.languages()}
        locale = choice(_("Language"), locales, key="words_locale")
    if name is None or locale is None:
        return
    with reading() as session:
        all_own = message_wordings.all_own(session, actor)
    own = all_own.get((name, locale))
    of_language = all_own.get((name, i18n.without_country(locale)))
    with speaking(locale):
        ours = _(message_templates.TEMPLATES[name].text)
    key = f"words_{name}_{locale}"
    st.session_state.setdefault(key, own or of_language or ours)
    text = st.text_area(_("Text"), key=key, max_chars=message_wordings.LENGTH, height=100)
    blanks = ", ".join(f"**{{{each}}}**" for each in sorted(message_templates.TEMPLATES[name].needs))
    st.caption(_("It must contain {blanks}, which are filled in for each message.").format(blanks=blanks))
    _preview(actor, name, locale, text)
    with st.container(horizontal=True):
        st.button(_("Save"), type="primary", key="words_save", on_click=_save, args=(name, locale))
        if own is not None:
            st.button(_("Use our words again"), key="words_restore", on_click=_restore, args=(name, locale))


def _preview(actor: Actor, name: str, locale: str, text: str) -> None:
    with reading() as session:
        shown = message_wordings.preview(session, actor, name=name, locale=locale, text=text)
    if shown.refusal:
        st.warning(plain(shown.refusal), icon=":material/warning:")
        return
    with st.container(border=True):
        st.markdown(plain(shown.body))
        count = ngettext("{count} segment", "{count} segments", shown.segments).format(count=shown.segments)
        size = _("{count} characters, {segments}").format(count=len(shown.body), segments=count)
        st.caption(size, help=_("Phone companies charge for each segment of a text."))
        if not shown.is_short_alphabet:
            st.caption(
                _("With a character that is not in every phone's alphabet a segment holds 70, else 160.")
            )


def _save(name: str, locale: str) -> None:
    perform(
        message_wordings.save,
        name=name,
        locale=locale,
        text=st.session_state.get(f"words_{name}_{locale}") or "",
        done=N_("Saved."),
    )


def _restore(name: str, locale: str) -> None:
    perform(message_wordings.restore, name=name, locale=locale, done=N_("Our words are used again."))
    st.session_state.pop(f"words_{name}_{locale}", None)
