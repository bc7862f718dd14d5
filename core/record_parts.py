"""Parts of a record on paper: notes, vitals, prescriptions, letters, lists, for several documents."""

# mypy: allow-untyped-calls
# ReportLab has no types.

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from reportlab.platypus.flowables import Flowable

from core import letter_wordings, note_fields, pdfs, prescription_drafts
from core.bidi import isolated
from core.i18n import _, clock_time, full_time, short_date, zone_offset
from core.pdf_words import Style
from core.record_items import LISTS, SEVERITIES, Item
from db.models import Ending, ItemKind, Letter, NoteVersion, Prescription, PrescriptionItem

_FORMERLY = pdfs.SMALL._replace(align="start")
_NO_BREAK = "\u00a0"


def moment(at: datetime, zone: tzinfo) -> str:
    """An instant as tables have it: Jun 3, 2026, 10:00 AM."""
    return f"{short_date(at.astimezone(zone).date())}, {clock_time(at, zone)}"


def signed(doctor: str, at: datetime, zone: tzinfo) -> str:
    when = f"{full_time(at, zone)} ({zone_offset(at, zone)})"
    return _("Signed electronically by {doctor} on {time}").format(doctor=isolated(doctor), time=when)


def lists(items: Sequence[Item], zone: tzinfo) -> list[Flowable]:
    """The lists of a record, what is over with its last day; mistakes are not shown."""
    found: list[Flowable] = []
    for kind, heading in LISTS.items():
        found.append(pdfs.subheading(_(heading)))
        true = [each for each in items if each.kind is kind and each.ending is not Ending.MISTAKE]
        found.append(_list(kind, true, zone) if true else pdfs.words(_("Nothing written down."), pdfs.TEXT))
    return found


def _list(kind: ItemKind, items: Iterable[Item], zone: tzinfo) -> Flowable:
    rows = []
    for item in items:
        severity = _(SEVERITIES[item.severity]) if item.severity else ""
        details = "\n".join(each for each in (severity, item.details) if each)
        since = short_date(item.since_on) if item.since_on else ""
        over = short_date(item.ended_at.astimezone(zone).date()) if item.ended_at else ""
        rows.append((item.name, details, since, over))
    about = _("Reaction") if kind is ItemKind.ALLERGY else _("Details")
    return pdfs.table((_("What"), about, _("Since"), _("Until")), rows, (60, None, 26, 26))


def note(versions: Sequence[NoteVersion], zone: tzinfo) -> list[Flowable]:
    """A signed note as it reads now and why it was amended, then what it read before, in full.

    `versions` has the latest first. Who acts on a record must see what others knew when they acted.
    """
    latest, *earlier = versions
    found = [*_said(latest), pdfs.gap(1)]
    for version in reversed(versions):
        line = signed(version.doctor.user.name, version.signed_at, zone)
        if version.amendment:
            line = f"{_('Amended: {reason}').format(reason=isolated(version.amendment))}\n{line}"
        found.append(pdfs.note(line))
    for version, replaced in zip(earlier, versions, strict=False):
        heading = _("Earlier version, signed on {signed}, valid until {replaced}").format(
            signed=moment(version.signed_at, zone), replaced=moment(replaced.signed_at, zone)
        )
        found += [pdfs.formerly(heading), *_said(version, _FORMERLY)]
    return found


def _said(version: NoteVersion, style: Style = pdfs.BODY) -> list[Flowable]:
    """The parts of a version of a note, and what was measured."""
    found: list[Flowable] = []
    for name, heading in note_fields.PARTS.items():
        if said := getattr(version, name):
            found += [pdfs.part(_(heading)), pdfs.words(said, style)]
    if measured := vitals(version):
        found += [
            pdfs.part(_("Vital signs")),
            pdfs.words(measured, style._replace(is_own=False, align="left")),
        ]
    return found


def vitals(version: NoteVersion) -> str:
    """What was measured, with its units: Weight 72.5 kg · Blood pressure 120/80 mmHg."""
    measured = []
    for name, vital in note_fields.VITALS.items():
        kept = getattr(version, vital.column)
        if kept is None or name == "diastolic":
            continue
        label, value = _(vital.label), note_fields.shown(vital, kept)
        if name == "systolic":
            label, value = _("Blood pressure"), f"{value}/{version.diastolic_mmhg}"
        measured.append(f"{label} {value}{_NO_BREAK}{vital.unit}")
    return " · ".join(measured)


def prescription(found: Prescription, zone: tzinfo) -> list[Flowable]:
    """A signed prescription among others, each drug on a line of its own."""
    parts: list[Flowable] = [
        pdfs.words(f"{number}. {drug(item)}: {directions(item)}", pdfs.TEXT)
        for number, item in enumerate(found.items, start=1)
    ]
    if found.withdrawn_at:
        parts.append(pdfs.words(withdrawal(found, zone), pdfs.RED_TEXT))
    return [*parts, pdfs.note(signed(found.doctor.user.name, _signing(found), zone))]


def drug(item: PrescriptionItem) -> str:
    """What is prescribed: Ibuprofen 400 mg tablet."""
    return " ".join(isolated(each) for each in (item.drug, item.strength, item.form) if each)


def directions(item: PrescriptionItem) -> str:
    """How a drug is to be taken, in one line."""
    said = [isolated(each) for each in (item.dose, item.frequency, item.duration) if each]
    if item.quantity:
        said.append(f"{_(prescription_drafts.PARTS['quantity'])}: {isolated(item.quantity)}")
    if item.instructions:
        said.append(isolated(" ".join(item.instructions.split())))
    return " · ".join(said)


def withdrawal(found: Prescription, zone: tzinfo) -> str:
    """That a prescription was withdrawn, when and why."""
    assert found.withdrawn_at is not None  # noqa: S101 - its callers have looked
    return _("Withdrawn on {time}: {reason}").format(
        time=moment(found.withdrawn_at, zone), reason=isolated(found.withdrawal_reason)
    )


def letter(found: Letter, zone: tzinfo) -> list[Flowable]:
    """A signed letter among others."""
    parts: list[Flowable] = [pdfs.subheading(_(letter_wordings.NAMES[found.kind]))]
    if found.addressee:
        parts += [pdfs.words(found.addressee, pdfs.SMALL), pdfs.gap(2)]
    assert found.signed_at is not None  # noqa: S101 - only signed ones are given out
    return [
        *parts,
        pdfs.words(found.body),
        pdfs.gap(1),
        pdfs.note(signed(found.doctor.user.name, found.signed_at, zone)),
    ]


def _signing(found: Prescription) -> datetime:
    assert found.signed_at is not None  # noqa: S101 - only signed ones are given out
    return found.signed_at
