"""What the guard covers beyond whole pages: fragments, dialogs, shared caches, locked fields and sent files.

Shown on a page of the tests' own, behind the guard: see `tests/workbench`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from core import clock, sign_ins
from db.models import Appointment, AppointmentStatus, Doctor, Patient, Service
from db.session import unit_of_work
from tests import browsers, make, portal, raw
from tests.browsers import CHROMIUM
from tests.portal import SID, Cookies, Residents

PDF, HTML = b"%PDF-1.7\n...", b"<html><script>alert(1)</script>"
Notes = Callable[[], list[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workbench")


@pytest.fixture(scope="module")
def address(clinic: Engine, residents: Residents, folder: Path) -> Iterator[str]:
    server, notes = "tests/workbench/server.py", str(folder / "notes")
    with portal.running(clinic, folder / "log", server, WORKBENCH_NOTES=notes) as url:
        yield url
    portal.require_quiet(folder / "log", ["letter.pdf"])


@pytest.fixture
def notes(folder: Path) -> Notes:
    """What ran on the page since the test began."""
    path = folder / "notes"
    path.write_text("")
    return lambda: path.read_text().splitlines()


@pytest.fixture
def ada(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ada")


@pytest.fixture
def ben(clinic: Engine, residents: Residents) -> Cookies:
    return portal.signed_in(clinic, "ben")


def end(clinic: Engine, cookies: Cookies) -> None:
    with unit_of_work(clinic) as session:
        sign_ins.end(session, cookies[SID])


def fragment(drawn: Iterable[ForwardMsg]) -> str:
    """The number of the page's fragment."""
    return next(message.delta.fragment_id for message in drawn if message.delta.fragment_id)


@pytest.mark.parametrize("act", ["page button", "fragment button", "dialog button", "fragment ran"])
def test_nothing_runs_in_an_open_tab_once_the_session_has_ended(
    address: str, clinic: Engine, ada: Cookies, notes: Notes, act: str
) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            drawn = await tab.rerun()
            drawn += await tab.rerun([raw.pressed(raw.widget(drawn, "Open the dialog"))])
            presses: dict[str, tuple[list[WidgetState], str]] = {
                "page button": ([raw.pressed(raw.widget(drawn, "On the page"))], ""),
                "fragment button": ([raw.pressed(raw.widget(drawn, "In the fragment"))], fragment(drawn)),
                "dialog button": ([raw.pressed(raw.widget(drawn, "In the dialog"))], ""),
                "fragment ran": ([], fragment(drawn)),
            }
            widgets, part = presses[act]
            before = notes().count(act)
            await tab.rerun(widgets, fragment=part)
            assert notes().count(act) > before, "it runs while the session lives"
            ran = notes()
            end(clinic, ada)
            message = BackMsg()
            message.rerun_script.widget_states.widgets.extend(widgets)
            message.rerun_script.fragment_id = part
            message.rerun_script.is_auto_rerun = act == "fragment ran"
            await tab.send(message)
            await tab.until("auth_redirect")
            assert await tab.closed_with() == 4401
            assert notes() == ran

    raw.play(story())


def test_nobody_can_empty_the_caches_that_all_share(address: str, ada: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            before = [line for line in raw.texts(await tab.rerun()).splitlines() if "cached" in line]
            await tab.send(BackMsg(clear_cache=True))
            assert await tab.is_quiet()
            after = [line for line in raw.texts(await tab.rerun()).splitlines() if "cached" in line]
            assert before
            assert after == before

    raw.play(story())


def test_a_forged_value_of_a_locked_field_is_refused_by_the_service(
    address: str, clinic: Engine, residents: Residents, ada: Cookies, ben: Cookies
) -> None:
    """The value reaches the callback, as Ada's shows: only the service stands between Ben and her visit."""
    with unit_of_work(clinic) as session:
        her_visit = make.appointment(
            session,
            session.get_one(Doctor, residents.roth_id),
            session.get_one(Service, residents.checkup_id),
            clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3),
            patient=session.get_one(Patient, residents.ada_id),
        ).id

    async def cancelling(cookies: Cookies) -> str:
        async with raw.tab(address, cookies) as tab:
            drawn = await tab.rerun()
            forged = [
                raw.typed(raw.widget(drawn, "Visit"), str(her_visit)),
                raw.typed(raw.widget(drawn, "Reason"), "none of the options"),
                raw.pressed(raw.widget(drawn, "Cancel the visit")),
            ]
            return raw.texts(await tab.rerun(forged))

    assert "Cancelled" not in raw.play(cancelling(ben))
    assert state_of(clinic, her_visit) is AppointmentStatus.CONFIRMED
    assert "Cancelled" in raw.play(cancelling(ada))
    assert state_of(clinic, her_visit) is AppointmentStatus.CANCELLED


def state_of(clinic: Engine, visit_id: int) -> AppointmentStatus:
    with unit_of_work(clinic) as session:
        return session.get_one(Appointment, visit_id).status


def send_file(
    address: str,
    cookies: Cookies,
    tab: str,
    file: str = "f",
    content: bytes = PDF,
    name: bytes = b"../../letter.pdf",
) -> raw.Answer:
    """Send a file to a tab, as the page's field would."""
    return _about_file(address, cookies, tab, file, "PUT", content, name)


def take_back(address: str, cookies: Cookies, tab: str, file: str = "f") -> int:
    return _about_file(address, cookies, tab, file, "DELETE").status


