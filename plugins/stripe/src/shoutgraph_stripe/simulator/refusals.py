"""How Stripe says no."""

from typing import Final

INVALID: Final = "invalid_request_error"


class RefusedError(Exception):
    """An answer with an error in it."""

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None, kind: str = INVALID
    ) -> None:
        super().__init__(message)
        self.status: Final = status
        self.body: Final = {"error": {"type": kind, "message": message, "code": code, "param": param}}


def missing(kind: str, ref: object, *, param: str = "id") -> RefusedError:
    """There is no such object."""
    return RefusedError(f"No such {kind}: '{ref}'", status=404, code="resource_missing", param=param)
