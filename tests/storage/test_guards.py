"""What the rooms' tables forbid to wrong code, in the same words in either database."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from tests import postgres
from tests.storage import databases

from shoutgraph.domain.bank_files import Direction, FileState
from shoutgraph.domain.media import VideoState
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.storage import (
    api_keys,
    bank_files,
    columns,
    creators,
    earnings,
    ledger,
    media,
    migrations,
    packages,
    payouts,
    postgresql,
    receipts,
    recipients,
    reversals,
    sqlite,
    topups,
    users,
)

ROOMS = (
    api_keys, bank_files, creators, earnings, ledger, media, packages, payouts, receipts, recipients, reversals, topups,
    users,
)  # fmt: skip
"""Whose tables are filled by name."""
REVISIONS = ("r0002_catalogue", "r0003_media", "r0004_money", "r0005_api_keys", "r0009_redeem", "r0010_bank_files")
KEPT_BY_A_KEY = {"a dispute is opened once", "an earning is made once"}
"""What only INSERT OR REPLACE could do, which PostgreSQL does not have: there, the key refuses it."""

FILE: dict[str, object] = {"sha256": b"d" * 32, "body": b"<x/>", "size_bytes": 4}
UNPAID: dict[str, object] = {"settled_minor": 0, "reversed_minor": 0}
UNTOUCHED: dict[str, object] = {"in_payout_coins": 0, "paid_coins": 0, "reversed_coins": 0, "reserved_coins": 0}
ROWS: tuple[tuple[str, dict[str, object]], ...] = (
    ("users", {"id": "user_1", "country": "DE"}),
    ("creator", {"id": "creator_1", "user_id": "user_1", "country": "DE"}),
    ("offer", {"id": "offer_1", "creator_id": "creator_1", "active": True}),
    ("fx_rate", {"currency": "USD", "book_currency": "EUR"}),
    ("coin_package", {"id": "off", "currency": "USD", "book_currency": "EUR"}),
    ("unit_price", {"id": "off", "currency": "USD", "book_currency": "EUR"}),
    ("video", {"id": "checked", "state": VideoState.CHECKING, "sha256": "abc"}),
    ("video", {"id": "ready", "state": VideoState.UPLOADING}),
    ("topup", {"id": "topup_1", "ref": "pay_1", **UNPAID}),
    ("topup", {"id": "topup_2", "ref": "pay_2", **UNPAID}),
    ("transfer", {"kind": "topup.succeeded", "ref": "topup_2"}),
    ("topup_receipt", {"topup_id": "topup_1"}),
    ("topup_dispute", {"ref": "dispute_1", "topup_id": "topup_1", "decided_at": databases.START}),
    ("earning", {"id": "earning_1", **UNTOUCHED}),
    ("payout_recipient", {"id": "recipient_1"}),
    ("payout_batch", {"id": "batch_1", "exported_at": databases.START}),
    ("bank_file", {"id": "read", "direction": Direction.IN, "state": FileState.READ, "batch_id": None, **FILE}),
    ("payout_onboarding", {"recipient_id": "recipient_1", "ref": "acct_1", "answers": None}),
    ("payout", {"id": "payout_1", "recipient_id": "recipient_1", "key": "one"}),
    ("payout", {"id": "payout_2", "recipient_id": "recipient_1", "key": "two"}),
    ("payout_part", {"payout_id": "payout_1", "earning_id": "earning_1"}),
    ("api_key", {"id": "key_1"}),
    ("api_key", {"id": "key_2", "revoked_at": databases.START}),
)
CHANGES = (
    "UPDATE topup SET settled_minor = 1, credited = 1 WHERE id = 'topup_2'",
    "UPDATE payout SET state = 'DENIED' WHERE id = 'payout_2'",
)
"""Brings rows where no row may begin."""

ATTACKS: tuple[tuple[str, str], ...] = (
    ("DELETE FROM users", "a user is erased, not deleted: the books name them"),
    ("UPDATE users SET id = 'user_2'", "a user stays the same person"),
    ("UPDATE offer SET creator_id = 'creator_2'", "an offer stays its creator's"),
    ("UPDATE offer SET id = 'offer_2'", "an offer stays its creator's"),
    ("DELETE FROM offer", "an offer is never deleted: orders name it"),
    ("UPDATE creator SET price_from_coins = 2", "the price that a creator starts at is that of an offer"),
    ("UPDATE creator SET price_from_coins = NULL", "the price that a creator starts at is that of an offer"),
    ("UPDATE creator SET number = number + 1", "a creator stays the same person"),
    ("UPDATE creator SET user_id = 'user_2'", "a creator stays the same person"),
    ("DELETE FROM creator", "a creator is never deleted: orders and the books name them"),
    ("UPDATE fx_rate SET numerator = 2", "a rate never changes: store a new version"),
    ("DELETE FROM fx_rate", "a rate never changes: store a new version"),
    ("UPDATE coin_package SET price_minor = 2", "a price never changes: store a new version"),
    ("UPDATE coin_package SET product = 'coins.2'", "a price never changes: store a new version"),
    ("UPDATE coin_package SET current = 1", "a price that is off sale stays so: store a new version"),
    ("DELETE FROM coin_package", "a price never changes: store a new version"),
    ("UPDATE unit_price SET coins_max = 2", "a price never changes: store a new version"),
    ("UPDATE unit_price SET current = 1", "a price that is off sale stays so: store a new version"),
    ("DELETE FROM unit_price", "a price never changes: store a new version"),
    ("UPDATE video SET order_id = 'other'", "a video stays its order's, with the limits it was opened for"),
    ("UPDATE video SET duration_max_s = 2", "a video stays its order's, with the limits it was opened for"),
    ("UPDATE video SET sha256 = NULL WHERE id = 'checked'", "a checked video keeps its digest"),
    (
        "UPDATE video SET state = 'READY' WHERE id = 'ready'",
        "a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each",
    ),
    (
        "UPDATE video SET state = 'UPLOADING' WHERE id = 'checked'",
        "a video goes from UPLOADING to CHECKING to READY, and to REJECTED from each",
    ),
    ("UPDATE topup SET price_minor = 2", "what was agreed never changes"),
    ("UPDATE topup SET package_id = 'other'", "what was agreed never changes"),
    ("UPDATE topup SET follows = 'topup_2' WHERE id = 'topup_1'", "what was agreed never changes"),
    ("UPDATE topup_receipt SET proof = 'other'", "a receipt is presented as it came"),
    ("UPDATE topup SET lost_minor = 0", "totals only grow"),
    ("UPDATE topup SET settled_minor = 1, credited = 1", "a credited top-up is in the books"),
    ("UPDATE topup SET credited = 0", "a credit is never forgotten"),
    ("UPDATE topup SET ref = 'pay_3'", "a provider names a payment once"),
    ("UPDATE topup SET ref = NULL", "a provider names a payment once"),
    ("DELETE FROM topup", "top-ups are never deleted"),
    ("UPDATE topup_dispute SET lost_minor = 0", "a dispute is decided once"),
    ("DELETE FROM topup_dispute", "disputes are never deleted"),
    ("UPDATE earning SET coins = 11", "an earning stays what it is"),
    ("UPDATE earning SET creator_id = 'other'", "an earning stays what it is"),
    ("DELETE FROM earning", "earnings are never deleted"),
    ("UPDATE payout SET amount_minor = 2", "what was asked for never changes"),
    ("UPDATE payout SET key = 'three' WHERE id = 'payout_1'", "what was asked for never changes"),
    ("UPDATE payout SET state = 'APPROVED' WHERE id = 'payout_2'", "a payout that ended stays ended"),
    ("DELETE FROM payout", "payouts are never deleted"),
    ("UPDATE payout_part SET coins = 2", "what a payout is made of never changes"),
    ("DELETE FROM payout_part", "what a payout is made of never changes"),
    ("UPDATE api_key SET scopes = 'finance'", "an API key is only ever revoked"),
    ("UPDATE api_key SET revoked_at = 1 WHERE id = 'key_2'", "an API key is revoked once"),
    ("UPDATE api_key SET revoked_at = NULL", "an API key is revoked once"),
    ("DELETE FROM api_key", "an API key is kept, so that its id names one tool for ever"),
    ("UPDATE bank_file SET name = 'other'", "a bank file never changes"),
    ("UPDATE bank_file SET summary = '{}'", "what became of a bank file is said once"),
    ("DELETE FROM bank_file", "bank files are never deleted"),
    ("UPDATE payout_batch SET exported_at = NULL", "a batch passes each station once"),
    ("UPDATE payout_onboarding SET country = 'FR'", "a recipient stays the same one"),
    ("UPDATE payout_onboarding SET ref = 'acct_2'", "a provider names a recipient once"),
    ("DELETE FROM payout_onboarding", "recipients are never deleted"),
)
BIRTHS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("topup", {"id": "topup_3", **UNPAID, "settled_minor": 1, "credited": True}, "a top-up is opened once, unpaid"),
    ("topup", {"id": "topup_3", **UNPAID, "reversed_minor": 1}, "a top-up is opened once, unpaid"),
    (
        "payout",
        {"id": "payout_3", "recipient_id": "recipient_1", "state": PayoutState.APPROVED},
        "a payout is requested once",
    ),
)


def filled(table: sa.Table, given: dict[str, object]) -> dict[str, object]:
    """A row with a plain value in every column that needs one."""
    return {c.name: plain(c) for c in table.c if not c.nullable and needs_value(c)} | given


def needs_value(column: sa.Column[Any]) -> bool:
    return column.computed is None and column.name != "number"


def plain(column: sa.Column[Any]) -> object:
    kind = column.type
    if isinstance(kind, columns.Words):
        return next(iter(kind.words))
    values = ((creators.Tags, ()), (type(columns.Micros), databases.START), (type(columns.JsonText), []))
    others = ((type(columns.Truth), False), (sa.LargeBinary, bytes(32)), (sa.Text, "x"), (object, 1))
    return next(value for kinds, value in (*values, *others) if isinstance(kind, kinds))


def fill(connection: sa.Connection) -> None:
    for name, given in ROWS:
        table = SQLModel.metadata.tables[name]
        connection.execute(sa.insert(table).inline().values(filled(table, given)))
    for change in CHANGES:
        connection.execute(sa.text(change))
    connection.commit()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """An embedded database, without the application's settings."""
    path = tmp_path_factory.mktemp("guards") / "books.db"
    migrations.upgrade(path)
    session = sqlite.connect_owner(path)
    engine = sa.create_engine("sqlite://", module=sqlite.MODULE, creator=lambda: session.raw, poolclass=sa.StaticPool)
    with engine.connect() as connection:
        fill(connection)
        yield connection
    session.close()


