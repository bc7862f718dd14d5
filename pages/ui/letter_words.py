"""The words that letters begin with: ours or the clinic's own, by language, with what they come to."""

import streamlit as st

from core import i18n, languages, letter_wordings
from core.access import Actor
from core.i18n import N_, _, speaking
from core.letter_wordings import BLANKS, LENGTH, NAMES, WORDS
from db.models import LetterKind
from pages.ui.actions import perform
from pages.ui.choices import choice
from pages.ui.refusals import reading
from pages.ui.words import plain, plain_lines

KINDS = {kind.value: kind for kind in LetterKind}


def letter_words_panel(actor: Actor) -> None:
    """Choose a letter and a language, change its words, and see what they come to."""
    which, language = st.columns(2)
    with which:
        name = choice(
            _("Letter"), {key: _(NAMES[kind]) for key, kind in KINDS.items()}, key="letter_words_kind"
        )
    with language:
        locales = {code: languages.locale_name(code) for code in i18n.languages()}
        locale = choice(_("Language"), locales, key="letter_words_locale")
    if name is None or locale is None:
        return
    kind = KINDS[name]
    with reading() as session:
        own = letter_wordings.all_own(session, actor).get((kind, locale))
    with speaking(locale):
        ours = _(WORDS[kind])
    key = f"letter_words_{name}_{locale}"
    st.session_state.setdefault(key, own or ours)
    text = st.text_area(_("Text"), key=key, max_chars=LENGTH, height=280)
    blanks = ", ".join(f"**{{{each}}}**" for each in sorted(BLANKS))
    st.caption(_("What stands in braces is filled in for each letter: {blanks}.").format(blanks=blanks))
    _preview(actor, kind, locale, text)
    with st.container(horizontal=True):
        st.button(
            _("Save"), type="primary", key="letter_words_save", on_click=_save, args=(kind, locale, key)
        )
        if own is not None:
            st.button(
                _("Use our words again"),
                key="letter_words_restore",
                on_click=_restore,
                args=(kind, locale, key),
            )


def _preview(actor: Actor, kind: LetterKind, locale: str, text: str) -> None:
    with reading() as session:
        body, refusal = letter_wordings.preview(session, actor, kind=kind, locale=locale, text=text)
    if refusal:
        st.warning(plain(refusal), icon=":material/warning:")
        return
    with st.container(border=True):
        st.caption(_("So it begins, about an invented patient:"))
        st.markdown(plain_lines(body))


def _save(kind: LetterKind, locale: str, key: str) -> None:
    text = st.session_state.get(key) or ""
    perform(letter_wordings.save, kind=kind, locale=locale, text=text, done=N_("Saved."))


def _restore(kind: LetterKind, locale: str, key: str) -> None:
    perform(letter_wordings.restore, kind=kind, locale=locale, done=N_("Our words are used again."))
    st.session_state.pop(key, None)
