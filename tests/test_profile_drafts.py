"""Doctors' profiles: written by the doctor, seen by patients once an administrator has published them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from core import doctors, photos, profile_drafts
from core.access import Actor
from core.errors import AccessDenied, NotFound
from core.file_kinds import WrongFileKind
from core.photos import PhotoDamaged, PhotoTooLarge
from core.profile_drafts import (
    DraftChanged,
    NoSuchLanguage,
    Profile,
    ProfileTooLong,
    ProfileUnreadable,
    RemarkMissing,
)
from tests.cast import NOW, Cast, assemble, time_is


@pytest.fixture
def cast(session: Session) -> Iterator[Cast]:
    with time_is(NOW):
        made = assemble(session)
        made.dr_roth.bio, made.dr_roth.languages = "Known for patience.", ["de"]
        session.flush()
        yield made


def picture(
    form: str = "JPEG", size: tuple[int, int] = (800, 400), mode: str = "RGB", **options: Any
) -> bytes:
    written = BytesIO()
    Image.new(mode, size, "navy").save(written, form, **options)
    return written.getvalue()


def profile(session: Session, cast: Cast, actor: Actor | None = None) -> Profile:
    return profile_drafts.of_doctor(session, actor or cast.roth, doctor_id=cast.dr_roth.id)


def write(session: Session, cast: Cast, **changes: Any) -> datetime | None:
    """Dr. Roth's draft, sent to be published unless told otherwise; by what it is known."""
    wanted = {
        "doctor_id": cast.dr_roth.id,
        "bio": "Heart and patience.",
        "languages": ["de", "vi"],
        "seen": profile(session, cast).seen,
        "is_submitted": True,
    }
    profile_drafts.save(session, cast.roth, **wanted | changes)
    return profile(session, cast).seen


def test_patients_see_nothing_of_a_draft_until_it_is_published(session: Session, cast: Cast) -> None:
    seen = write(session, cast, photo=picture())
    doctor = doctors.find(session, cast.ada, cast.dr_roth.id)
    assert doctor is not None
    assert (doctor.bio, doctor.languages) == ("Known for patience.", ["de"])
    assert doctors.with_photo(session, cast.ada, doctor_ids=[doctor.id]) == set()
    with pytest.raises(NotFound):
        doctors.photo(session, cast.ada, doctor_id=doctor.id)
    profile_drafts.publish(session, cast.admin, doctor_id=doctor.id, seen=seen)
    assert (doctor.bio, doctor.languages) == ("Heart and patience.", ["de", "vi"])
    assert doctors.with_photo(session, cast.ada, doctor_ids=[doctor.id]) == {doctor.id}
    assert doctors.photo(session, cast.ada, doctor_id=doctor.id).startswith(b"\xff\xd8\xff")
    assert profile(session, cast).draft is None


def test_only_what_was_sent_is_published_and_as_it_was_shown(session: Session, cast: Cast) -> None:
    seen = write(session, cast, is_submitted=False)
    assert profile_drafts.waiting(session, cast.admin) == []
    with pytest.raises(DraftChanged):
        profile_drafts.publish(session, cast.admin, doctor_id=cast.dr_roth.id, seen=seen)
    shown = write(session, cast)
    [waiting] = profile_drafts.waiting(session, cast.admin)
    assert profile_drafts.count_waiting(session, cast.admin) == 1
    assert (waiting.doctor.id, waiting.seen) == (cast.dr_roth.id, shown)
    with time_is(NOW + timedelta(minutes=1)):
        write(session, cast, bio="Something nobody has read.")
        with pytest.raises(DraftChanged):
            profile_drafts.publish(session, cast.admin, doctor_id=cast.dr_roth.id, seen=shown)
    assert cast.dr_roth.bio == "Known for patience."


