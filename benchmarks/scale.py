"""`python -m benchmarks.scale FOLDER`: makes a database with very many creators and postings, in minutes.

Rows are made by the database itself, from the series of their numbers: creators with an offer each and the person
behind them, and books full of top-ups, two postings each, in the wallets of people who do nothing else.

What is bypassed: triggers (and, on PostgreSQL, foreign keys) while rows are written, since they would write them one by
one. The embedded database's triggers are dropped and made again inside the same transaction; PostgreSQL is told to
replicate, which its superuser alone may. What they would have written is written too: entries, balances, lots, the
search index, the lowest prices. CHECK, NOT NULL, UNIQUE and the types hold as ever, and `ledger verify` proves the
result. Not as the application writes it: ids count up instead of carrying a time and chance, a transfer's digest is
empty, a top-up has no row of its own besides those in the books, and all of it happened in one moment.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pysqlite3
from rich.console import Console

from shoutgraph import settings
from shoutgraph.cli import proof as proving
from shoutgraph.storage import migrations

COINS: Final = 1_000
PAR: Final = 100
PER_WALLET: Final = 20
"""Top-ups of one person."""
AT: Final = 1_767_225_600_000_000
"""When all of it happened: 2026, in microseconds."""
COUNTRIES: Final = "substr('DEFRITESNLATBEPLSEFI', CAST(1 + 2 * (n % 10) AS integer), 2)"

CREATORS: Final = (
    """INSERT INTO users (id, revision, display_name, country, locked, created_at)
SELECT 'user_' || {id}, 1, 'Scale ' || n, {country}, 0, {at} + n FROM {series}""",
    """INSERT INTO creator (number, id, revision, user_id, handle, name, country, categories, languages, bio, open,
  featured, rating_sum, rating_count, price_from_coins, created_at, name_sort, facets)
SELECT n, 'creator_' || {id}, 1, 'user_' || {id}, 'scale' || n, 'Scale ' || n, {country}, '|OTHER|', '|en|', '', 1, 0,
  0, 0, 1000 + n % 997, {at} + n, 'scale ' || n,
  'k0' || lower({country}) || ' c0other l0en w0scale' || n || ' w0scale w0' || n FROM {series}""",
    """INSERT INTO offer (id, revision, creator_id, occasion, title, price_coins, duration_max_s, delivery_days,
  active, created_at)
SELECT 'offer_' || {id}, 1, 'creator_' || {id}, 'OTHER', 'A hello', 1000 + n % 997, 60, 7, 1, {at} + n FROM {series}""",
)
"""For n from 1 to the number of creators."""

TIED: Final = "INSERT INTO wallet_ok (id) SELECT 3 + n FROM {series} WHERE n <= {wallets}"
"""What the embedded database keeps of wallets that are as full as their lots."""
COUNTED: Final = """(WITH RECURSIVE of (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < {many})
  SELECT n FROM of)"""
ASSETS: Final = "INSERT INTO asset (code, class, scale) VALUES ('EUR', 'fiat', 4)"
SHARED: Final = """INSERT INTO account (id, code, asset, floor, wallet, debits, credits, version, last_posting) VALUES
  (1, 'mint', 'COIN', 0, 0, {sold}, 0, {count}, 2 * {count} - 1),
  (2, 'liab:coins:EUR', 'EUR', 1, 0, 0, {worth}, {count}, 2 * {count}),
  (3, 'cash:psp:scale:EUR', 'EUR', 0, 0, {worth}, 0, {count}, 2 * {count})"""
POSTINGS: Final = (
    """INSERT INTO account (id, code, asset, floor, wallet, debits, credits, version, last_posting)
SELECT 3 + n, 'user:user_' || {wallet} || ':paid', 'COIN', 1, 1, 0, {own} * {coins}, {own},
  2 * (n + ({own} - 1) * {wallets}) - 1 FROM {series} WHERE n <= {wallets}""",
    """INSERT INTO transfer (id, kind, ref, digest, at)
SELECT n, 'topup.succeeded', 'topup_' || {id}, {digest}, {at} FROM {series}""",
    """INSERT INTO posting (id, transfer_id, asset, debit_id, credit_id, amount, reason)
SELECT 2 * n - 1, n, 'COIN', 1, {account}, {coins}, 'topup' FROM {series}
UNION ALL SELECT 2 * n, n, 'EUR', 3, 2, {coins} * {par}, 'sale' FROM {series}""",
    """INSERT INTO entry (account_id, version, posting_id, debits, credits)
SELECT 1, n, 2 * n - 1, n * {coins}, 0 FROM {series}""",
    """INSERT INTO entry (account_id, version, posting_id, debits, credits)
SELECT 2, n, 2 * n, 0, n * {coins} * {par} FROM {series}""",
    """INSERT INTO entry (account_id, version, posting_id, debits, credits)
SELECT 3, n, 2 * n, n * {coins} * {par}, 0 FROM {series}""",
    """INSERT INTO entry (account_id, version, posting_id, debits, credits)
