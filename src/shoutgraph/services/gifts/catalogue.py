"""The catalogue of gifts: what can be given, and loading another one."""

from collections.abc import Sequence
from dataclasses import dataclass

from shoutgraph.domain import gifts, ids
from shoutgraph.domain.gifts import Sticker, StickerEntry
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import policies, stickers as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading a catalogue changed; all zero when it was loaded before."""

    stickers: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be given, and within which limits."""

    stickers: tuple[Sticker, ...]
    policy: Policy


async def load(tools: Tools, viewer: Viewer, entries: Sequence[StickerEntry]) -> Loaded:
    """Makes a catalogue the one that holds: what changed is a new version, what is not in it ends.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage the catalogue.
        ValidationError: the catalogue names a sticker twice.
    """
    viewer.require(Scope.CATALOGUE_MANAGE)
    gifts.check_catalogue(entries)

    def work(tx: Tx) -> Loaded:
        rows.hold(tx)
        given = {sticker.entry: sticker for sticker in rows.list_of_current(tx)}
        newest = rows.versions(tx)
        fresh = [_version(tools, tx, entry, newest.get(entry.key, 0) + 1) for entry in entries if entry not in given]
        ended = [sticker.id for entry, sticker in given.items() if entry not in set(entries)]
        rows.retire(tx, ended)
        rows.insert(tx, fresh)
        return Loaded(len(fresh), len(ended))

    return await tools.store.write(work)


async def read(tools: Tools) -> Catalogue:
    """What can be given now, the cheapest first."""
    return await tools.store.read(lambda tx: Catalogue(rows.list_of_current(tx), policies.current(tx)))


def on_sale(tx: Tx) -> Sequence[Sticker]:
    """What can be given, the cheapest first."""
    return rows.list_of_current(tx)


async def list_by_id(tools: Tools, sticker_ids: Sequence[str]) -> list[Sticker | None]:
    """Stickers by id, given now or not, None where there is none."""
    return await tools.store.read(lambda tx: rows.list_of(tx, sticker_ids))


def _version(tools: Tools, tx: Tx, entry: StickerEntry, version: int) -> Sticker:
    words = (entry.name, entry.coins, entry.tier, entry.asset)
    return Sticker(tools.new_id(ids.STICKER), entry.key, version, *words, created_at=tx.now)
