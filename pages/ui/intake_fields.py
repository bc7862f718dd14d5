"""The questions before a visit on the screen: the way to them, the fields, the answers."""

from datetime import tzinfo

import streamlit as st

from core import intakes
from core.i18n import N_, _, day_and_time, ngettext
from core.intakes import NO, YES, Asked, Intake
from db.models import AnswerKind
from pages.ui.actions import perform
from pages.ui.navigation import BEFORE_VISIT
from pages.ui.words import plain, plain_lines

YES_OR_NO = {YES: N_("Yes"), NO: N_("No")}


def intake_link(intake: Intake | None) -> None:
    """From a visit to the questions before it, with what is still to be answered."""
    if intake is None:
        return
    if intake.missing:
        told = ngettext(
            "Before the visit: {count} question waits for your answer",
            "Before the visit: {count} questions wait for your answer",
            intake.missing,
        ).format(count=intake.missing)
    else:
        told = _("Before the visit: your answers") if intake.answered_at else _("Before the visit: questions")
    st.page_link(
        BEFORE_VISIT,
        label=told,
        icon=":material/quiz:",
        query_params={"visit": str(intake.appointment_id)},
    )


def intake_form(intake: Intake) -> None:
    """The questions as fields, with what was answered in them; what is refused stays as it was typed."""
    with st.form("intake"):
        for asked in intake.asked:
            _field(intake, asked)
        if any(asked.is_required for asked in intake.asked):
            st.caption(_("What is marked with * has to be answered."))
        st.form_submit_button(
            _("Save the answers"), type="primary", on_click=_answer, args=(intake,), key="intake_submit"
        )


def show_answers(intake: Intake, zone: tzinfo) -> None:
    """Question by question what was answered, and when last."""
    for asked in intake.asked:
        st.markdown(f"**{plain(asked.question)}**  \n{answer_words(asked)}")
    if intake.answered_at is not None:
        at = day_and_time(intake.answered_at, zone)
        st.caption(plain(_("Answered on {time}").format(time=at)))


def answer_words(asked: Asked) -> str:
    """What was answered, in Markdown."""
    if not asked.answer:
        return f":gray[{_('No answer')}]"
    return _(YES_OR_NO[asked.answer]) if asked.kind is AnswerKind.YES_NO else plain_lines(asked.answer)


def _key(intake: Intake, asked: Asked) -> str:
    return f"intake_{intake.appointment_id}_{asked.question_id}"


def _drawn(intake: Intake, asked: Asked) -> str:
    """What stood in a field at first: what was answered elsewhere since then is not taken back from here."""
    known: str = st.session_state.setdefault(f"{_key(intake, asked)}_drawn", asked.answer)
    return known


def _field(intake: Intake, asked: Asked) -> None:
    key = _key(intake, asked)
    _drawn(intake, asked)
    label = plain(asked.question) + (" \\*" if asked.is_required else "")
    if asked.kind is AnswerKind.TEXT:
        st.session_state.setdefault(key, asked.answer)
        st.text_area(label, max_chars=intakes.ANSWER_LENGTH, height=100, key=key)
        return
    st.session_state.setdefault(key, asked.answer or None)
    if asked.kind is AnswerKind.YES_NO:
        st.segmented_control(
            label, list(YES_OR_NO), format_func=lambda each: _(YES_OR_NO.get(each, "")), key=key
        )
    else:
        st.selectbox(label, asked.choices, index=None, placeholder=_("Please choose"), key=key)


def _answer(intake: Intake) -> None:
    saved = perform(
        intakes.answer,
        appointment_id=intake.appointment_id,
        answers={
            asked.question_id: typed
            for asked in intake.asked
            if (typed := st.session_state.get(_key(intake, asked)) or "") != _drawn(intake, asked)
        },
        done=N_("Saved. Your doctor reads it at the visit; until then you can change it."),
    )
    for asked in intake.asked if saved is not None else ():
        key = _key(intake, asked)
        st.session_state[f"{key}_drawn"] = st.session_state.get(key) or ""
