"""The watch over the logs finds what it is for, and what the tests' people are called."""

import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core import sign_ins
from tests import log_watch, make
from tests.cast import NOW, assemble, time_is


@pytest.fixture(autouse=True)
def _found_on_purpose() -> Iterator[None]:
    """What these tests have the watch find does not count for the run."""
    before = len(log_watch.found)
    yield
    del log_watch.found[before:]


def test_names_notes_numbers_and_tokens_are_found_in_any_logger(session: Session) -> None:
    ada = make.user(session, name="Adaeze Nobody-Else", email="adaeze@example.org", phone="+4915123450000")
    make.patient(session, name="Zoë Somebody", medical_history="Migraine with aura")
    token = sign_ins.start(session, user_id=ada.id)
    for word in (ada.name, ada.email, ada.phone, "Zoë Somebody", "Migraine with aura", token):
        before = len(log_watch.found)
        logging.getLogger("any.library").warning("It is %s", word)
        assert len(log_watch.found) > before, word


def test_an_error_is_looked_into(session: Session) -> None:
    before = len(log_watch.found)
    try:
        raise ValueError(log_watch.PASSWORD)
    except ValueError:
        logging.getLogger("any.library").exception("It broke")
    assert len(log_watch.found) == before + 1


def test_a_token_of_another_process_is_found_in_its_log(tmp_path: Path) -> None:
    before = len(log_watch.found)
    log = tmp_path / "log"
    log.write_text(f"GET /healthz {log_watch._real_token(32)}\n")
    log_watch.look_at_file(log)
    assert len(log_watch.found) == before + 1
    log.write_text("GET /healthz 200 in 3 ms, a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6\n")
    log_watch.look_at_file(log)
    assert len(log_watch.found) == before + 1


def test_the_whole_cast_is_known(session: Session) -> None:
    with time_is(NOW):
        cast = assemble(session)
    actors = (cast.ada, cast.ben, cast.stranger, cast.guardian, cast.roth, cast.weiss, cast.desk, cast.admin)
    assert {actor.name for actor in actors} <= log_watch.forbidden
    assert secrets.token_urlsafe(8) in log_watch.forbidden
