"""A mail server small enough to read: it speaks SMTP (RFC 5321) and keeps what it is given."""

import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser


@dataclass
class Mailbox:
    """What arrived, and how the server answers: the lines of `refusals` first, one for each message."""

    port: int = 0
    arrived: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        mailbox: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        self._say("220 mail.test")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go ahead")
                content = (
                    b"".join(iter(self.rfile.readline, b".\r\n"))
                    .replace(b"\r\n", b"\n")
                    .replace(b"\n..", b"\n.")
                )
                if mailbox.refusals:
                    self._say(mailbox.refusals.pop(0))
                    continue
                message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content)
                mailbox.arrived.append(message)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def listening() -> Iterator[Mailbox]:
    """A mail server on a free port of this machine."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        mailbox = Mailbox(port=server.server_address[1])
        server.mailbox = mailbox  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield mailbox
        server.shutdown()
