"""What a long-lived connection was opened with, proven again from time to time.

A token that expires, a key that is revoked and a role that is taken away all end the connection; the client comes
back with what it then has.
"""

import logging
from dataclasses import dataclass

from shoutgraph.api import limits
from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.context import rights_of
from shoutgraph.api.transport import Transport
from shoutgraph.domain import errors
from shoutgraph.domain.users import Viewer

logger = logging.getLogger("shoutgraph.api")


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of an `Authorization` header, and who it was good for."""

    shared: Transport
    authorization: str | None
    viewer: Viewer

    @property
    def next_check_s(self) -> float | None:
        """When to ask again, or None where there is nothing to ask."""
        if self.authorization is None:
            return None
        left = self.shared.seconds_left(self.viewer)
        return limits.RECHECK_S if left is None else min(limits.RECHECK_S, left)

    async def why_not(self) -> str | None:
        """Why it is no longer good, or None where it is, as far as can be known now."""
        if self.shared.seconds_left(self.viewer) == 0:
            return "The token has expired."
        try:
            viewer = await self.shared.viewer_of(self.authorization)
        except FailureError as failure:
            if failure.code is Code.UNAVAILABLE:
                logger.warning("a credential could not be checked again: %s", failure.__cause__)
                return None
            return failure.message
        except (errors.FaultError, errors.ShoutgraphError) as error:
            logger.warning("a credential could not be checked again: %s", error)
            return None
        return None if rights_of(viewer) == rights_of(self.viewer) else "Your rights have changed: connect again."
