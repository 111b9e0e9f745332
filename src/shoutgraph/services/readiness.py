"""What must be well before requests are sent to a process: each function gives None, or why it is not.

Reasons are read by strangers, so they name no host, no person and no secret.
"""

from typing import Final

from shoutgraph.domain import errors
from shoutgraph.storage import migrations, payouts, refunds, topups, vitals
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

NAMED_MAX: Final = 10
"""The most instances that one reason names."""


async def readable(tools: Tools) -> str | None:
    """Whether the database gives answers, and has the schema of this release."""
    try:
        found = await tools.store.read(vitals.revision)
    except errors.OverloadedError:
        return None  # it lives, and says no by itself to what is too much
    except errors.FaultError:
        return "the database cannot be read"
    if found == migrations.head():
        return None
    return f"the schema is at revision {found}, and this release needs {migrations.head()}"


async def writable(tools: Tools) -> str | None:
    """Whether the database takes writes."""
    try:
        await tools.store.write(vitals.write_nothing)
    except errors.OverloadedError:
        return None
    except errors.FaultError:
        return "the database cannot be written"
    return None


async def providers(tools: Tools) -> str | None:
    """Whether every provider that has money of ours in flight can be asked."""
    try:
        names = await tools.store.read(in_use)
    except (errors.OverloadedError, errors.FaultError):
        return None  # the database speaks for itself
    missing = tools.providers.missing(names)
    if not missing:
        return None
    listed = ", ".join(missing[:NAMED_MAX])
    return f"money is in flight with instances whose plugin is missing or misconfigured: {listed}"


def in_use(tx: Tx) -> set[str]:
    """The instances that money of ours is in flight with."""
    rooms = (topups, payouts, refunds)
    return {instance for room in rooms for instance in room.list_of_instances_in_use(tx)}
