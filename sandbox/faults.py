"""Trouble on request: answers that never arrive, errors, delays. And which requests there were, to count."""

from collections import deque
from dataclasses import dataclass
from typing import Any

KINDS = {"drop", "500", "429", "delay"}
BEFORE, AFTER = "before", "after"
CALLS_KEPT = 10_000


@dataclass
class Fault:
    """Trouble for the next `times` requests to `path` and below, before or after their work."""

    path: str
    kind: str
    method: str = "POST"
    when: str = BEFORE
    times: int = 1
    seconds: float = 0.0


class Troubles:
    """The faults still to come, in order, and the calls so far."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.calls: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)

    def expect(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which it uses up."""
        for fault in self._waiting:
            if fault.method == method and path.startswith(fault.path):
                fault.times -= 1
                if fault.times < 1:
                    self._waiting.remove(fault)
                return fault
        return None

    def note(self, method: str, path: str, idempotency_key: str | None) -> None:
        self.calls.append({"method": method, "path": path, "idempotency_key": idempotency_key})

    def forget(self) -> None:
        self._waiting.clear()
        self.calls.clear()
