"""One call of Stripe's API, read and checked, as its functions get it."""

from dataclasses import dataclass
from typing import Any

from sandbox.store import Body, Store
from sandbox.stripe_errors import not_found
from sandbox.stripe_objects import shown
from sandbox.stripe_params import Form


@dataclass(frozen=True)
class Call:
    """`key` is the object in the address, `base` the address the sandbox was called at."""

    store: Store
    form: Form
    key: str
    base: str
    request: Body

    def found(self, kind: str, param: str) -> Body:
        """The object in the address."""
        return found(self.store, kind, self.key, param)

    def shown(self, body: Body) -> Body:
        return shown(self.store, body, self.form.get("expand", []))

    def wants(self, name: str) -> Any:
        return self.form.get(name)


def found(store: Store, kind: str, key: str, param: str) -> Body:
    body = store.find(kind, key)
    if body is None:
        raise not_found(kind, key, param)
    return body
