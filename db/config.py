"""What the environment says, read once and refused by variable name when it is wrong."""

import re
import sys
from functools import cache
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DEVELOPMENT_SECRET = "development-only-secret-not-for-production"  # noqa: S105 - refused in production

TEST_NUMBERS = "+1500555000"  # Twilio's magic numbers, from which nothing is sent

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


def _postgresql_url(url: str) -> str:
    """Name our driver in a PostgreSQL URL, whichever of the usual spellings it came in."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("it is not a database URL") from None
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("it must begin with postgresql://")
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _whole_address(url: str) -> str:
    """An address whose host and port can be told."""
    if urlsplit(url).hostname is None or urlsplit(url).port == 0:
        raise ValueError("it names no host")
    return url


def _smtp_url(url: SecretStr | None) -> SecretStr | None:
    """Refuse what names no mail server, without repeating the password in it."""
    try:
        parts = urlsplit(url.get_secret_value()) if url else None
        is_fine = parts is None or (parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0)
    except ValueError:
        is_fine = False
    if not is_fine:
        raise ValueError("it is not the address of a mail server")
    return url


def _stripe_key(key: SecretStr | None) -> SecretStr | None:
    """Refuse what is no secret or restricted key, such as a publishable one, without repeating it."""
    if key and not re.fullmatch(r"(sk|rk)_(test|live)_\w+", key.get_secret_value()):
        raise ValueError("it is not a secret key")
    return key


class Config(BaseSettings):
    """The settings of one process. Secrets print as stars."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    clinic_env: Literal["development", "production"] = "development"
    database_url: Annotated[str, AfterValidator(_postgresql_url)]
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$"), AfterValidator(_whole_address)] = (
        "http://localhost:8501"
    )
    port: Annotated[int, Field(ge=1, le=65535)] = 8501
    sandbox_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    secret_key: Annotated[SecretStr, Field(min_length=32)] = SecretStr(DEVELOPMENT_SECRET)
    smtp_url: Annotated[SecretStr | None, AfterValidator(_smtp_url)] = None
    mail_from: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] | None = None
    stripe_secret_key: Annotated[SecretStr | None, AfterValidator(_stripe_key)] = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_api_base: (
        Annotated[str, Field(pattern=r"^https?://[^/\s]+$"), AfterValidator(_whole_address)] | None
    ) = None

    twilio_account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-f]{32}$")] | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_from: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    twilio_messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-f]{32}$")] | None = None
    twilio_api_base: (
        Annotated[str, Field(pattern=r"^https?://[^/\s]+$"), AfterValidator(_whole_address)] | None
    ) = None

    @property
    def is_production(self) -> bool:
        return self.clinic_env == "production"

    @property
    def takes_cards_online(self) -> bool:
        """Whether people can pay online here, be it in the sandbox."""
        return self.stripe_secret_key is not None

    @property
    def is_sandbox(self) -> bool:
        """Whether payments go to the stand-in, which moves no money."""
        return self.stripe_secret_key is not None and self.stripe_api_base is not None

    @property
    def sends_texts(self) -> bool:
        """Whether texts go out from here, be it to the sandbox's phones."""
        return self.twilio_account_sid is not None

    @property
    def texts_are_simulated(self) -> bool:
        """Whether texts go to the stand-in, from which none leaves this machine."""
        return self.twilio_account_sid is not None and self.twilio_api_base is not None

    @property
    def is_plain_http(self) -> bool:
        """Whether people reach the portal over a network without encryption: everybody on it can listen."""
        return self.public_url.startswith("http://") and not self.is_on_this_machine

    @property
    def is_on_this_machine(self) -> bool:
        """Whether PUBLIC_URL names this machine only, which browsers trust as if it were encrypted."""
        return urlsplit(self.public_url).hostname in LOCAL_HOSTS

    @model_validator(mode="after")
    def _production_needs_a_secret(self) -> Self:
        if self.is_production and self.secret_key.get_secret_value() == DEVELOPMENT_SECRET:
            raise ValueError("SECRET_KEY must be set when CLINIC_ENV is production.")
        return self

    @model_validator(mode="after")
    def _production_takes_real_money(self) -> Self:
        if self.is_production and self.stripe_api_base:
            raise ValueError("STRIPE_API_BASE leads to a sandbox: CLINIC_ENV=production refuses it.")
        key = self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""
        if self.is_production and "_test_" in key:
            raise ValueError("STRIPE_SECRET_KEY is a test key: CLINIC_ENV=production refuses it.")
        return self

    @model_validator(mode="after")
    def _texts_need_a_whole_account(self) -> Self:
        senders = {
            "TWILIO_FROM": self.twilio_from,
            "TWILIO_MESSAGING_SERVICE_SID": self.twilio_messaging_service_sid,
        }
        parts = {"TWILIO_AUTH_TOKEN": self.twilio_auth_token} | senders
        if self.twilio_account_sid is None and (named := [name for name, part in parts.items() if part]):
            raise ValueError(f"TWILIO_ACCOUNT_SID must be set when {named[0]} is.")
        if self.twilio_account_sid and not self.twilio_auth_token:
            raise ValueError("TWILIO_AUTH_TOKEN must be set when TWILIO_ACCOUNT_SID is.")
        if self.twilio_account_sid and not any(senders.values()):
            raise ValueError(f"{' or '.join(senders)} must be set when TWILIO_ACCOUNT_SID is.")
        return self

    @model_validator(mode="after")
    def _production_sends_real_texts(self) -> Self:
        if self.is_production and self.twilio_api_base:
            raise ValueError("TWILIO_API_BASE leads to a sandbox: CLINIC_ENV=production refuses it.")
        if self.is_production and (self.twilio_from or "").startswith(TEST_NUMBERS):
            raise ValueError("TWILIO_FROM is a test number: CLINIC_ENV=production refuses it.")
        return self

    @model_validator(mode="after")
    def _mail_needs_a_sender(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("MAIL_FROM must be set when SMTP_URL is.")
        return self


@cache
def config() -> Config:
    """Read the environment, or leave with one sentence per wrong variable and a non-zero exit code."""
    try:
        return Config()
    except ValidationError as error:
        sys.exit(
            "\n".join(_sentence(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors())
        )


_WANTED = {
    "SECRET_KEY": "it needs at least 32 characters",
    "PUBLIC_URL": "it must look like https://portal.example.org, without a path",
    "PORT": "it must be a number from 1 to 65535",
    "SANDBOX_PORT": "it must be a number from 1 to 65535",
    "CLINIC_ENV": "it must be development or production",
    "SMTP_URL": "it must look like smtp://user:password@mail.example.org:587, or smtps:// for port 465",
    "MAIL_FROM": "it must be an email address",
    "STRIPE_SECRET_KEY": "it must begin with sk_live_ or rk_live_; to try things, with sk_test_ or rk_test_",
    "STRIPE_API_BASE": "it must look like http://localhost:8601, without a path",
    "TWILIO_ACCOUNT_SID": "it must be AC and 32 digits or letters a to f",
    "TWILIO_FROM": "it must be a number with its country, such as +14155550100",
    "TWILIO_MESSAGING_SERVICE_SID": "it must be MG and 32 digits or letters a to f",
    "TWILIO_API_BASE": "it must look like http://localhost:8601, without a path",
}


def _sentence(where: tuple[int | str, ...], kind: str, message: str) -> str:
    if not where:
        return message.removeprefix("Value error, ")
    name = str(where[0]).upper()
    message = _WANTED.get(name, message)
    if kind == "missing" and name == "DATABASE_URL":
        return "DATABASE_URL is not set. Use `make run` for a clinic with its own database, or name yours."
    return f"{name} is wrong: {message.removeprefix('Value error, ')}."
