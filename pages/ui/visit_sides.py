"""What a doctor reads beside the note: the answers given before the visit, the last visits, the files."""

import streamlit as st

from core.attachments import FileEntry
from core.i18n import _, clock_time, short_date
from core.intakes import Intake
from core.records import Visit
from pages.ui.intake_fields import answer_words
from pages.ui.note_versions import show_note
from pages.ui.portions import FEW, show_portion
from pages.ui.visit_charts import Chart
from pages.ui.words import STATUS, plain

LAST_VISITS = 5


def answers(intake: Intake) -> None:
    """What the patient answered before the visit; nothing where nothing was asked."""
    if not intake.asked:
        return
    st.header(_("Before the visit"))
    if intake.answered_at is None:
        st.caption(_("The questions were not answered."))
        return
    for asked in intake.asked:
        st.markdown(f":gray[{plain(asked.question)}]  \n{answer_words(asked)}")


def last_visits(found: Chart) -> None:
    """The visits before, with the notes that were signed for them."""
    st.header(_("Last visits"))

    def draw(visit: Visit) -> None:
        on = short_date(visit.starts_at.astimezone(found.zone).date())
        label = f"{plain(on)} · {plain(visit.service)} · {plain(visit.doctor)}"
        versions = found.notes.get(visit.appointment_id)
        if versions:
            with st.expander(label, icon=":material/clinical_notes:"):
                show_note(versions, found.zone)
        else:
            st.markdown(f"{label}  \n:gray[{_without_note(visit)}]")

    key = f"visit_earlier_{found.visit.appointment_id}"
    nothing = _("This is the first visit here.")
    show_portion(found.earlier, draw, key=key, nothing=nothing, first=LAST_VISITS)


def _without_note(visit: Visit) -> str:
    return f"{_(STATUS[visit.status][0])} · {_('no signed note')}"


def files(found: Chart) -> None:
    """The patient's files, those of this visit first."""
    if not found.files:
        return
    st.header(_("Files"))
    this = found.visit.appointment_id
    show_portion(
        sorted(found.files, key=lambda each: each.appointment_id != this),
        lambda file: _show_file(file, found, is_of_visit=file.appointment_id == this),
        key=f"visit_files_{this}",
        first=FEW,
    )


def _show_file(file: FileEntry, found: Chart, *, is_of_visit: bool) -> None:
    on = short_date(file.added_at.astimezone(found.zone).date())
    at = clock_time(file.added_at, found.zone)
    st.link_button(
        plain(file.name),
        f"/files/attachments/{file.attachment_id}",
        icon=":material/attach_file:",
        width="stretch",
        wrap=True,
    )
    told = _("added by {name}, {date}, {time}").format(name=file.added_by, date=on, time=at)
    mark = f" :blue-badge[{_('For this visit')}]" if is_of_visit else ""
    st.caption(f"{plain(told)}{mark}")
