"""Files of a record on the screen: what is there, what one may take back, and a field to add one."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from uuid import UUID

import streamlit as st

from core import attachments
from core.attachments import FileEntry
from core.file_kinds import FileKind
from core.i18n import N_, _, clock_time, day_and_time, megabytes, short_date
from core.records import Record, Visit
from pages.ui.actions import form_key, perform
from pages.ui.choices import choice
from pages.ui.downloads import download
from pages.ui.portions import show_portion
from pages.ui.uploads import GivenFile, ask_for_file
from pages.ui.words import plain

FORM = "record_file"
KILOBYTE = 1000


def show_files(files: Sequence[FileEntry], record: Record, zone: tzinfo) -> None:
    """The latest first, each with the visit it is for and a way to it."""
    visits = {each.appointment_id: each for each in (*record.coming, *record.past)}

    def draw(entry: FileEntry) -> None:
        with st.container(border=True):
            _show_file(entry, visits, zone)

    show_portion(files, draw, key=f"record_files_{record.patient_id}", nothing=_("No file yet."))


def add_file(record: Record, zone: tzinfo) -> None:
    """A field for a file, and for which visit it is: emptied once the file is in the record."""
    key = form_key(_form_of(record.patient_id))  # a file chosen for one child does not stand at the next
    given = ask_for_file(
        _("A document for the record: PDF, PNG or JPEG"), kinds=tuple(FileKind), key=f"{FORM}_{key}"
    )
    visits = {0: _("No visit in particular")} | {
        each.appointment_id: f"{day_and_time(each.starts_at, zone)} · {each.service} · {each.doctor}"
        for each in record.coming
    }
    if record.coming:
        choice(_("For which visit?"), visits, key=f"{FORM}_visit")
    st.button(
        _("Add to the record"),
        type="primary",
        icon=":material/upload_file:",
        disabled=given is None,
        on_click=_add,
        args=(record.patient_id, given, key),
        key=f"{FORM}_add",
    )


def _form_of(patient_id: int) -> str:
    return f"{FORM}_{patient_id}"


def _add(patient_id: int, given: GivenFile | None, key: UUID) -> None:
    """The visit is that of the field now: it may have been chosen a moment before the button was pressed."""
    chosen = st.session_state.get(f"{FORM}_visit")
    if given is not None:
        perform(
            attachments.add,
            patient_id=patient_id,
            name=given.name,
            content=given.content,
            appointment_id=chosen if isinstance(chosen, int) and chosen else None,
            request_key=key,
            done=N_("The file is in the record. Your doctors can read it."),
            form=_form_of(patient_id),
        )


def _remove(attachment_id: int) -> None:
    perform(attachments.remove, attachment_id=attachment_id, done=N_("The file was taken back and deleted."))


def _show_file(entry: FileEntry, visits: Mapping[int, Visit], zone: tzinfo) -> None:
    st.markdown(f"**{plain(entry.name)}** · {_size(entry.size)}")
    on = short_date(entry.added_at.astimezone(zone).date())
    told = _("Added on {date} by {name}").format(date=on, name=entry.added_by)
    visit = visits.get(entry.appointment_id or 0)
    if visit is not None:
        day = short_date(visit.starts_at.astimezone(zone).date())
        told += " · " + _("for the visit on {date}").format(date=day)
    st.caption(plain(told))
    with st.container(horizontal=True, vertical_alignment="center"):
        download(_("Download"), f"/files/attachments/{entry.attachment_id}")
        if entry.removable_until is not None:
            st.button(
                _("Take back"),
                icon=":material/delete:",
                on_click=_remove,
                args=(entry.attachment_id,),
                key=f"{FORM}_remove_{entry.attachment_id}",
            )
            until = clock_time(entry.removable_until, zone)
            last = short_date(entry.removable_until.astimezone(zone).date())
            st.caption(plain(_("You can take it back until {date}, {time}.").format(date=last, time=until)))


def _size(size: int) -> str:
    """A file's size, so that a small one is not none at all."""
    return plain(megabytes(size)) if size >= 100 * KILOBYTE else _("less than 0.1 MB")
