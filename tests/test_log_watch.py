"""The watch over the logs finds what it is for, and what the tests' people are called."""

import logging
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import appointments, invites, random_codes, registrations, sign_ins
from db.models import Role, User
from tests import log_watch, make
from tests.cast import NOW, assemble, on, time_is
from tests.portal import ROOT


@pytest.fixture(autouse=True)
def _found_on_purpose() -> Iterator[None]:
    """What these tests have the watch find does not count for the run."""
    before = len(log_watch.found)
    yield
    del log_watch.found[before:]


def test_names_notes_numbers_and_tokens_are_found_in_any_logger(session: Session) -> None:
    ada = make.user(session, name="Adaeze Nobody-Else", email="adaeze@example.org", phone="+4915123450000")
    zoe = make.patient(session, name="Zoë Somebody")
    make.record_item(session, zoe, "Migraine with aura")
    token = sign_ins.start(session, user_id=ada.id)
    for word in (ada.name, ada.email, ada.phone, "Zoë Somebody", "Migraine with aura", token):
        before = len(log_watch.found)
        logging.getLogger("any.library").warning("It is %s", word)
        assert len(log_watch.found) > before, word


def noticed(said: str) -> bool:
    """Whether the watch finds something in a record."""
    before = len(log_watch.found)
    logging.getLogger("any.library").warning("It is %s", said)
    return len(log_watch.found) > before


def test_what_plain_statements_write_is_found_too(session: Session) -> None:
    rows = [
        {
            "username": f"core{number}",
            "name": f"Corinna Core the {number}th",
            "name_folded": "",
            "role": Role.PATIENT,
        }
        for number in range(3)
    ]
    session.execute(
        insert(User).values(rows[0] | {"totp_pending": "pending secret"}).on_conflict_do_nothing()
    )
    session.execute(insert(User).values(rows[1:]))
    more = [{**row, "username": f"more{row['username']}", "name": row["name"] + " again"} for row in rows]
    session.execute(insert(User), more)
    session.execute(update(User).where(User.username == "core1").values(phone="+4915199990001"))
    for word in (*(row["name"] for row in rows + more), "pending secret", "+4915199990001"):
        assert noticed(word), word
    assert not noticed("core1"), "it was only asked for"


def test_a_reason_for_a_visit_is_found_though_it_goes_past_sqlalchemy(session: Session) -> None:
    with time_is(NOW):
        cast = assemble(session)
        visit = make.appointment(session, cast.dr_roth, cast.checkup, on(3, 10))
        appointments.cancel(session, cast.desk, appointment_id=visit.id, reason="It was a nightmare")
    assert noticed("It was a nightmare")


def test_a_waiting_form_and_an_invite_are_found(session: Session) -> None:
    with time_is(NOW):
        cast = assemble(session)
        make.clinic(session, is_demo=True)
        registrations.ask(
            session,
            name="Wanda Waiting",
            birth_on=date(1990, 2, 15),
            phone="+49 151 99990002",
            email="wanda@example.org",
            password="glass river tempo",
            has_sms_consent=False,
            browser="hers",
        )
        invites.invite(session, cast.admin, name="Ingo Invited", email="ingo@example.org", role=Role.STAFF)
    for word in ("Wanda Waiting", "+4915199990002", "wanda@example.org", "Ingo Invited", "ingo@example.org"):
        assert noticed(word), word


def test_a_code_is_found_by_itself_as_a_word_and_with_its_hyphens() -> None:
    number, letters = random_codes.digits(6), random_codes.letters(12)
    for said in (number, f"{number}.", f"code={number}", letters, random_codes.grouped(letters, 4)):
        assert noticed(said), said
    for said in (f"7{number}", f"{number}7", f"10:15:30.{number}", f"process [{number}]", letters[:-1]):
        assert not noticed(said), said


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
    code = log_watch._real_letters(12)
    log.write_text(f"Started process [{log_watch._real_digits(6)}]; {random_codes.grouped(code, 4)}\n")
    log_watch.look_at_file(log)
    assert len(log_watch.found) == before + 2


def test_the_whole_cast_is_known(session: Session) -> None:
    with time_is(NOW):
        cast = assemble(session)
    actors = (cast.ada, cast.ben, cast.stranger, cast.guardian, cast.roth, cast.weiss, cast.desk, cast.admin)
    assert {actor.name for actor in actors} <= log_watch.forbidden
    assert secrets.token_urlsafe(8) in log_watch.forbidden


def test_what_another_process_of_the_run_finds_fails_the_run(tmp_path: Path) -> None:
    """A run of its own, since one that has to fail cannot be this one."""
    story = tmp_path / "test_story.py"
    story.write_text("import logging\ndef test_it(): logging.getLogger('any').warning('It is Ada Okafor')\n")
    options = ["-n", "1", "-p", "tests.conftest", "-c", "pyproject.toml"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, story],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "1 passed" in run.stdout
    assert "'Ada Okafor' in a record of any" in run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
