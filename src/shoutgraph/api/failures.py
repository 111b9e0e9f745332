"""Failures in `errors[]`: for what no screen can handle. What a screen can handle is data, see `graphql.errors`.

Each entry has `extensions.code` from the closed list below and `extensions.requestId`. The message of
anything unplanned is masked and the cause is logged under the request id.
"""

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from shoutgraph.domain import errors
from shoutgraph.telemetry import metrics

logger = logging.getLogger("shoutgraph.api")

MASKED: Final = "Something went wrong on our side. Please quote the request id."
AWAY: Final = "The database is away for now. Ask again: a mutation under the same key, since it may have been done."


class Code(StrEnum):
    """Every value that `extensions.code` can take."""

    BAD_REQUEST = "BAD_REQUEST"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    DOCUMENT_LIMIT = "DOCUMENT_LIMIT"
    OPERATION_LIMIT = "OPERATION_LIMIT"
    PERSISTED_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    PERSISTED_NOT_FOUND = "PERSISTED_DOCUMENT_NOT_FOUND"
    TRUSTED_ONLY = "TRUSTED_DOCUMENT_REQUIRED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    FEATURE_UNAVAILABLE = "FEATURE_UNAVAILABLE"
    RATE_LIMITED = "RATE_LIMITED"
    COST_EXCEEDED = "COST_EXCEEDED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    OVERLOADED = "OVERLOADED"
    UNAVAILABLE = "UNAVAILABLE"
    CURSOR_EXPIRED = "EVENT_CURSOR_EXPIRED"
    RESYNC = "RESYNC"
    RESTORING = "RESTORING"
    IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    INTERNAL = "INTERNAL"


RETRY_AFTER_MIN_S: Final = 1
"""Where nobody knows how long it takes."""


class FailureError(GraphQLError):
    """A failure with a public message and a code; raised anywhere in the API."""

    def __init__(self, code: Code, message: str, **details: object) -> None:
        super().__init__(message, extensions={"code": code, **details})
        self.code: Final = code


OF_REFUSAL: Final[dict[type[errors.ShoutgraphError], Code]] = {
    errors.UnauthenticatedError: Code.UNAUTHENTICATED,
    errors.ForbiddenError: Code.FORBIDDEN,
    errors.NotFoundError: Code.NOT_FOUND,
    errors.FeatureUnavailableError: Code.FEATURE_UNAVAILABLE,
    errors.ValidationError: Code.BAD_USER_INPUT,
    errors.CampaignUnavailableError: Code.BAD_USER_INPUT,
    errors.OverloadedError: Code.OVERLOADED,
    errors.ResyncError: Code.RESYNC,
}
"""The refusals that a query, or a mutation that does not list them as data, answers in `errors[]`."""


def of_refusal(refusal: errors.ShoutgraphError) -> FailureError | None:
    """The failure that says this refusal, or None where it can only be data of a mutation."""
    code = OF_REFUSAL.get(type(refusal))
    if code is None:
        return None
    details: dict[str, object] = {}
    if refusal.code != code:
        details["reason"] = refusal.code
    if isinstance(refusal, errors.OverloadedError):
        details["retryAfter"] = refusal.retry_after_s
    if isinstance(refusal, errors.FeatureUnavailableError):
        details |= {"feature": refusal.feature, "featureReason": refusal.reason}
    if isinstance(refusal, errors.ResyncError):
        details["restoredTo"] = refusal.restored_to
    if refusal.path is not None:
        details["argument"] = list(refusal.path)
    return FailureError(code, refusal.message, **details)


def of_absence(absence: errors.StoreUnavailableError) -> FailureError:
    """The failure that says that the store is away; why is for the log."""
    return FailureError(Code.UNAVAILABLE, AWAY, retryAfter=max(absence.retry_after_s, RETRY_AFTER_MIN_S))


def present(
    found: Sequence[GraphQLError], *, request_id: str, otherwise: Code | None = None
) -> list[dict[str, object]]:
    """Writes errors for the client: coded, masked where unplanned, and logged.

    Args:
        otherwise: the code of errors that graphql-core made itself before anything ran: the client's mistakes.
    """
    return [_present(error, request_id, otherwise) for error in found]


def _present(error: GraphQLError, request_id: str, otherwise: Code | None) -> dict[str, object]:
    message, extensions = _public(error, otherwise)
    metrics.ERRORS.labels(extensions["code"]).inc()
    at = "the door" if error.path is None else ".".join(map(str, error.path))
    if extensions["code"] is Code.INTERNAL:
        logger.error("request %s failed at %s", request_id, at, exc_info=error.original_error or error)
    elif extensions["code"] is Code.UNAVAILABLE:
        logger.warning("request %s at %s: %s", request_id, at, error.__cause__ or error.original_error)
    else:
        logger.info("request %s: %s", request_id, extensions["code"])
    shown: dict[str, object] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    shown["extensions"] = extensions | {"requestId": request_id}
    return shown


def _public(error: GraphQLError, otherwise: Code | None) -> tuple[str, dict[str, object]]:
    innermost = error
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        if isinstance(cause, FailureError):
            return error.message, dict(cause.extensions or {})
        innermost, cause = cause, cause.original_error
    failure: FailureError | None = None
    if isinstance(cause, errors.ShoutgraphError):
        failure = of_refusal(cause)
    elif isinstance(cause, errors.StoreUnavailableError):
        failure = of_absence(cause)
    elif cause is None and (otherwise or innermost.nodes or isinstance(innermost, StrawberryInputCoercionError)):
        # while it runs, graphql-core points at a wrong argument; what it says without one is about our own values
        failure = FailureError(otherwise or Code.BAD_USER_INPUT, error.message)
    if failure is None:
        return MASKED, {"code": Code.INTERNAL}
    return failure.message, dict(failure.extensions or {})


class RequestErrors(Exception):  # noqa: N818 - it carries errors and is not one of them
    """The errors of a request of which nothing ran."""

    def __init__(self, found: Sequence[GraphQLError], code: Code) -> None:
        super().__init__(f"{len(found)} errors")
        self.found: Final = tuple(found)
        self.code: Final = code
