"""The environment: each wrong variable is named in one sentence, and production wants a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.config import Config, config

ROOT = Path(__file__).parent.parent
SECRET = "a-secret-of-at-least-thirty-two-characters"


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """What the portal says on its way out when started with `environment`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as leaving:
        config()
    assert leaving.value.code not in {None, 0}
    return str(leaving.value.code)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLINIC_ENV", "staging"),
        ("DATABASE_URL", "mysql://localhost/clinic"),
        ("DATABASE_URL", "not a url"),
        ("PUBLIC_URL", "clinic.example"),
        ("PUBLIC_URL", "https://clinic.example/portal"),
        ("PUBLIC_URL", "https://clinic.example:https"),
        ("PUBLIC_URL", "https://[clinic.example"),
        ("PUBLIC_URL", "https://:443"),
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("SANDBOX_PORT", "0"),
        ("STRIPE_SECRET_KEY", "pk_live_something"),
        ("STRIPE_API_BASE", "localhost:8601"),
        ("STRIPE_API_BASE", "http://localhost:8601/v1"),
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_FROM", "0664 1234567"),
        ("TWILIO_MESSAGING_SERVICE_SID", "AC" + 32 * "0"),
        ("TWILIO_API_BASE", "http://localhost:8601/2010-04-01"),
        ("SECRET_KEY", "short"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "https://mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:many"),
        ("MAIL_FROM", "the clinic"),
    ],
)
def test_a_wrong_variable_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert said.startswith(f"{name} is wrong: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("address", "is_plain"),
    [
        ("https://portal.example.org", False),
        ("http://localhost:8501", False),
        ("http://127.0.0.1", False),
        ("http://clinic.lan", True),
        ("http://192.168.1.10:8501", True),
        ("http://localhost.example", True),
    ],
)
def test_only_this_machine_is_safe_without_https(
    monkeypatch: pytest.MonkeyPatch, address: str, is_plain: bool
) -> None:
    monkeypatch.setenv("PUBLIC_URL", address)
    assert config().is_plain_http is is_plain


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, SECRET_KEY="hunter2")


def test_a_wrong_database_url_does_not_repeat_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, DATABASE_URL="mysql://someone:hunter2@localhost/clinic")


def test_two_wrong_variables_are_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, PORT="eighty", PUBLIC_URL="clinic.example")
    assert sorted(line.split()[0] for line in said.splitlines()) == ["PORT", "PUBLIC_URL"]


def test_no_database_url_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert "make run" in refusal(monkeypatch)


def test_mail_without_a_sender_is_refused_and_its_password_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = refusal(monkeypatch, SMTP_URL="smtp://clinic:hunter2@mail.example.org:587")
    assert said == "MAIL_FROM must be set when SMTP_URL is."
    assert "hunter2" not in refusal(monkeypatch, SMTP_URL="http://clinic:hunter2@mail.example.org")


def test_production_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, CLINIC_ENV="production").startswith("SECRET_KEY must be set")


def test_production_with_a_secret_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", SECRET)
    assert config().is_production
    assert SECRET not in repr(config())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "sk_test_hunter2"),
        ("STRIPE_SECRET_KEY", "rk_test_hunter2"),
        ("STRIPE_API_BASE", "http://localhost:8601"),
    ],
)
def test_production_moves_real_money_or_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)
    said = refusal(monkeypatch, CLINIC_ENV="production", **{name: value})
    assert said.startswith(f"{name} ")
    assert said.endswith("CLINIC_ENV=production refuses it.")
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


def test_production_takes_a_live_key_and_shows_it_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_hunter2")
    assert config().takes_cards_online
    assert not config().is_sandbox
    assert "hunter2" not in repr(config())


def test_a_wrong_key_of_the_card_processor_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, STRIPE_SECRET_KEY="hunter2")


ACCOUNT, SERVICE = "AC" + 32 * "0", "MG" + 32 * "0"


def carrier(**other: str | None) -> dict[str, str]:
    """A whole account of the carrier's, but for what `other` says."""
    names = {"ACCOUNT_SID": ACCOUNT, "AUTH_TOKEN": "hunter2", "FROM": "+14155550100", **other}
    return {f"TWILIO_{name}": value for name, value in names.items() if value is not None}


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        (carrier(AUTH_TOKEN=None), "TWILIO_AUTH_TOKEN"),
        (carrier(FROM=None), "TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID"),
        (carrier(ACCOUNT_SID=None), "TWILIO_ACCOUNT_SID"),
        (carrier(ACCOUNT_SID=None, AUTH_TOKEN=None), "TWILIO_ACCOUNT_SID"),
    ],
)
def test_half_an_account_for_texts_is_refused_by_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], missing: str
) -> None:
    said = refusal(monkeypatch, **environment)
    assert said.startswith(f"{missing} must be set when TWILIO_")
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


@pytest.mark.parametrize("environment", [carrier(), carrier(FROM=None, MESSAGING_SERVICE_SID=SERVICE)])
def test_a_whole_account_for_texts_sends_them_and_shows_nobody_its_token(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in (environment | {"CLINIC_ENV": "production", "SECRET_KEY": SECRET}).items():
        monkeypatch.setenv(name, value)
    assert config().sends_texts
    assert not config().texts_are_simulated
    assert "hunter2" not in repr(config())


def test_texts_to_a_stand_in_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not config().sends_texts
    config.cache_clear()
    for name, value in carrier(API_BASE="http://127.0.0.1:8601").items():
        monkeypatch.setenv(name, value)
    assert config().texts_are_simulated


@pytest.mark.parametrize(("name", "value"), [("API_BASE", "http://localhost:8601"), ("FROM", "+15005550006")])
def test_production_sends_real_texts_or_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment = carrier(**{name: value}) | {"SECRET_KEY": SECRET, "CLINIC_ENV": "production"}
    said = refusal(monkeypatch, **environment)
    assert said.startswith(f"TWILIO_{name} ")
    assert said.endswith("CLINIC_ENV=production refuses it.")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_the_database_url_names_our_driver(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://someone:word@db.example/clinic")
    assert config().database_url == "postgresql+psycopg://someone:word@db.example/clinic"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert config().port == Config.model_fields["port"].default


@pytest.mark.parametrize("module", ["db.migrate", "jobs"])
def test_a_process_with_a_wrong_variable_fails_without_a_traceback(module: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "PORT": "eighty"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode != 0
    assert outcome.stderr.startswith("PORT is wrong: ")
    assert "Traceback" not in outcome.stderr