def _about_file(
    address: str,
    cookies: Cookies,
    tab: str,
    file: str,
    method: str,
    content: bytes = b"",
    name: bytes = b"",
) -> raw.Answer:
    xsrf = generate_xsrf_token_string()
    body = b"\r\n".join(
        (
            b"--edge",
            b'Content-Disposition: form-data; name="file"; filename="%s"' % name,
            b"Content-Type: application/pdf",
            b"",
            content,
            b"--edge--",
            b"",
        )
    )
    return raw.ask(
        address,
        f"/_stcore/upload_file/{tab}/{file}",
        cookies | {"_streamlit_xsrf": xsrf},
        method=method,
        body=body if method == "PUT" else None,
        X_Xsrftoken=xsrf,
        Content_Type="multipart/form-data; boundary=edge",
    )


def chosen(field: str, file: str) -> WidgetState:
    """The field with a file in it that was sent before."""
    info = UploadedFileInfo(file_id=file, name="letter.pdf", size=9)
    return WidgetState(id=field, file_uploader_state_value=FileUploaderState(uploaded_file_info=[info]))


async def ask_for_file(tab: raw.Tab) -> tuple[WidgetState, str]:
    """Have the page ask for a file: the ticked box that makes it, and the number of the field."""
    drawn = await tab.rerun()
    ticked = WidgetState(id=raw.widget(drawn, "Send a file"), bool_value=True)
    return ticked, raw.widget(await tab.rerun([ticked]), "A file")


def test_a_file_is_taken_where_a_page_asks_and_from_the_tabs_owner_only(
    address: str, ada: Cookies, ben: Cookies
) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            await tab.rerun()
            unasked = send_file(address, ada, tab.session_id)
            assert unasked.status == 403
            assert unasked.text == "No file was asked for here. Please open the page again."
            ticked, field = await ask_for_file(tab)
            for other in (ben, {}, {SID: "made up"}):
                assert send_file(address, other, tab.session_id).status == 403
            assert send_file(address, ada, "another-tab").status == 403
            assert send_file(address, ada, tab.session_id).status == 204
            assert "Given application/pdf" in raw.texts(await tab.rerun([ticked, chosen(field, "f")]))
            assert take_back(address, ben, tab.session_id) == 403
            assert take_back(address, ada, tab.session_id) == 204
            assert "Given" not in raw.texts(await tab.rerun([ticked, chosen(field, "f")]))

    raw.play(story())


def test_a_file_is_what_is_in_it_and_not_what_it_is_called(address: str, ada: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            ticked, field = await ask_for_file(tab)
            for name, content in (("html", HTML), ("jpeg", b"\xff\xd8\xff\xe0"), ("none", b"")):
                assert send_file(address, ada, tab.session_id, name, content).status == 204
                said = raw.texts(await tab.rerun([ticked, chosen(field, name)]))
                assert "This file cannot be used. Please choose one of these: PDF, PNG." in said
                assert "Given" not in said

    raw.play(story())


@pytest.mark.parametrize("name", [b"letter.exe", b"letter.pdf.exe", b"letter", b".pdf.", b"le\0tter.pdf"])
def test_a_file_under_a_name_that_no_browser_lets_through_gets_one_sentence(
    address: str, ada: Cookies, name: bytes
) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            ticked, field = await ask_for_file(tab)
            assert send_file(address, ada, tab.session_id, "f", PDF, name).status == 204
            said = raw.texts(await tab.rerun([ticked, chosen(field, "f")]))
            assert (
                said == "A file of that name cannot be used. Please open the page again and choose another."
            )

    raw.play(story())


def test_files_are_limited_in_size_and_number(address: str, ada: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            await ask_for_file(tab)
            assert send_file(address, ada, tab.session_id, "big", PDF * 1_000_000).status == 413
            statuses = [send_file(address, ada, tab.session_id, f"f{n}").status for n in range(6)]
            assert statuses == [204] * 4 + [403] * 2, "the one that was too big counts until it is taken back"
            assert take_back(address, ada, tab.session_id, "big") == 204
            assert send_file(address, ada, tab.session_id, "f5").status == 204
            assert send_file(address, ada, tab.session_id, "f5").status == 204, "again is not one more"

    raw.play(story())


def test_a_session_that_has_ended_sends_no_files(address: str, clinic: Engine, ada: Cookies) -> None:
    async def story() -> None:
        async with raw.tab(address, ada) as tab:
            await ask_for_file(tab)
            end(clinic, ada)
            assert send_file(address, ada, tab.session_id).status == 403

    raw.play(story())


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine.")
def test_a_browser_sends_a_file_where_it_is_asked_for(
    chromium: Browser, address: str, ada: Cookies, tmp_path: Path
) -> None:
    letter, page_of_script = tmp_path / "letter.pdf", tmp_path / "script.pdf"
    letter.write_bytes(PDF)
    page_of_script.write_bytes(HTML)
    context = chromium.new_context()
    browsers.keep(context, address, ada)
    page = context.new_page()
    page.goto(address)
    page.get_by_text("Send a file").click()
    page.locator("input[type=file]").set_input_files(letter)
    expect(page.get_by_text(f"Given application/pdf, {len(PDF)} bytes")).to_be_visible(timeout=20_000)
    page.locator("input[type=file]").set_input_files(page_of_script)
    expect(page.get_by_text("This file cannot be used.")).to_be_visible(timeout=20_000)
    context.close()
