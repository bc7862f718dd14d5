"""The clinic's logo at its own address: everybody may see it."""

from io import BytesIO

from PIL import Image
from sqlalchemy import Engine, select

from db.models import ClinicSettings
from db.session import unit_of_work
from tests import raw
from tests.portal import Residents


def picture(form: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (20, 10), "navy").save(written, form)
    return written.getvalue()


def test_everybody_sees_it_and_a_browser_that_has_it_is_sent_nothing(
    address: str, clinic: Engine, residents: Residents
) -> None:
    assert raw.ask(address, "/logo").status == 404
    for form, media in (("PNG", "image/png"), ("JPEG", "image/jpeg")):
        with unit_of_work(clinic) as session:
            session.scalars(select(ClinicSettings)).one().logo = picture(form)
        answer = raw.ask(address, "/logo?v=1")
        assert (answer.status, answer.content) == (200, picture(form))
        assert answer.headers["content-type"] == media
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
        again = raw.ask(address, "/logo?v=1", If_None_Match=answer.headers["etag"])
        assert (again.status, again.content) == (304, b"")
