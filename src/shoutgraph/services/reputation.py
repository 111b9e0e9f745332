"""Reputation: counting the journal's lines, moving the window with the days, and proving that the counts are true.

A job counts, not the move of an order: orders of one creator that move at once need not wait for each other, and a line
counts in the unit of work that moves the place of the fold on, so once, and in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import reputation
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.reputation import Counts, Reputation, Stars
from shoutgraph.storage import creators, folds, journal as journal_rows, policies, reputation as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

FOLD: Final = "reputation"
PAGE: Final = 500
"""The most lines of one unit of work."""
TOGETHER: Final = 200
"""Creators whose window is moved in one unit of work."""

Days = Mapping[tuple[str, int], Counts]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the table says and what the journal says, where they differ."""

    lines: int
    days: int
    wrong: tuple[tuple[str, int, Counts, Counts], ...]


async def fold(tools: Tools) -> int:
    """Counts what the journal tells that is not counted yet, a page at most; gives how many lines were looked at."""
    if not await tools.store.read(lambda tx: folds.place(tx, FOLD) < journal_rows.head(tx).seq):
        return 0
    return await tools.store.write(_fold)


async def move_windows(tools: Tools) -> int:
    """Judges anew whoever has a day that no longer counts, or was judged by an older policy; gives how many."""
    if not await tools.store.read(_stale):
        return 0

    def work(tx: Tx) -> int:
        stale = _stale(tx)
        _judge(tx, creators.hold_all(tx, stale))
        return len(stale)

    return await tools.store.write(work)


async def list_of(tools: Tools, creator_ids: Sequence[str]) -> list[Reputation]:
    """The reputation of creators, in the order asked; that of nobody knows anything where there is none."""
    found = await tools.store.read(lambda tx: rows.list_of(tx, creator_ids))
    if all(creator_id in found for creator_id in creator_ids):
        return [found[creator_id] for creator_id in creator_ids]
    policy = await tools.store.read(policies.current)
    today = reputation.day_of(tools.clock())
    stars = Stars(None, 0)
    none = {each: reputation.judge(each, Counts(), stars=stars, policy=policy, today=today) for each in creator_ids}
    return [found.get(creator_id, none[creator_id]) for creator_id in creator_ids]


def prove(tx: Tx) -> Proof:
    """Counts the journal again up to where the fold stands, and compares."""
    seq = folds.place(tx, FOLD)
    told, kept = _count_again(tx, seq), rows.all_days(tx)
    nothing = reputation.NOTHING
    wrong = sorted(key for key in told.keys() | kept.keys() if told.get(key, nothing) != kept.get(key, nothing))
    differing = tuple((*key, kept.get(key, nothing), told.get(key, nothing)) for key in wrong)
    return Proof(seq, len(kept), differing)


async def rebuild(tools: Tools) -> int:
    """Counts the whole journal again and puts that in the place of what was kept; gives how many days it came to."""

    def work(tx: Tx) -> int:
        folds.begin(tx, FOLD)
        before = {who for who, _ in rows.all_days(tx)}
        seq = journal_rows.head(tx).seq
        days = _count_again(tx, seq)
        rows.replace_days(tx, days)
        _judge(tx, creators.hold_all(tx, sorted(before | {who for who, _ in days})))
        folds.advance(tx, FOLD, seq=seq)
        return len(days)

    return await tools.store.write(work)


def _fold(tx: Tx) -> int:
    folds.begin(tx, FOLD)
    seq = folds.place(tx, FOLD)
    events, until = journal_rows.read_after(tx, seq, limit=PAGE, types=reputation.TYPES)
    if until == seq:
        return 0
    days = reputation.fold(events)
    rated = {str(event.body["creator"]) for event in events if event.type == reputation.RATED}
    touched = rated | {who for who, _ in days}
    if touched:
        held = creators.hold_all(tx, sorted(touched))
        known = {creator.id for creator in held}
        rows.add(tx, {key: counts for key, counts in days.items() if key[0] in known})
        _judge(tx, held)
    folds.advance(tx, FOLD, seq=until)
    return until - seq


def _judge(tx: Tx, held: Sequence[Creator]) -> None:
    today, policy = _today(tx), policies.current(tx)
    windows = rows.window(tx, [creator.id for creator in held], today=today)
    judged: list[tuple[Reputation, int | None]] = []
    for creator in held:
        first, counts = windows.get(creator.id, (None, reputation.NOTHING))
        stars = Stars(creator.rating_hundredths, creator.rating_count)
        found = reputation.judge(creator.id, counts, stars=stars, policy=policy, today=today)
        judged.append((found, first))
    rows.keep(tx, judged)
    for creator, (found, _) in zip(held, judged, strict=True):
        if (creator.response_sort_s, creator.badges) != (found.response_sort_s, found.badges):
            creators.show(tx, replace(creator, response_sort_s=found.response_sort_s, badges=found.badges))


def _stale(tx: Tx) -> list[str]:
    version = policies.current(tx).version
    return rows.list_of_stale(tx, today=_today(tx), version=version, size=TOGETHER)


def _today(tx: Tx) -> int:
    """The day of this command, or of the newest line where another process's clock is ahead."""
    return reputation.day_of(max(tx.now, journal_rows.head(tx).at))


def _count_again(tx: Tx, until: int) -> Days:
    days: dict[tuple[str, int], Counts] = {}
    events = journal_rows.each(tx)
    for event in events:
        if event.seq > until:
            break
        for key, counts in reputation.fold([event]).items():
            days[key] = days.get(key, reputation.NOTHING) + counts
    known = {creator.id for creator in creators.hold_all(tx, sorted({who for who, _ in days}))}
    return {key: counts for key, counts in days.items() if key[0] in known}