def test_what_is_sent_back_says_why_and_can_be_sent_again(session: Session, cast: Cast) -> None:
    seen = write(session, cast)
    for remark, error in ((" ", RemarkMissing), ("x" * 501, ProfileTooLong)):
        with pytest.raises(error):
            profile_drafts.send_back(session, cast.admin, doctor_id=cast.dr_roth.id, seen=seen, remark=remark)
    profile_drafts.send_back(
        session, cast.admin, doctor_id=cast.dr_roth.id, seen=seen, remark="Please name your training."
    )
    draft = profile(session, cast).draft
    assert draft is not None
    assert (draft.remark, draft.submitted_at, draft.bio) == (
        "Please name your training.",
        None,
        "Heart and patience.",
    )
    assert profile_drafts.waiting(session, cast.admin) == []
    write(session, cast)
    assert len(profile_drafts.waiting(session, cast.admin)) == 1


def test_a_photo_stays_until_it_is_replaced_or_taken_away(session: Session, cast: Cast) -> None:
    number = cast.dr_roth.id
    profile_drafts.publish(session, cast.admin, doctor_id=number, seen=write(session, cast, photo=picture()))
    profile_drafts.publish(session, cast.admin, doctor_id=number, seen=write(session, cast, bio="New words"))
    assert profile(session, cast).has_photo
    profile_drafts.publish(
        session, cast.admin, doctor_id=number, seen=write(session, cast, removes_photo=True)
    )
    assert not profile(session, cast).has_photo


def test_a_draft_keeps_its_photo_while_its_words_change(session: Session, cast: Cast) -> None:
    write(session, cast, photo=picture())
    write(session, cast, bio="Other words")
    assert profile(session, cast).has_new_photo
    assert profile_drafts.new_photo(session, cast.admin, doctor_id=cast.dr_roth.id)
    write(session, cast, removes_photo=True)
    assert not profile(session, cast).has_new_photo


def test_two_windows_do_not_write_over_each_other(session: Session, cast: Cast) -> None:
    first = profile(session, cast).seen
    write(session, cast)
    with pytest.raises(DraftChanged):
        write(session, cast, seen=first)
    with pytest.raises(DraftChanged):
        profile_drafts.discard(session, cast.roth, doctor_id=cast.dr_roth.id, seen=first)
    profile_drafts.discard(session, cast.roth, doctor_id=cast.dr_roth.id, seen=profile(session, cast).seen)
    assert (profile(session, cast).draft, cast.dr_roth.bio) == (None, "Known for patience.")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"bio": "x" * 2001}, ProfileTooLong),
        ({"bio": "Bell\x07"}, ProfileUnreadable),
        ({"languages": ["klingon"]}, NoSuchLanguage),
        (
            {"languages": ["de", "en", "fr", "it", "es", "pt", "nl", "pl", "cs", "da", "sv", "fi", "el"]},
            NoSuchLanguage,
        ),
        ({"photo": b"%PDF-1.7"}, WrongFileKind),
        ({"photo": picture()[:-400]}, PhotoDamaged),
    ],
)
def test_what_cannot_be_shown_is_refused(
    session: Session, cast: Cast, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        write(session, cast, **changes)
    assert profile(session, cast).draft is None


def test_a_photo_is_made_small_and_upright_and_forgets_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 0.0)}  # the place
    kept = photos.cleaned(picture(exif=exif))
    with Image.open(BytesIO(kept)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (256, 512))
        assert not opened.getexif()


def test_what_is_see_through_in_a_photo_becomes_white() -> None:
    written = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(written, "PNG")
    with Image.open(BytesIO(photos.cleaned(written.getvalue()))) as opened:
        assert opened.getpixel((10, 10)) == (255, 255, 255)


def test_a_photo_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(PhotoTooLarge):
        photos.cleaned(picture("PNG", size=(8000, 5001), mode="1"))


def test_only_the_doctor_and_administrators_write_and_only_administrators_publish(
    session: Session, cast: Cast
) -> None:
    seen = write(session, cast)
    for actor in (cast.weiss, cast.desk, cast.ada):
        with pytest.raises(AccessDenied):
            profile(session, cast, actor)
        with pytest.raises(AccessDenied):
            profile_drafts.save(session, actor, doctor_id=cast.dr_roth.id, bio="Me", languages=[], seen=seen)
    for actor in (cast.roth, cast.desk):
        with pytest.raises(AccessDenied):
            profile_drafts.publish(session, actor, doctor_id=cast.dr_roth.id, seen=seen)
    profile_drafts.save(session, cast.admin, doctor_id=cast.dr_roth.id, bio="Ours", languages=[], seen=seen)
