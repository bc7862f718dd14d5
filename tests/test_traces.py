"""What the log says of errors: where and of which kind, and nothing of the people whom they are about."""

import io
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pages.front import traces
from tests import make

SECRETS = ("Zoë Übel", "+4915123456789", "zoe")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger of any library writes, with the portal's way of writing errors."""
    usual = logging.getLogRecordFactory()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("some.library")
    logger.addHandler(handler)
    traces.keep_values_out_of_logs()
    yield stream
    logging.setLogRecordFactory(usual)
    logger.removeHandler(handler)


def _refuse_a_row(session: Session) -> None:
    make.user(session, username="zoe", name="Zoë Übel", phone="+4915123456789")
    make.user(session, username="zoe", name="Zoë Übel", phone="+4915123456789")


def test_an_error_of_the_database_is_logged_without_the_row(session: Session, written: io.StringIO) -> None:
    with pytest.raises(IntegrityError, match="zoe") as caught:  # the message itself tells
        _refuse_a_row(session)
    logging.getLogger("some.library").error("It did not work", exc_info=caught.value)
    said = written.getvalue()
    assert "It did not work" in said
    assert "sqlalchemy.exc.IntegrityError" in said
    assert "because of psycopg.errors.UniqueViolation" in said
    assert "test_traces.py" in said
    assert "in _refuse_a_row" in said
    assert not [secret for secret in SECRETS if secret in said]


def test_parameters_are_left_out_of_the_messages_too(migrated: Engine) -> None:
    with migrated.connect() as connection, pytest.raises(Exception, match="no_such_table") as caught:
        connection.execute(text("SELECT * FROM no_such_table WHERE name = :name"), {"name": "Zoë Übel"})
    assert "Zoë" not in str(caught.value)


def test_an_error_that_is_its_own_cause_is_written_once() -> None:
    error = ValueError("secret")
    error.__cause__ = error
    assert traces.without_values(error) == "builtins.ValueError"


def test_the_person_gets_a_number_that_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    reference = traces.log_error(ValueError("secret"))
    assert f"Reference {reference}" in caplog.text
