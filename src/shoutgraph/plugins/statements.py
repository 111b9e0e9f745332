"""Reads a statement file of a bank through its plugin: in a thread, for a bounded time, and nothing but notices."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.plugins import payouts, threads
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.webhooks import PluginFaultError
from shoutgraph.sdk import Artifact, MalformedNotice, Notice, NoticeKind

READ_S: Final = 30.0
"""How long a plugin may take to read a file."""

ENTRIES_MAX: Final = 20_000
"""The most entries of one statement."""


class Statements:
    """Reads statements, for as long as the process lives; a plugin that hangs holds no thread of another's."""

    def __init__(self) -> None:
        self._threads: dict[str, threads.Threads] = {}  # one for each configured instance

    async def read(self, way: Payouts, document: Artifact) -> tuple[Notice, ...]:
        """What a statement tells.

        Raises:
            MalformedNotice: the file is not what the plugin reads, or tells too much.
            PluginFaultError: the plugin broke, took too long, or broke the contract.
        """
        names = way.fence.names
        own = self._threads.setdefault(names.instance, threads.Threads(f"{names.instance}-statement"))
        try:
            told: object = await own.run(lambda: way.ingest(document), READ_S)
        except MalformedNotice:
            raise
        except Exception as error:  # noqa: BLE001 -- the plugin boundary; the log names the plugin
            way.fence.tell("ingest", error)
            raise PluginFaultError(f"{names.plugin} broke while reading a statement") from None
        if not isinstance(told, Sequence) or not all(map(_is_sound, told)):
            raise PluginFaultError(f"{names.plugin} read a statement against the contract")
        if len(told) > ENTRIES_MAX:
            raise MalformedNotice("too many entries in one statement")
        return tuple(told)


def _is_sound(notice: object) -> bool:
    if not isinstance(notice, Notice) or not notice.notice_id or notice.kind is NoticeKind.TOPUP:
        return False
    if notice.kind is NoticeKind.PAYOUT:
        return payouts.as_item_outcome(notice.observation) is not None
    return notice.kind is NoticeKind.IGNORED or payouts.as_recipient_outcome(notice.observation) is not None
