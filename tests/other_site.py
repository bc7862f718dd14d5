"""A stand-in for Google or Facebook, in a process of its own: `python -m tests.other_site PORT google`.

Facebook's discovery document names no token endpoint (seen in 2026), so neither does this one's.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

from tests.test_launch import free_port

DISCOVERY = "/.well-known/openid-configuration"


@contextmanager
def running(site: str) -> Iterator[str]:
    """The stand-in at its address."""
    port = free_port()
    address = f"http://localhost:{port}"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.other_site", str(port), site],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(process, address + DISCOVERY)
            yield address
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own stand-in
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)


def main(port: int, site: str) -> None:
    import flask
    import oidc_provider_mock

    provider = oidc_provider_mock.app()

    @provider.after_request
    def speak_like_facebook(answer: flask.Response) -> flask.Response:
        if site == "facebook" and flask.request.path == DISCOVERY:
            known = answer.get_json()
            del known["token_endpoint"]
            answer.set_data(flask.json.dumps(known))
        return answer

    provider.run(host="localhost", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