@pytest.fixture(scope="module")
def server() -> Iterator[sa.Connection]:
    """A database on a server, as the owner of its tables."""
    cluster = postgres.shared()
    name = cluster.create(cluster.template("shoutgraph", migrations.upgrade))
    raw = psycopg.connect(cluster.url(name))
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=sa.StaticPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"SET ROLE {postgresql.OWNER}"))
        connection.commit()
        fill(connection)
        yield connection
    raw.close()
    cluster.drop(name)


@pytest.fixture(scope="module", params=["file", "server"])
def books(request: pytest.FixtureRequest) -> sa.Connection:
    connection: sa.Connection = request.getfixturevalue(request.param)
    return connection


@pytest.mark.parametrize(("attack", "words"), ATTACKS, ids=[attack for attack, _ in ATTACKS])
def test_a_guard_refuses(books: sa.Connection, attack: str, words: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=f"{re.escape(words)}$|{re.escape(words)}\n"), books.begin():
        books.execute(sa.text(attack))


@pytest.mark.parametrize(("name", "given", "words"), BIRTHS)
def test_a_row_begins_as_it_should(books: sa.Connection, name: str, given: dict[str, object], words: str) -> None:
    table = SQLModel.metadata.tables[name]
    with pytest.raises(sa.exc.DBAPIError, match=words), books.begin():
        books.execute(sa.insert(table).inline().values(filled(table, given)))


