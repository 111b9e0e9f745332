"""Yearly reports of sellers: a creator reads their own, finance everybody's, page by page along their ids."""

from collections.abc import Callable, Iterator, Sequence

import orjson

from shoutgraph.domain import ids, pages, seller_reports as rules, statements
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.seller_reports import Report
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import policies, rates as rate_rows, seller_reports as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

CHUNK_SELLERS = 200
"""Sellers of a file that are read at a time."""
CHUNKS_MAX = 50_000
"""The most of these in one file."""


def scope(year: int, *, everyone: bool) -> str:
    """Names the listing, so that a cursor of another one is refused."""
    return pages.scope_of("seller-report", year, everyone)


async def page(tools: Tools, viewer: Viewer, year: int, args: PageArgs, *, everyone: bool) -> Page[Report]:
    """A page of reports by the creators' ids: of those with anything in the year, or of all.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
        ValidationError: it is no year.
    """
    viewer.require(Scope.FINANCE_READ)
    rules.check_year(year)
    after = str(args.key[0]) if args.key else ""
    found = await tools.store.read(lambda tx: chunk(tx, year, after=after, size=args.size + 1, everyone=everyone))
    return pages.cut(found, args, scope=scope(year, everyone=everyone), key_of=lambda report: (report.creator_id,))


def check_reader(viewer: Viewer, creator_id: str, year: int) -> None:
    """Refuses whoever reads another's report, unless they read finances.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is another's and the viewer does not read finances.
        ValidationError: it is no year.
    """
    if creator_id != viewer.creator_id:
        viewer.require(Scope.FINANCE_READ)
    rules.check_year(year)


async def list_of_creators(tools: Tools, viewer: Viewer, creator_ids: Sequence[str], year: int) -> list[Report]:
    """The reports of creators, in the order asked.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: one is another's and the viewer does not read finances.
        ValidationError: it is no year.
    """
    for creator_id in creator_ids:
        check_reader(viewer, creator_id, year)

    def query(tx: Tx) -> list[Report]:
        countries = rows.countries_of(tx, creator_ids)
        return _reports(tx, year, [(creator_id, countries[creator_id]) for creator_id in creator_ids])

    return await tools.store.read(query)


def chunk(tx: Tx, year: int, *, after: str, size: int, everyone: bool = False) -> list[Report]:
    """The next reports by the creators' ids."""
    return _reports(tx, year, rows.list_of_sellers(tx, year, after=after, size=size, everyone=everyone))


def all_of(tx: Tx, year: int) -> Iterator[Report]:
    """The reports of everybody with anything in the year, in one reading, for operators.

    Raises:
        ValidationError: it is no year.
    """
    rules.check_year(year)
    after = ""
    for _ in range(CHUNKS_MAX):
        found = chunk(tx, year, after=after, size=CHUNK_SELLERS)
        yield from found
        if len(found) < CHUNK_SELLERS:
            return
        after = found[-1].creator_id


def write(tx: Tx, year: int, *, csv: bool, to: Callable[[str], object]) -> None:
    """Writes the reports of a year, seller by seller: rows by quarter, or a line of JSON for each.

    Raises:
        ValidationError: it is no year.
    """
    if csv:
        to(statements.row(rules.HEAD))
    for report in all_of(tx, year):
        whole, *quarters = rules.rows(report)
        to(rules.csv_of(report) if csv else orjson.dumps(whole | {"quarters": quarters}).decode() + "\n")


def _reports(tx: Tx, year: int, sellers: Sequence[tuple[str, str]]) -> list[Report]:
    """The reports of a year by what held at its end, so that one that is read again says the same."""
    if not sellers:
        return []
    creator_ids = [creator_id for creator_id, _ in sellers]
    quarters, profiles = rows.quarters_of(tx, creator_ids, year), rows.profiles_of(tx, creator_ids, year)
    at = rules.judged_at(year, now=tx.now)
    policy = policies.in_force_at(tx, at)
    book = policy.book_currency
    rates = {currency: rate_rows.find_at(tx, currency, book, at) for currency in rules.CURRENCIES}
    reports = []
    for creator_id, country in sellers:
        profile = profiles.get(creator_id)
        pays_in = country if profile is None else profile.country
        law = rules.law_of(pays_in, year, policy=policy)
        rate = None if law is None else rates[law.currency]
        verdict = rules.judge(law, rules.total(quarters[creator_id]), policy=policy, rate=rate)
        own = ids.CreatorId(creator_id)
        reports.append(Report(own, year, pays_in, quarters[creator_id], policy, profile, verdict))
    return reports
