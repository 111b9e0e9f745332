"""The test clock: a deployment that is not in production can be moved ahead in time, deadlines and all."""

from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.tools import Tools

ADVANCE_MAX: Final = timedelta(days=366)


async def advance(tools: Tools, viewer: Viewer, seconds: int) -> datetime:
    """Moves time ahead; what becomes due happens in the next round of the jobs. Gives the new time.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator, or this deployment has no test clock.
        ValidationError: the time is not positive, or more than a year.
    """
    viewer.require(Scope.ADMIN)
    if tools.travel is None:
        raise errors.ForbiddenError("Time is real here: the test clock is off.", code="TEST_CLOCK_OFF")
    by = timedelta(seconds=seconds)
    if not timedelta(0) < by <= ADVANCE_MAX:
        msg = f"seconds is between 1 and {ADVANCE_MAX // timedelta(seconds=1)}."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=("input", "seconds"))
    return tools.travel(by)
