"""Sending email: the one mail server that SMTP_URL names."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

from core import clock
from db.config import config

SECONDS = 20
ICS_NAME = "visit.ics"
_TLS_PORT, _SUBMISSION_PORT = 465, 587
_REFUSED_FOR_GOOD = range(500, 600)  # RFC 5321, 4.2.1: the same message would be refused again


class MailFailed(Exception):
    """The mail server did not take a message; `is_final` when it never will. No screen shows it."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Mailer(Protocol):
    """Whatever sends an email, or raises `MailFailed`."""

    def send(self, *, to: str, subject: str, body: str, key: str, calendar: bytes | None = None) -> None: ...


class SmtpMailer:
    """Hands messages to a mail server, encrypted whenever it can be and always when there is a password."""

    def __init__(self, url: str, sender: str) -> None:
        self._parts = urlsplit(url)
        self._sender = sender

    def send(self, *, to: str, subject: str, body: str, key: str, calendar: bytes | None = None) -> None:
        """Send one message. Its Message-ID comes from `key`, so that a repeated one can be told.

        `calendar` is an .ics file that goes along.
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Date"] = formatdate(clock.now().timestamp())
        domain = self._sender.rpartition("@")[2]
        message["Message-ID"] = f"<{key}@{domain}>" if key else make_msgid(domain=domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message.set_content(body)
        if calendar is not None:
            message.add_attachment(calendar, maintype="text", subtype="calendar", filename=ICS_NAME)
        try:
            with self._connected() as server:
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
            raise MailFailed(_told(error), is_final=_is_final(error)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailFailed(type(error).__name__, is_final=False) from None

    def _connected(self) -> smtplib.SMTP:
        host, context = self._parts.hostname or "", ssl.create_default_context()
        if self._parts.scheme == "smtps":
            port = self._parts.port or _TLS_PORT
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, self._parts.port or _SUBMISSION_PORT, timeout=SECONDS)
            server.ehlo()
            if server.has_extn("starttls") or self._parts.password:
                server.starttls(context=context)
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        return server


def _told(error: smtplib.SMTPException) -> str:
    """The server's number for what went wrong: its words may repeat whose mail it was."""
    return f"{type(error).__name__} {_number(error) or ''}".strip()


def _number(error: smtplib.SMTPException) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _words in error.recipients.values()), None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _is_final(error: smtplib.SMTPException) -> bool:
    """Whether the message itself was refused for good; a wrong password for the server is mended some day."""
    is_about_us = isinstance(error, smtplib.SMTPAuthenticationError)
    return not is_about_us and _number(error) in _REFUSED_FOR_GOOD


def configured() -> Mailer | None:
    """The mail server of SMTP_URL, None when there is none."""
    settings = config()
    if settings.smtp_url is None:
        return None
    return SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from or "")
