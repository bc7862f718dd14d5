"""Questions before visits: what patients are asked for each service, in which order, answered how."""

import streamlit as st

from core import intake_questions, prices
from core.i18n import N_, _
from db.models import AnswerKind, IntakeQuestion, Role
from pages.ui import choice, perform, plain, reading, require
from pages.ui.setting_words import ANSWERS

actor = require(Role.ADMIN)

PREFIX = "questions_"


def add(service_id: int, kind: AnswerKind) -> None:
    perform(
        intake_questions.add,
        service_id=service_id,
        question=st.session_state.get(f"{PREFIX}question") or "",
        kind=kind,
        choices=(st.session_state.get(f"{PREFIX}choices") or "").splitlines(),
        is_required=bool(st.session_state.get(f"{PREFIX}required")),
        done=N_("Patients are asked this from now on."),
        clear=[f"{PREFIX}question", f"{PREFIX}choices", f"{PREFIX}required"],
    )


def retire(question_id: int) -> None:
    perform(
        intake_questions.retire,
        question_id=question_id,
        done=N_("This is asked no more. What was answered stays."),
    )


def move_up(question_id: int) -> None:
    perform(intake_questions.move_up, question_id=question_id, done=N_("Moved."))


def show(question: IntakeQuestion, *, is_first: bool) -> None:
    with st.container(border=True):
        needed = f" :orange-badge[{_('Has to be answered')}]" if question.is_required else ""
        st.markdown(f"**{plain(question.question)}**{needed}")
        told = _(ANSWERS[question.kind])
        st.caption(plain(f"{told}: {' · '.join(question.choices)}" if question.choices else told))
        with st.container(horizontal=True):
            if not is_first:
                st.button(
                    _("Ask earlier"),
                    icon=":material/arrow_upward:",
                    on_click=move_up,
                    args=(question.id,),
                    key=f"{PREFIX}up_{question.id}",
                )
            st.button(
                _("Ask no more"),
                icon=":material/close:",
                on_click=retire,
                args=(question.id,),
                key=f"{PREFIX}retire_{question.id}",
            )


st.title(_("Questions before visits"))
with reading() as session:
    services = {each.id: each.name for each in prices.services(session, actor)}
if not services:
    st.info(_("The clinic has no service yet."))
    st.stop()
service_id = choice(_("Service"), services, key=f"{PREFIX}service") or next(iter(services))
with reading() as session:
    asked = intake_questions.of_service(session, actor, service_id=service_id)
if not asked:
    st.info(_("Nothing is asked before visits for this service."), icon=":material/quiz:")
for place, question in enumerate(asked):
    show(question, is_first=place == 0)

st.header(_("Ask something more"))
st.caption(_("A question cannot be reworded once it is asked: ask another, and end the old one."))
st.text_input(_("Question"), max_chars=intake_questions.QUESTION_LENGTH, key=f"{PREFIX}question")
kind = st.radio(
    _("How is it answered?"), list(ANSWERS), format_func=lambda each: _(ANSWERS[each]), key=f"{PREFIX}kind"
)
if kind is AnswerKind.CHOICE:
    st.text_area(_("The answers to choose from, one on each line"), height=120, key=f"{PREFIX}choices")
st.checkbox(_("It has to be answered"), key=f"{PREFIX}required")
st.button(_("Ask this"), type="primary", on_click=add, args=(service_id, kind), key=f"{PREFIX}add")
