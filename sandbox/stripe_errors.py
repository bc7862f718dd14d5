"""Refusals as Stripe words them: an HTTP status and an error object that the SDK turns into an exception."""

from typing import Any


class Refused(Exception):
    """A request Stripe would turn down. One found invalid before any work is not kept under its key."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
        is_kept: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.is_kept = status, code, is_kept
        self.error = error_body(message, kind=kind, code=code, param=param)


def error_body(
    message: str, *, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """The body of a refusal; what is not known is left out, as Stripe does."""
    error = {"code": code, "message": message, "param": param, "type": kind}
    if code:
        error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    return {"error": {name: value for name, value in error.items() if value is not None}}


def missing(param: str) -> Refused:
    return Refused(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> Refused:
    return Refused(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def not_found(kind: str, key: str, param: str) -> Refused:
    name = kind.replace(".", " ") if kind == "checkout.session" else kind
    return Refused(f"No such {name}: '{key}'", code="resource_missing", param=param, status=404)


def not_imitated(param: str) -> Refused:
    """For what Stripe knows and this stand-in does not: better refused than answered wrongly."""
    return Refused(f"The sandbox does not imitate `{param}`.", param=param)
