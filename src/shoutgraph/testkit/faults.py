"""What can go wrong between a plugin and its provider."""

import enum
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.testkit.asgi import Reply, reply

RETRY_AFTER_S: Final = 7
"""What the kit's 429 says. Units: seconds."""


class Answer(enum.Enum):
    """What the caller gets."""

    GENUINE = "genuine"
    NOTHING = "nothing"
    """The connection is closed without an answer."""
    CUT = "cut"
    """The head and half of the body come, then the connection is closed."""
    HALF = "half"
    """A proper answer whose body is the first half of the genuine one."""
    HANG = "hang"
    """Nothing comes until the caller hangs up."""
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong.

    Args:
        name: how a message of the kit calls it.
        arrives: how often the provider gets the request.
        given: what the caller gets instead of the genuine answer, with `Answer.REPLACED`.
        echoes: whether that answer repeats the request's headers and body.
    """

    name: str
    answer: Answer
    arrives: int = 1
    given: Reply | None = None
    echoes: bool = False

    @property
    def instead(self) -> Reply:
        """The answer that replaces the genuine one."""
        return self.given or reply(500)


DROPPED_BEFORE: Final = Fault("a connection dropped before the request arrived", Answer.NOTHING, arrives=0)
DROPPED_AFTER: Final = Fault("an answer lost after the request arrived", Answer.NOTHING)
CUT: Final = Fault("an answer cut off in the middle of its body", Answer.CUT)
HALF: Final = Fault("an answer whose body is only half there", Answer.HALF)
HANG: Final = Fault("an answer that never comes", Answer.HANG)
HANG_BEFORE: Final = Fault("a request that never arrives, and no answer", Answer.HANG, arrives=0)
TWICE: Final = Fault("a request that the network delivered twice", Answer.GENUINE, arrives=2)
RATE_LIMITED: Final = Fault(
    "429 with Retry-After",
    Answer.REPLACED,
    arrives=0,
    given=reply(429, b'{"error": "slow down"}', content_type="application/json", retry_after=str(RETRY_AFTER_S)),
)
SAVED_500: Final = Fault("500 after the request was carried out", Answer.REPLACED, given=reply(500, b"oh"))


def failing(status: int) -> Fault:
    """The provider's front door answers with this status, and the provider hears of nothing."""
    page = f"<html><h1>{status}</h1></html>".encode()
    given = reply(status, page, content_type="text/html")
    return Fault(f"{status} from the door", Answer.REPLACED, arrives=0, given=given)


def saying(what: str, body: bytes, content_type: str = "application/json", status: int = 200) -> Fault:
    """The request is carried out, and the answer says something else."""
    return Fault(what, Answer.REPLACED, given=reply(status, body, content_type=content_type))


def redirecting(url: str) -> Fault:
    """The answer leads somewhere else."""
    return Fault("a redirect", Answer.REPLACED, arrives=0, given=reply(307, location=url))


def echoing(status: int) -> Fault:
    """The answer repeats what was sent, as a careless provider's error page does."""
    return replace(failing(status), name=f"{status} that repeats the request", echoes=True)


GARBAGE: Final = (
    saying("a page of HTML", b"<html><h1>Welcome</h1></html>", "text/html"),
    saying("an empty answer", b""),
    saying("bytes that are no text", b"\xff\xfe\x00garbage\x80"),
    saying("an empty object", b"{}"),
    saying("a list", b"[]"),
    saying("null", b"null"),
    saying("a number", b"7"),
    HALF,
    CUT,
)
"""Answers with status 200 from which nothing can be learned."""