SELECT {account}, {turn}, 2 * n - 1, 0, {turn} * {coins} FROM {series}""",
    """INSERT INTO lot (id, account_id, user_id, granted, remaining, last_move, price_minor, currency, country,
  granted_at)
SELECT 'lot_' || {id}, {account}, 'user_' || {owner}, {coins}, {coins}, n, {coins}, 'EUR', 'DE', {at} FROM {series}""",
    """INSERT INTO lot_move (id, lot_id, transfer_id, coins)
SELECT n, 'lot_' || {id}, n, {coins} FROM {series}""",
)
"""For n from 1 to the number of top-ups; people take turns, and each has as many, or one less."""
WRITTEN: Final = {
    *("users", "creator", "offer", "asset", "account", "wallet_ok"),
    *("transfer", "posting", "entry", "lot", "lot_move"),
}
NUMBERED: Final = (("creator", "number"), ("transfer", "id"), ("account", "id"), ("posting", "id"), ("lot_move", "id"))


def statements(*, creators: int, postings: int, shared: bool) -> Iterator[str]:
    """Everything that is run, for the embedded database or for PostgreSQL."""
    count = postings // 2
    wallets = max(count // PER_WALLET, min(count, 1))
    forms = {
        "at": AT,
        "coins": COINS,
        "par": PAR,
        "count": count,
        "sold": count * COINS,
        "worth": count * COINS * PAR,
        "wallets": wallets,
        "country": COUNTRIES,
        "account": f"(4 + (n - 1) % {max(wallets, 1)})",
        "turn": f"(1 + (n - 1) / {max(wallets, 1)})",
        "own": f"(({count} - n) / {max(wallets, 1)} + 1)",
        "digest": r"'\x" + "00" * 32 + "'::bytea" if shared else "zeroblob(32)",
        "id": _padded("n", shared=shared),
        "wallet": _padded("n + 500000000", shared=shared),
        "owner": _padded(f"1 + (n - 1) % {max(wallets, 1)} + 500000000", shared=shared),
    }
    for texts, many in ((CREATORS, creators), ((ASSETS, SHARED, *POSTINGS, *(() if shared else (TIED,))), count)):
        series = f"generate_series(1::bigint, {many}) AS of (n)" if shared else COUNTED.format(many=many)
        yield from (text.format(**forms, series=series) for text in (texts if many else ()))


def _padded(number: str, *, shared: bool) -> str:
    return f"lpad(({number})::text, 26, '0')" if shared else f"printf('%026d', {number})"


def fill(where: Path | str, *, creators: int, postings: int) -> None:
    """Fills an empty database that has its tables."""
    if isinstance(where, Path):
        _fill_file(where, list(statements(creators=creators, postings=postings, shared=False)))
    else:
        _fill_server(where, list(statements(creators=creators, postings=postings, shared=True)))


def _fill_file(path: Path, texts: list[str]) -> None:
    with closing(pysqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("PRAGMA cache_size = -400000")
        database.execute("BEGIN IMMEDIATE")
        with _without_triggers(database):
            for text in texts:
                database.execute(text)
        database.execute("INSERT INTO creator_fts (creator_fts) VALUES ('rebuild')")
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _without_triggers(database: Any) -> Iterator[None]:  # noqa: ANN401 - a connection of a driver without types
    found = database.execute("SELECT name, sql, tbl_name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    own = [(name, sql) for name, sql, table in found if table in WRITTEN]
    for name, _ in own:
        database.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in own:
        database.execute(sql)


def _fill_server(url: str, texts: list[str]) -> None:
    with psycopg.connect(url) as database:
        database.execute("SET LOCAL session_replication_role = replica")
        for text in texts:
            database.execute(text.encode())
        for table, column in NUMBERED:
            found = database.execute("SELECT pg_get_serial_sequence(%s, %s)", (f"public.{table}", column)).fetchone()
            if found is not None and found[0] is not None:
                newest = f"SELECT setval('{found[0]}', greatest(max({column}), 1)) FROM {table}"  # noqa: S608 - our own
                database.execute(newest.encode())
        database.execute("SET LOCAL session_replication_role = origin")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")


def main() -> None:
    """Makes one database."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("folder", type=Path, help="data folder of the new database")
    parser.add_argument("--creators", type=int, default=1_000_000)
    parser.add_argument("--postings", type=int, default=10_000_000)
    parser.add_argument("--url", help="an empty PostgreSQL database, as its superuser; the embedded one otherwise")
    parser.add_argument("--prove", action="store_true", help="prove the books afterwards")
    given = parser.parse_args()
    where = given.url or given.folder / "shoutgraph.db"
    start = time.perf_counter()
    migrations.upgrade(where)
    fill(where, creators=given.creators, postings=given.postings)
    console = Console()
    console.print(
        f"{given.creators:,} creators and {given.postings:,} postings in {time.perf_counter() - start:,.1f} s"
    )
    if given.prove:
        url = {} if given.url is None else {"database_url": given.url}
        proof = proving.prove(settings.load({"data_dir": given.folder, **url}, {}))
        console.print(f"{proof.postings:,} postings proven, {len(proof.violations)} violations")


if __name__ == "__main__":
    main()
