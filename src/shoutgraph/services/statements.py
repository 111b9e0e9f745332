"""Statements of wallets and of creators' earnings: pages for screens, and files for people, behind a link for minutes.

A file is read in pages of bounded size, each in a reading of its own: what stands in the books never changes, and how
far the file goes is settled when it begins. So its opening balance and its lines are its closing balance, whatever
happens meanwhile.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

from shoutgraph.domain import accounts, clock, errors, ids, journal, pages, statements as rules, wallets
from shoutgraph.domain.earnings import EarningsPart
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.statements import About, Line, Part, Told
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import Link
from shoutgraph.storage import adjustments, earnings, journal as journal_rows, lines as rows, refunds, users
from shoutgraph.storage.lines import Reach
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

CHUNK_LINES: Final = 500
"""Lines of a file that are read at a time."""
CHUNKS_MAX: Final = 20_000
"""The most of these in one file."""
LINK_LIFE: Final = timedelta(minutes=10)
STEPS_MAX: Final = 64
"""The most steps in which a time is looked for among the moves of an account."""
EXPORTED: Final = "statement.exported"


class Kind(StrEnum):
    """Whose statement."""

    WALLET = "wallets"
    EARNINGS = "earnings"


@dataclass(frozen=True, slots=True)
class Source:
    """The accounts that a statement is of, and what each is called."""

    kind: Kind
    subject_id: str

    @property
    def names(self) -> tuple[str, ...]:
        """What people call the accounts."""
        return ("PAID", "PROMO", "DEBT") if self.kind is Kind.WALLET else tuple(EarningsPart)

    @property
    def codes(self) -> tuple[str, ...]:
        """What the books call them."""
        if self.kind is Kind.WALLET:
            user_id = ids.UserId(self.subject_id)
            return accounts.paid(user_id).code, accounts.promo(user_id).code, accounts.debt(user_id).code
        creator_id = ids.CreatorId(self.subject_id)
        return tuple(each(creator_id).code for each in (accounts.pending, accounts.available, accounts.reserve))

    @property
    def scope(self) -> str:
        """Names the listing, so that a cursor of another one is refused."""
        return pages.scope_of("statement", self.kind, self.subject_id)

    @property
    def kinds(self) -> tuple[type[int], ...]:
        """What a cursor is made of."""
        return (int,) * (1 + len(self.names))


@dataclass(frozen=True, slots=True)
class Span:
    """A period: from a time on, and before another."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """A period among the moves of each account: the first that is in it, and the last."""

    first: tuple[int, ...]
    last: tuple[int, ...]
    opening: tuple[int, ...]
    closing: tuple[int, ...]


def of_wallet(viewer: Viewer, user_id: str | None) -> Source:
    """The statement of a wallet: the viewer's own where no user is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the caller is not a person.
        ValidationError: the text is no user's id.
    """
    if user_id is None or user_id == viewer.user_id:
        return Source(Kind.WALLET, viewer.require_user())
    viewer.require(Scope.FINANCE_READ)
    return Source(Kind.WALLET, ids.parse(ids.USER, user_id, path=("userId",)))


def of_earnings(viewer: Viewer, creator_id: str | None) -> Source:
    """The statement of a creator's earnings: the viewer's own where no creator is named.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances, or the viewer is not a creator.
        ValidationError: the text is no creator's id.
    """
    if creator_id is None or creator_id == viewer.creator_id:
        return Source(Kind.EARNINGS, viewer.require_creator())
    viewer.require(Scope.FINANCE_READ)
    return Source(Kind.EARNINGS, ids.parse(ids.CREATOR, creator_id, path=("creatorId",)))


async def page(tools: Tools, source: Source, args: PageArgs) -> Page[Told]:
    """A page of a statement, newest first."""
    place = None if args.key is None else tuple(part for part in args.key if isinstance(part, int))

    def query(tx: Tx) -> list[Told]:
        return _told(tx, source, rows.list_of(tx, source.codes, Reach(place, args.backward, args.size + 1)))

    found = await tools.store.read(query)
    return pages.cut(found, args, scope=source.scope, key_of=lambda told: told.line.place)


async def lots_of(tools: Tools, lines: Sequence[tuple[Source, Line]]) -> list[tuple[Part, ...]]:
    """The lots behind lines of wallets that the viewer may see."""

    def query(tx: Tx) -> list[tuple[Part, ...]]:
        found: dict[tuple[str, int, int], tuple[Part, ...]] = {}
        for source in {source.subject_id: source for source, _ in lines}.values():
            own = [line for of, line in lines if of == source]
            found |= {(source.subject_id, *key): parts for key, parts in _parts(tx, source, own).items()}
        return [found.get((source.subject_id, *_key(line)), ()) for source, line in lines]

    return await tools.store.read(query)


def link(tools: Tools, viewer: Viewer, source: Source, span: Span) -> Link:
    """Where the file of a statement can be fetched for some minutes.

    Raises:
        ValidationError: the period ends before it begins.
    """
    if span.since is not None and span.until is not None and span.since >= span.until:
        raise errors.ValidationError("The period ends before it begins.", code="OUT_OF_RANGE", path=("until",))
    return tools.links.statement(_path(source, span), viewer, expires_at=tools.clock() + LINK_LIFE)


async def export(tools: Tools, path: str, token: str | None) -> AsyncIterator[str]:
    """The file behind a link, part by part; that it was fetched, and by whom, stays in the journal.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such statement.
    """
    who = tools.links.require_statement(path, token, now=tools.clock())
    source, span = _read_path(path)

    def begin(tx: Tx) -> Bounds:
        body: journal.Body = {"statement": source.kind.value, "by": who}
        topic = source.subject_id if source.kind is Kind.EARNINGS else wallets.id_of(source.subject_id)
        journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), topic, EXPORTED, body))
        return bounds_of(tx, source, span)

    bounds = await tools.store.write(begin)

    async def parts() -> AsyncIterator[str]:
        yield head_of(source, bounds, span)
        place: tuple[int, ...] | None = (-1, *bounds.first)
        for _ in range(CHUNKS_MAX):
            if place is None:
                break
            text, place = await tools.store.read(partial(chunk, source=source, bounds=bounds, place=place))
            yield text
        yield foot_of(source, bounds, span)

    return parts()


def file_of(tx: Tx, source: Source, span: Span) -> Iterator[str]:
    """The whole file in one reading, for operators.

    Raises:
        NotFoundError: there is no such user.
    """
    if source.kind is Kind.WALLET and users.find(tx, ids.UserId(source.subject_id)) is None:
        raise errors.NotFoundError("There is no such user.")
    bounds = bounds_of(tx, source, span)
    yield head_of(source, bounds, span)
    place: tuple[int, ...] | None = (-1, *bounds.first)
    for _ in range(CHUNKS_MAX):
        if place is None:
            break
        text, place = chunk(tx, source, bounds, place)
        yield text
    yield foot_of(source, bounds, span)


def newest(tx: Tx, source: Source, size: int) -> list[Told]:
    """The newest lines of a statement, for operators."""
    return _told(tx, source, rows.list_of(tx, source.codes, Reach(None, backward=False, size=size)))


def bounds_of(tx: Tx, source: Source, span: Span) -> Bounds:
    """Where a period lies among the moves of each account."""
    versions = rows.versions(tx, source.codes)
    both = list(zip(source.codes, versions, strict=True))
    first = [1 if span.since is None else _first_at(tx, code, last, span.since) for code, last in both]
    last = [end if span.until is None else _first_at(tx, code, end, span.until) - 1 for code, end in both]
    return Bounds(
        tuple(first),
        tuple(last),
        tuple(_balance(tx, code, at - 1) for code, at in zip(source.codes, first, strict=True)),
        tuple(_balance(tx, code, at) for code, at in zip(source.codes, last, strict=True)),
    )


def chunk(tx: Tx, source: Source, bounds: Bounds, place: tuple[int, ...]) -> tuple[str, tuple[int, ...] | None]:
    """The next lines of a file, the oldest first, and from where to go on; None at its end."""
    found = rows.list_of(tx, source.codes, Reach(place, backward=True, size=CHUNK_LINES))
    wanted = [line for line in found if line.version <= bounds.last[line.own]]
    parts = _parts(tx, source, wanted)
    told = (replace(each, parts=parts.get(_key(each.line), ())) for each in _told(tx, source, wanted))
    text = "".join(rules.row_of(each) for each in told)
    if len(found) < CHUNK_LINES:
        return text, None
    own, *after = found[-1].place
    after[own] += 1
    over = all(version > last for version, last in zip(after, bounds.last, strict=True))
    return text, None if over else found[-1].place


def head_of(source: Source, bounds: Bounds, span: Span) -> str:
    """The names of the columns, and what there was at the beginning."""
    return rules.row(rules.HEAD) + _balances("OPENING", source, bounds.opening, span.since)


def foot_of(source: Source, bounds: Bounds, span: Span) -> str:
    """What there was at the end."""
    return _balances("CLOSING", source, bounds.closing, span.until)


def _balances(code: str, source: Source, balances: Sequence[int], at: datetime | None) -> str:
    both = zip(source.names, balances, strict=True)
    return "".join(rules.balance_row(code, name, balance, at) for name, balance in both)


def _told(tx: Tx, source: Source, found: Sequence[Line]) -> list[Told]:
    abouts = _abouts(tx, found)
    told = []
    for line in found:
        name = source.names[line.own]
        code, words = rules.code_of(name, line.kind), rules.words_of(name, line.kind)
        named = abouts[rules.subject_of(line.ref)]
        told.append(Told(line, name, code, words, named))
    return told


def _abouts(tx: Tx, found: Sequence[Line]) -> dict[str, About]:
    """What the lines are about: orders behind adjustments, top-ups behind refunds, subjects of earnings."""
    subjects = {rules.subject_of(line.ref) for line in found}
    by_kind: dict[str | None, list[str]] = {}
    for subject in sorted(subjects):
        by_kind.setdefault(ids.prefix_of(subject), []).append(subject)
    behind: dict[str, str] = {}
    if wanted := by_kind.get(ids.ADJUSTMENT):
        behind |= adjustments.orders_of(tx, wanted)
    if wanted := by_kind.get(ids.REFUND):
        behind |= {each.id: each.topup_id for each in refunds.list_of(tx, wanted) if each is not None}
    if wanted := by_kind.get(ids.EARNING):
        behind |= {each.id: each.subject_id for each in earnings.list_of(tx, wanted) if each is not None}
    return {subject: rules.about(behind.get(subject, subject)) for subject in subjects}


def _parts(tx: Tx, source: Source, found: Sequence[Line]) -> dict[tuple[int, int], tuple[Part, ...]]:
    """The lots behind each line of a wallet, by posting and account."""
    if source.kind is not Kind.WALLET or not found:
        return {}
    transfers = sorted({line.transfer for line in found})
    of_lots: dict[tuple[int, str], list[Part]] = {}
    for transfer, code, part in rows.list_of_parts(tx, transfers, source.codes):
        of_lots.setdefault((transfer, code), []).append(part)
    of_lines: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for transfer, code, posting, coins in rows.list_of_moves(tx, transfers, source.codes):
        of_lines.setdefault((transfer, code), []).append((posting, coins))
    shared: dict[tuple[int, int], tuple[Part, ...]] = {}
    for key, moved in of_lines.items():
        own, lots = source.codes.index(key[1]), of_lots.get(key, [])
        for (posting, _), parts in zip(moved, rules.split(lots, [coins for _, coins in moved]), strict=True):
            shared[posting, own] = parts
    return shared


def _key(line: Line) -> tuple[int, int]:
    return line.posting, line.own


def _first_at(tx: Tx, code: str, last: int, at: datetime) -> int:
    """The first move of an account at or after a time: halving, since each is later than the one before."""
    low, high = 1, last + 1
    for _ in range(STEPS_MAX):
        if low >= high:
            break
        middle = (low + high) // 2
        found: Any = rows.find_at(tx, code, middle)
        low, high = (middle + 1, high) if found[0] < at else (low, middle)
    return low


def _balance(tx: Tx, code: str, version: int) -> int:
    found: Any = rows.find_at(tx, code, version) if version > 0 else None
    return 0 if found is None else int(found[1])


def _path(source: Source, span: Span) -> str:
    since, until = ("" if at is None else str(clock.to_micros(at)) for at in (span.since, span.until))
    return f"{source.kind.value}/{source.subject_id}/{since}-{until}.csv"


def _read_path(path: str) -> tuple[Source, Span]:
    """What a link of ours leads to."""
    try:
        kind, subject_id, name = path.split("/")
        since, until = name.removesuffix(".csv").split("-")
        times = [clock.from_micros(int(each)) if each else None for each in (since, until)]
        return Source(Kind(kind), subject_id), Span(*times)
    except ValueError:
        raise errors.NotFoundError("There is no such statement.") from None
