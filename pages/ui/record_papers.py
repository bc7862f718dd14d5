"""Prescriptions and letters of a record on the screen: signed ones, each with its PDF."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.i18n import _, clock_time, short_date
from core.letter_wordings import NAMES
from core.prescription_drafts import PARTS
from db.models import Letter, Prescription, PrescriptionItem
from pages.ui.downloads import download
from pages.ui.portions import show_portion
from pages.ui.words import plain, plain_lines


def show_prescriptions(prescriptions: Sequence[Prescription], patient_id: int, zone: tzinfo) -> None:
    """The latest first; one that was withdrawn says so before anything else."""
    signed_at = {each.id: each.signed_at for each in prescriptions}

    def draw(prescription: Prescription) -> None:
        with st.container(border=True):
            _show_prescription(prescription, signed_at.get(prescription.repeats_id or 0), zone)

    nothing = _("No prescription yet.")
    show_portion(prescriptions, draw, key=f"record_prescriptions_{patient_id}", nothing=nothing)


def show_letters(letters: Sequence[Letter], patient_id: int, zone: tzinfo) -> None:
    """The latest first, each with its words folded away."""

    def draw(letter: Letter) -> None:
        with st.container(border=True):
            _show_letter(letter, zone)

    show_portion(letters, draw, key=f"record_letters_{patient_id}", nothing=_("No letter yet."))


def drug_words(item: PrescriptionItem) -> str:
    """A drug and how it is taken, in Markdown."""
    name = " ".join(each for each in (item.drug, item.strength, item.form) if each)
    taken = [each for each in (item.dose, item.frequency, item.duration) if each]
    if item.quantity:
        taken.append(f"{_(PARTS['quantity'])}: {item.quantity}")
    rest = f"  \n{plain_lines(item.instructions)}" if item.instructions else ""
    return f"**{plain(name)}**  \n{plain(' · '.join(taken))}{rest}"


def _show_prescription(prescription: Prescription, repeated_at: datetime | None, zone: tzinfo) -> None:
    head = _head(prescription.signed_at, prescription.doctor.user.name, zone)
    if prescription.withdrawn_at is None:
        st.markdown(head)
    else:
        on = short_date(prescription.withdrawn_at.astimezone(zone).date())
        st.markdown(f"{head} :red-badge[{_('Withdrawn')}]")
        told = _("Withdrawn on {date}, please do not use it: {reason}")
        st.error(plain(told.format(date=on, reason=prescription.withdrawal_reason)))
    if repeated_at is not None:
        on = short_date(repeated_at.astimezone(zone).date())
        st.caption(plain(_("Repeats the one of {date}").format(date=on)))
    for item in prescription.items:
        st.markdown(drug_words(item))
    download(_("Prescription as PDF"), f"/files/prescriptions/{prescription.id}.pdf")


def _show_letter(letter: Letter, zone: tzinfo) -> None:
    head = _head(letter.signed_at, letter.doctor.user.name, zone)
    st.markdown(f"**{_(NAMES[letter.kind])}**  \n{head}")
    if letter.addressee:
        st.caption(plain(_("To: {addressee}").format(addressee=", ".join(letter.addressee.split("\n")))))
    with st.expander(_("Read the letter"), icon=":material/mail:"):
        st.markdown(plain_lines(letter.body))
    download(_("Letter as PDF"), f"/files/letters/{letter.id}.pdf")


def _head(signed_at: datetime | None, doctor: str, zone: tzinfo) -> str:
    assert signed_at is not None  # only signed ones are given out  # noqa: S101
    on = short_date(signed_at.astimezone(zone).date())
    return f"**{on}, {clock_time(signed_at, zone)}** · {plain(doctor)}"
