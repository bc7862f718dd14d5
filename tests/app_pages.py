"""Pages as AppTest runs them, without a browser: from the entry script on, as somebody or as nobody."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from core import sign_ins
from db.models import User
from db.session import unit_of_work

HOME = str(Path(__file__).parent.parent / "Home.py")
OpenAs = Callable[..., AppTest]  # `opened` with the database known


def sign_in(app: AppTest, database: Engine, username: str) -> None:
    """Let the next run be that of somebody who signed in this moment."""
    with unit_of_work(database) as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        app.session_state["sign_in_token"] = sign_ins.start(session, user_id=user.id)


def opened(database: Engine, username: str | None, page: str | None = None, **query: str) -> AppTest:
    """Open a page, or the one that comes first for whoever it is; an error on it fails the test.

    The page is asked for in the first run, by its file's name as the address. Where that has led nowhere,
    since its address is another, it is asked for again. ValueError: it is not in this person's menu.
    """
    app = AppTest.from_file(HOME, default_timeout=20)
    if username:
        sign_in(app, database, username)
    for name, value in query.items():
        app.query_params[name] = value
    asked = app.switch_page(page)._page_hash if page else None
    app.run()
    assert not app.exception
    if page and app.switch_page(page)._page_hash != asked:
        app.run()
    assert not app.exception
    return app
