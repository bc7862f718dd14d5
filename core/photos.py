"""Photographs of doctors: made small, and without what a camera writes into them, such as where it was."""

from io import BytesIO

from PIL import Image, ImageOps

from core.errors import ClinicError
from core.file_kinds import FileKind, require_kind
from core.i18n import N_, megabytes

KINDS = (FileKind.PNG, FileKind.JPEG)
LARGEST = 5 * 1024 * 1024  # bytes, as it is sent
PIXELS = 40_000_000  # what a phone's camera makes
SIDE = 512  # pixels, as it is kept


class PhotoTooLarge(ClinicError):
    message = N_("The photo is too large: {largest} at most. Please choose a smaller one.")


class PhotoDamaged(ClinicError):
    message = N_("The photo cannot be opened: the file seems to be damaged.")


def cleaned(content: bytes) -> bytes:
    """The photo as a JPEG of 512 pixels at most, upright, with nothing in it but the picture.

    Raises `WrongFileKind`, `PhotoTooLarge`, `PhotoDamaged`.
    """
    require_kind(content, KINDS)
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if len(content) > LARGEST or opened.width * opened.height > PIXELS:
                raise PhotoTooLarge(largest=megabytes(LARGEST))
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is unpacked at a fraction of its size
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((SIDE, SIDE))
            flat = Image.new("RGB", upright.size, "white")
            has_holes = "A" in upright.getbands() or "transparency" in upright.info
            flat.paste(upright.convert("RGBA" if has_holes else "RGB"), mask=_holes(upright, has_holes))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoDamaged from error
    written = BytesIO()
    flat.save(written, "JPEG", quality=85, optimize=True)
    return written.getvalue()


def _holes(picture: Image.Image, has_holes: bool) -> Image.Image | None:
    return picture.convert("RGBA").getchannel("A") if has_holes else None
