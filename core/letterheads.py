"""What stands at the head of the clinic's documents, and the paper they are printed on."""

from collections.abc import Mapping
from io import BytesIO

from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import access, audit, clinics, clock, pdf_pages, setting_changes
from core.access import Action, Actor
from core.errors import ClinicError
from core.file_kinds import FileKind, require_kind
from core.i18n import N_, megabytes
from core.pdf_pages import Sheet
from core.setting_changes import Subject, replaced
from core.texts import are_readable, several_lines
from db.models import ClinicSettings, Paper

ADDRESS_LENGTH = 500
LARGEST = 1024 * 1024  # bytes
SIDE = 4000  # pixels


class AddressTooLong(ClinicError):
    message = N_("The address is too long: {length} characters at most.")


class AddressUnreadable(ClinicError):
    message = N_("There are characters in the address that cannot be shown. Please type it again.")


class LogoTooLarge(ClinicError):
    message = N_("The logo is too large: {largest} and {side} × {side} pixels at most.")


class LogoDamaged(ClinicError):
    message = N_("The logo cannot be opened: the file seems to be damaged.")


def sheet(session: Session) -> Sheet:
    """The clinic's paper for a document that is printed now, in the language spoken here."""
    return pdf_pages.sheet(clinics.settings(session), zone=clinics.zone(session), at=clock.now())


def logo(session: Session) -> bytes | None:
    """The clinic's logo, a PNG or a JPEG, which everybody may see."""
    return session.scalar(select(ClinicSettings.logo))


def change(session: Session, actor: Actor, *, address: str, paper: Paper) -> None:
    """Set the address of the letterhead, line by line, and the paper.

    Raises `AddressTooLong`, `AddressUnreadable`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    lines = several_lines(address)
    if len(lines) > ADDRESS_LENGTH:
        raise AddressTooLong(length=ADDRESS_LENGTH)
    if not are_readable(lines):
        raise AddressUnreadable
    settings = clinics.settings(session)
    if (settings.address, settings.paper) != (lines, paper):
        before = {"address": settings.address, "paper": settings.paper}
        _note(session, actor, before, {"address": lines, "paper": paper})
        _write(session, actor, "letterhead", address=lines, paper=paper)


def change_logo(session: Session, actor: Actor, *, content: bytes | None) -> None:
    """Set the clinic's logo, or take it away.

    Raises `WrongFileKind`, `LogoTooLarge`, `LogoDamaged`, `AccessDenied`.
    """
    access.require(actor, Action.CHANGE_SETTINGS)
    if content is not None:
        _require_drawable(content)
    present = logo(session)
    if present != content:
        before, after = replaced(present, content)
        _note(session, actor, {"logo": before}, {"logo": after})
    _write(session, actor, "logo", logo=content)


def _require_drawable(content: bytes) -> None:
    """It is unpacked for each document, so it must be small in pixels too."""
    require_kind(content, (FileKind.PNG, FileKind.JPEG))
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if len(content) > LARGEST or max(opened.size) > SIDE:
                raise LogoTooLarge(largest=megabytes(LARGEST), side=SIDE)
            opened.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise LogoDamaged from error


def _note(session: Session, actor: Actor, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    name = clinics.settings(session).name
    setting_changes.note(session, actor, Subject.LETTERHEAD, 1, name, before=before, after=after)


def _write(session: Session, actor: Actor, what: str, **values: object) -> None:
    session.execute(update(ClinicSettings).values(**values))
    session.info.pop("clinic_settings", None)  # read once a session
    audit.record(session, actor, audit.Event.SETTINGS_CHANGED, kind="settings", number=1, changed=what)