GUARDED = sorted({table for table, _ in ROWS} - {"payout_recipient", "payout_batch", "topup_receipt"})
"""Tables that keep every row; the others have none to keep, but payouts name the rows of two."""


@pytest.mark.parametrize("table", GUARDED)
def test_nobody_empties_a_guarded_table(server: sa.Connection, table: str) -> None:
    for attack in (f"TRUNCATE {table} CASCADE", f"TRUNCATE {table}"):
        with pytest.raises(sa.exc.DBAPIError) as caught, server.begin():
            server.execute(sa.text(attack))
        assert isinstance(caught.value.orig, psycopg.errors.CheckViolation | psycopg.errors.FeatureNotSupported)


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM users",
        "DELETE FROM payout_recipient",
        "UPDATE payout_recipient SET creator_id = 'mine'",
        "UPDATE payout_recipient SET instance = 'mine'",
        "UPDATE coin_package SET price_minor = 2",
        "UPDATE topup_receipt SET proof = 'other'",
        "UPDATE fx_rate SET numerator = 2",
        "UPDATE payout_part SET coins = 2",
        "UPDATE api_key SET scopes = 'finance'",
        "UPDATE wallet_lock SET reason = 'DISPUTE'",
        "UPDATE notice_seen SET at = 0",
        "TRUNCATE notice",
        "UPDATE creator_fts SET rowid = 2",
        "ALTER TABLE topup DISABLE TRIGGER ALL",
        "DROP TRIGGER topup_guard ON topup",
        "CREATE TRIGGER mine BEFORE INSERT ON topup EXECUTE FUNCTION refuse('no')",
        "CREATE TABLE other (id bigint)",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_may_not_even_try(server: sa.Connection, attack: str) -> None:
    with server.begin():
        server.execute(sa.text(f"SET LOCAL ROLE {postgresql.APP}"))
        with pytest.raises(sa.exc.DBAPIError) as caught, server.begin_nested():
            server.execute(sa.text(attack))
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


