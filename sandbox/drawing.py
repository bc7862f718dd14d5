"""What the sandbox's pages are drawn with: templates in one look, and the files that go with them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from sandbox import money

TEMPLATES = Path(__file__).parent / "templates"

_templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
_templates.filters["moment"] = lambda unix: f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"
_templates.globals["written"] = money.written


def page(template: str, status: int = 200, **shown: Any) -> Response:
    return HTMLResponse(_templates.get_template(template).render(**shown), status)


def asset(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a file beside the templates."""

    async def answer(_request: Request) -> Response:
        return FileResponse(TEMPLATES / name, media_type=media_type)

    return answer
