"""A server of this test's own at the network edge: it answers as it is told and keeps what it was sent."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Heard:
    """Where it is, what it answers, and each POST so far: path, body and headers."""

    url: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    posts: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)


@contextmanager
def listening(certificate_in: Path | None = None) -> Iterator[Heard]:
    """A server on a free port, behind TLS when there is a directory to leave its certificate in."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.posts.append((self.path, body, {k.lower(): v for k, v in self.headers.items()}))
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            self.send_response(heard.status)
            for name, value in ({"content-length": str(len(heard.body))} | heard.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(heard.body)

        def log_message(self, *_said: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        heard = Heard(f"http{'s' if certificate_in else ''}://127.0.0.1:{server.server_address[1]}")
        if certificate_in:
            server.socket = _behind_tls(server.socket, certificate_in)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield heard
        server.shutdown()


def _behind_tls(listener: socket.socket, directory: Path) -> socket.socket:
    """The same socket, with a certificate that this machine has signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    return context.wrap_socket(listener, server_side=True)