def test_reports_read_every_table_and_write_none(server: sa.Connection) -> None:
    with server.begin():
        server.execute(sa.text(f"SET LOCAL ROLE {postgresql.REPORT}"))
        private = {"topup_receipt"}  # the proofs of people's purchases
        shown = {table for table, _ in ROWS} - private
        for table in (*sorted(shown), "wallet_lock", "notice", "notice_seen", "creator_fts"):
            server.execute(sa.text(f"SELECT 1 FROM {table}"))  # noqa: S608 - our own tables
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
                may = sa.text("SELECT has_table_privilege(:table, :right)")
                assert server.execute(may, {"table": table, "right": right}).scalar() is False


def words_of(revision: str, dialect: str) -> set[str]:
    """What a revision's guards say when they refuse."""
    folder = Path(migrations.__file__).parent / "versions"
    text = (folder / f"{revision}.{dialect}.sql").read_text(encoding="utf-8")
    found = re.findall(r"(?:RAISE\(ABORT, |RAISE EXCEPTION |refuse\()'((?:[^']|'')+)'", text)
    return {words.replace("''", "'") for words in found}


@pytest.mark.parametrize("revision", REVISIONS)
def test_both_databases_refuse_in_the_same_words(revision: str) -> None:
    everywhere = {words for each in REVISIONS for words in words_of(each, "postgresql")}
    assert words_of(revision, "sqlite") - everywhere <= KEPT_BY_A_KEY
    assert words_of(revision, "postgresql") <= words_of(revision, "sqlite")


def test_every_guard_is_attacked() -> None:
    attacked = {words for _, words in ATTACKS} | {words for *_, words in BIRTHS} | KEPT_BY_A_KEY
    assert attacked == {words for revision in REVISIONS for words in words_of(revision, "sqlite")}
