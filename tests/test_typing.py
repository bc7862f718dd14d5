"""The script that saves what is typed, as it gets into the page: into our pages, and into nothing else."""

import re
from pathlib import Path

import pytest
from starlette.responses import FileResponse
from streamlit.file_util import get_static_dir

from pages.front.typing import VERSION
from tests import raw

SCRIPT = f"./typing.{VERSION}.js"
PAGES = ["/", "/visit", "/visit?visit=3", "/no_such_page"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_script_once_at_an_address_beside_its_own(address: str, path: str) -> None:
    page = raw.ask(address, path, accept_encoding="gzip")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'<script type="module" src="([^"]+typing[^"]+)"', page.text) == [SCRIPT]
    assert int(page.headers["content-length"]) == len(page.content)
    assert page.text.count("</head>") == page.text.count('<div id="root"') == 1
    assert "content-encoding" not in page.headers
    assert "default-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES)
def test_what_a_browser_keeps_of_the_page_is_good_until_the_script_or_the_page_changes(
    address: str, path: str
) -> None:
    page = raw.ask(address, path)
    for name in (page.headers["etag"], f"W/{page.headers['etag']}"):
        again = raw.ask(address, path, if_none_match=name)
        if path == "/":  # where Streamlit itself says so: of its other pages it always sends the whole
            assert (again.status, again.content) == (304, b"")
        assert again.headers["etag"] == page.headers["etag"]
    assert raw.ask(address, path, if_none_match='"another"').status == 200
    head = raw.ask(address, path, method="HEAD")
    assert (head.status, head.content) == (200, b"")
    assert [head.headers[name] for name in ("etag", "content-length")] == [
        page.headers[name] for name in ("etag", "content-length")
    ]


def test_the_page_as_it_was_without_the_script_is_not_taken_for_it(address: str) -> None:
    """A browser may have kept it from before the script was put in."""
    index = Path(get_static_dir()) / "index.html"
    shipped = FileResponse(index, stat_result=index.stat()).headers["etag"]
    assert raw.ask(address, "/", if_none_match=shipped).status == 200
    assert raw.ask(address, "/", if_none_match=f'"x", {shipped}').status == 200
    assert raw.ask(address, "/", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT").status == 200
    part = raw.ask(address, "/", range="bytes=0-9")
    assert (part.status, len(part.content)) == (200, int(part.headers["content-length"]))


def test_the_script_is_kept_for_good_under_its_own_name_only(address: str) -> None:
    script = raw.ask(address, SCRIPT.removeprefix("."))
    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert script.headers["cache-control"] == "public, immutable, max-age=31536000"
    assert script.headers["x-content-type-options"] == "nosniff"
    assert raw.ask(address, SCRIPT.removeprefix("."), method="HEAD").status == 200
    older = raw.ask(address, "/typing.0000.js")
    assert (older.status, older.headers["content-type"]) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/healthz", "/favicon.png", "/session/end", "/files/invoices/1.pdf", "/_stcore/health"]
)
def test_nothing_else_is_touched(address: str, path: str) -> None:
    assert "typing." not in raw.ask(address, path).text


def test_the_pages_own_files_are_still_asked_for_again_by_name_and_in_parts(address: str) -> None:
    page = raw.ask(address, "/").text
    [asset] = re.findall(r'src="\.(/static/js/index\.[^"]+)"', page)
    whole = raw.ask(address, asset)
    assert raw.ask(address, asset, if_none_match=whole.headers["etag"]).status == 304
    assert raw.ask(address, asset, range="bytes=0-9").status == 206
