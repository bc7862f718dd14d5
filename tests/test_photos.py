"""Photos of doctors at their addresses: published ones for whoever is signed in, drafts for few."""

import pytest
from sqlalchemy import Engine

from db.models import Doctor, ProfileDraft
from db.session import unit_of_work
from tests import raw
from tests.portal import NOON, Residents, signed_in
from tests.test_logo import picture


@pytest.fixture(scope="module", autouse=True)
def _photos(clinic: Engine, residents: Residents) -> None:
    with unit_of_work(clinic) as session:
        session.get_one(Doctor, residents.roth_id).photo = picture("PNG")
        draft = ProfileDraft(doctor_id=residents.roth_id, bio="", languages=[], changed_at=NOON)
        draft.photo = picture("JPEG")
        session.add(draft)


def test_whoever_is_signed_in_sees_a_published_photo(
    address: str, clinic: Engine, residents: Residents
) -> None:
    path = f"/photos/{residents.roth_id}"
    assert raw.ask(address, path).status == 401
    for username in ("ada", "weiss", "rita"):
        answer = raw.ask(address, path, cookies=signed_in(clinic, username))
        assert (answer.status, answer.content) == (200, picture("PNG"))
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "private, no-cache"
    cookies = signed_in(clinic, "ada")
    again = raw.ask(address, path, cookies=cookies, If_None_Match=answer.headers["etag"])
    assert (again.status, again.content) == (304, b"")
    for none in (f"/photos/{residents.weiss_id}", "/photos/0", "/photos/roth"):
        assert raw.ask(address, none, cookies=cookies).status == 404


def test_a_drafts_photo_is_for_its_doctor_and_administrators(
    address: str, clinic: Engine, residents: Residents
) -> None:
    path = f"/photos/drafts/{residents.roth_id}"
    for username, status in (("roth", 200), ("albert", 200), ("weiss", 404), ("rita", 404), ("ada", 404)):
        assert raw.ask(address, path, cookies=signed_in(clinic, username)).status == status
    assert raw.ask(address, path).status == 401
