"""What the application's role could try: to write the books past `post`, to lie to it, and to get rid of the guards."""

# ruff: noqa: S608, ISC004 - attacks are SQL text

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.storage.postgresql.scene import outbox
from tests.storage.scene import CREATOR, DEBT, ENDED_ORDER, ESCROW, FAN, FEE, FREE, FREE_PROMO, LIVE_ORDER, OTHER, SHUT

Words = tuple[str, ...]
"""A name, a part of the message that refuses, and the statements of one transaction."""

DENIED: Final = "permission denied"
BOOKS: Final = ("asset", "account", "transfer", "posting", "entry", "lot", "lot_move", "event", "topic", "sequencer")
"""Tables that the application may only read."""

NOBODY: Final = 999
CODES: Final[dict[int, tuple[str, str, int, str | None, int]]] = {
    FAN: ("user:fan:paid", "COIN", 1, None, 1),
    OTHER: ("user:other:paid", "COIN", 1, None, 1),
    ESCROW: ("order:live:coin", "COIN", 1, LIVE_ORDER, 0),
    DEBT: ("user:fan:debt", "COIN", -1, None, 0),
    CREATOR: ("creator:c:pending", "COIN", 1, None, 0),
    FEE: ("fee:0", "COIN", 1, None, 0),
    FREE: ("free", "COIN", 0, None, 0),
    FREE_PROMO: ("freep", "PROMO", 0, None, 0),
    SHUT: ("payout:shut", "COIN", 1, None, 0),
    NOBODY: ("nobody", "COIN", 1, None, 0),
}
"""The scene's accounts, as a caller names them."""

Leg = tuple[int, int, int]
"""A debit, a credit and an amount."""


def post(
    *legs: Leg,
    name: str = "x",
    number: str = "n",
    asset: str = "COIN",
    lots: Sequence[tuple[str, int, int]] = (),
    moves: Sequence[tuple[str, int, str | None]] = (),
    accounts: Sequence[tuple[str, str, int, str | None, int]] = (),
) -> str:
    """A call of the only way into the books, under a number that was taken as it should be."""
    named = [*(CODES[each] for each in dict.fromkeys(side for leg in legs for side in leg[:2])), *accounts]
    kind, _, ref = name.partition(" ")
    arguments = [
        "true",
        f"ARRAY[{number}]",
        *(_texts([text]) for text in (kind, ref or "1")),
        "ARRAY['\\x" + "00" * 32 + "'::bytea]",
        "ARRAY[0::bigint]",
        *(_texts([each[place] for each in named]) for place in (0, 1)),
        _numbers([None] * len(named)),
        _numbers([each[2] for each in named]),
        _texts([each[3] for each in named]),
        _numbers([each[4] for each in named]),
        _numbers([number] * len(legs)),
        *(_texts([CODES[leg[place]][0] for leg in legs]) for place in (0, 1)),
        _texts([asset] * len(legs)),
        _numbers([leg[2] for leg in legs]),
        _texts(["r"] * len(legs)),
        _texts([lot for lot, _, _ in lots]),
        _texts([CODES[account][0] for _, account, _ in lots]),
        _texts(["user_fan"] * len(lots)),
        _texts([None] * len(lots)),
        _numbers([granted for _, _, granted in lots]),
        _numbers([100] * len(lots)),
        *(_texts([None] * len(lots)) for _ in range(2)),
        _numbers([0] * len(lots)),
        _numbers([None] * len(lots)),
        _texts([lot for lot, _, _ in moves]),
        _numbers([number] * len(moves)),
        _texts([order for _, _, order in moves]),
        _numbers([coins for _, coins, _ in moves]),
    ]
    return f"SELECT post({', '.join(arguments)}) FROM transfer_numbers(1) AS n"


def _texts(values: Sequence[str | None]) -> str:
    return f"ARRAY[{', '.join('NULL' if value is None else repr(value) for value in values)}]::text[]"


def _numbers(values: Sequence[Any]) -> str:
    return f"ARRAY[{', '.join('NULL' if value is None else str(value) for value in values)}]::bigint[]"


def end(order: str, state: str = "COMPLETED", revision: int = 3) -> str:
    return f"UPDATE orders SET state = '{state}', revision = {revision} WHERE id = '{order}'"


def swallow(*statements: str) -> str:
    """Runs statements and has their laws checked where the refusal is caught."""
    caught = "BEGIN SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN OTHERS THEN NULL; END"
    return f"DO $$ BEGIN {'; '.join(statements)}; {caught}; END $$"


_DRAIN: Final = post((ESCROW, CREATOR, 50))
_DRAINED: Final = "its escrow holds 0 of 50"


def _perform(call: str) -> str:
    return call.replace("SELECT", "PERFORM", 1)


_POSTS: tuple[Words, ...] = (
    ("post more than there is", "no_overdraft", post((CREATOR, FEE, 21))),
    ("post more than there is, and give it back", "no_overdraft", post((CREATOR, FEE, 21), (FREE, CREATOR, 21))),
    ("post to one who may only owe", "no_overcredit", post((FREE, DEBT, 1))),
    ("post to a closed account, by post", "closed for ever", post((FREE, SHUT, 1))),
    ("post coins from promo coins, by post", "violates foreign key", post((FREE_PROMO, CREATOR, 1))),
    ("post a negative amount, by post", "posting_amount", post((FREE, CREATOR, -1))),
    ("post nothing, by post", "posting_amount", post((FREE, CREATOR, 0))),
    ("post beyond all bounds, by post", "posting_amount", post((FREE, CREATOR, 10**15 + 1))),
    ("post to oneself, by post", "posting_has_two_sides|only through postings", post((FREE, FREE, 1))),
    ("post a transfer again", "transfer_once", post((FREE, CREATOR, 1), name="topup 1")),
    ("end an order a second time", "transfer_once", post((FREE, CREATOR, 1), name="closed 2")),
    ("post under another's number", "transfer_pkey", post((FREE, CREATOR, 1), number="8")),
    ("post under a number of later", "handed out", post((FREE, CREATOR, 1), number="n + 1")),
    ("post under a number before the first", "handed out", post((FREE, CREATOR, 1), number="-1")),
    ("post without a number", "handed out", post((FREE, CREATOR, 1), number="NULL::bigint")),
    ("take an escrow away from its order", _DRAINED, _DRAIN),
    ("take a part of an escrow away", "holds 49 of 50", post((ESCROW, CREATOR, 1))),
    ("pay into a live order again", "holds 60 of 50", post((FREE, ESCROW, 10))),
    ("take an escrow away and end another order", "stays ended", _DRAIN, end(ENDED_ORDER, "REFUNDED", 5)),
    ("end an order and leave its coins", "COMPLETED and its escrow holds 50 of 0", end(LIVE_ORDER)),
    (
        "end an order with a part of its coins",
        "COMPLETED and its escrow holds 20 of 0",
        post((ESCROW, CREATOR, 30)),
        end(LIVE_ORDER),
    ),
    ("take an escrow away, the laws deferred", _DRAINED, "SET CONSTRAINTS ALL DEFERRED", _DRAIN),
    ("take an escrow away, one law deferred", _DRAINED, "SET CONSTRAINTS escrow_law DEFERRED", _DRAIN),
    ("take an escrow away, and swallow the refusal", _DRAINED, swallow(_perform(_DRAIN))),
    ("end an order, and swallow the refusal", "holds 50 of 0", swallow(end(LIVE_ORDER))),
    ("spend coins of no lot, by post", "its lots 50", post((FAN, CREATOR, 10))),
    ("spend a lot and no coins, by post", "its lots 40", post((FREE, FEE, 1), moves=[("lot_fan", -10, None)])),
    ("spend another's lot, by post", "and its lots", post((FAN, CREATOR, 5), moves=[("lot_other", -5, None)])),
    (
        "grant a lot and no coins, by post",
        "its lots 60",
        post((FREE, FEE, 1), lots=[("x", FAN, 10)], moves=[("x", 10, None)]),
    ),
    ("grant coins and no lot, by post", "and its lots 50", post((FREE, FAN, 10))),
    ("grant a lot outside of a wallet, by post", "in a wallet", post((FREE, FEE, 1), lots=[("x", CREATOR, 10)])),
    ("grant a lot to nobody, by post", "does not exist", post((FREE, FEE, 1), lots=[("x", NOBODY, 10)])),
    (
        "grant a lot twice, by post",
        "lot_pkey",
        post((FREE, FAN, 9), lots=[("lot_fan", FAN, 9)], moves=[("lot_fan", 9, None)]),
    ),
    ("take more than a lot has, by post", "lot_remaining", post((FREE, FEE, 1), moves=[("lot_fan", -51, None)])),
    (
        "give a lot more than was granted, by post",
        "lot_remaining",
        post((FREE, FAN, 51), moves=[("lot_fan", 51, None)]),
    ),
    (
        "give more back for an order than it took",
        "at most what it took",
        post((FREE, FAN, 60), moves=[("lot_fan", -10, None), ("lot_fan", 60, LIVE_ORDER)]),
    ),
    (
        "give back for an order that took nothing",
        "at most what it took",
        post((FREE, OTHER, 1), moves=[("lot_other", 1, LIVE_ORDER)]),
    ),
    (
        "free an account of its floor, by post",
        "another asset, floor or tie",
        post((FREE, FEE, 1), accounts=[("creator:c:pending", "COIN", 0, None, 0)]),
    ),
    (
        "untie an escrow, by post",
        "another asset, floor or tie",
        post((FREE, FEE, 1), accounts=[("order:live:coin", "COIN", 1, None, 0)]),
    ),
    (
        "open a wallet of money, by post",
        "tied_accounts_hold_coins",
        post((FREE, FEE, 1), accounts=[("x", "EUR", 1, None, 1)]),
    ),
    (
        "open an account of no asset, by post",
        "violates foreign key",
        post((FREE, FEE, 1), accounts=[("x", "GOLD", 1, None, 0)]),
    ),
    (
        "open an escrow of no order, by post",
        "violates foreign key",
        post((FREE, FEE, 1), accounts=[("x", "COIN", 1, "order_none", 0)]),
    ),
    ("close an account that is not empty", "closed_is_zero", "SELECT close_account('creator:c:pending')"),
    ("let a lot expire earlier, by its function", "or later", "SELECT extend_lot('lot_promo', 999)"),
)

_ORDERS: tuple[Words, ...] = (
    ("bring an order back", "stays ended", end(ENDED_ORDER, "SCREENING", 5)),
    ("bring an order back with its coins", "stays ended", post((FREE, ESCROW, 1)), end(ENDED_ORDER, "SCREENING", 5)),
    ("end an order in another way", "stays ended", end(ENDED_ORDER, "REFUNDED", 5)),
    (
        "insert over an order that has ended",
        "stays ended",
        "INSERT INTO orders SELECT * FROM orders WHERE id = 'order_ended'"
        " ON CONFLICT (id) DO UPDATE SET state = 'SCREENING', revision = 9",
    ),
    (
        "merge over an order that has ended",
        "stays ended",
        "MERGE INTO orders o USING (SELECT 'order_ended' AS id) s ON s.id = o.id"
        " WHEN MATCHED THEN UPDATE SET state = 'SCREENING', revision = 9",
    ),
    (
        "place an order behind a CTE",
        "holds 0 of 50",
        'WITH copied AS (INSERT INTO orders SELECT (jsonb_populate_record(o, \'{"id": "order_x"}\')).*'
        " FROM orders o WHERE id = 'order_live' RETURNING id) SELECT * FROM copied",
    ),
    (
        "place an order through a view",
        "holds 50 of 0",
        "CREATE TEMP VIEW mine AS SELECT * FROM orders",
        "UPDATE mine SET state = 'CANCELLED', revision = 3 WHERE id = 'order_live'",
    ),
    ("take an order of another", "whose it is", f"UPDATE orders SET fan_id = 'y' WHERE id = '{LIVE_ORDER}'"),
    ("delete an order, as the application", DENIED, f"DELETE FROM orders WHERE id = '{LIVE_ORDER}'"),
    ("truncate orders, as the application", DENIED, "TRUNCATE orders CASCADE"),
)

_JOURNAL: tuple[Words, ...] = (
    ("tell of an event again", "told twice", outbox("event_1_1")),
    ("tell of an event that waits again", "outbox_event", outbox("event_waiting", "other")),
    ("tell of an event under a number of later", "is told as line 9", outbox("event_x", topic_seq=9)),
    ("tell of an event under a number of before", "is told as line 1", outbox("event_x", topic_seq=1)),
    ("tell of an event at no time", "outbox_at", outbox("event_x", at=2**62)),
    ("tell of an event before all time", "outbox_at", outbox("event_x", at=-1)),
    (
        "tell of an event over another",
        DENIED,
        outbox("event_waiting") + " ON CONFLICT (event_id) DO UPDATE SET body = '{1}'",
    ),
    ("change what waits to be told", DENIED, "UPDATE outbox SET body = '{1}'"),
    ("keep what waits from being told", DENIED, "DELETE FROM outbox"),
    ("set aside what waits", DENIED, "INSERT INTO outbox_dead SELECT *, 'no reason' FROM outbox"),
    ("change an answer, as the application", DENIED, "UPDATE request SET result = '2'"),
    ("change a policy", DENIED, "UPDATE policy SET body = '{}'"),
    ("go back to an older revision", DENIED, "UPDATE alembic_version SET version_num = '0001'"),
)

_RIGHTS: tuple[Words, ...] = (
    ("lock the accounts", DENIED, "LOCK TABLE account IN ACCESS EXCLUSIVE MODE"),
    ("lock the postings a little", DENIED, "LOCK TABLE posting IN ROW EXCLUSIVE MODE"),
    ("lock the journal", DENIED, "LOCK TABLE event IN SHARE MODE"),
    ("lock the sequencer's row", DENIED, "SELECT * FROM sequencer FOR UPDATE"),
    ("lock an account's row", DENIED, "SELECT * FROM account FOR SHARE"),
    ("switch a trigger off", "must be owner", "ALTER TABLE posting DISABLE TRIGGER posting_apply"),
    ("switch all triggers off", "must be owner", "ALTER TABLE orders DISABLE TRIGGER ALL"),
    ("switch all guards off", DENIED, "SET session_replication_role = replica"),
    ("drop a guard", "must be owner", "DROP TRIGGER orders_guard ON orders"),
    ("drop a check", "must be owner", "ALTER TABLE account DROP CONSTRAINT no_overdraft"),
    ("add a trigger", DENIED, "CREATE TRIGGER mine BEFORE INSERT ON orders EXECUTE FUNCTION refuse('x')"),
    ("add a rule", "must be owner", "CREATE RULE mine AS ON INSERT TO outbox DO INSTEAD NOTHING"),
    ("add a table", DENIED, "CREATE TABLE mine (id bigint)"),
    ("add a function", DENIED, "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    (
        "put a function in front of the system's",
        DENIED,
        "CREATE FUNCTION nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    ),
    (
        "replace a function",
        DENIED,
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ),
    ("rename a function", "must be owner", "ALTER FUNCTION order_law() RENAME TO other"),
    ("make a function run as its caller", "must be owner", "ALTER FUNCTION outbox_number() SECURITY INVOKER"),
    ("add a schema", DENIED, "CREATE SCHEMA mine"),
    ("drop the language of the guards", "must be owner", "DROP EXTENSION plpgsql CASCADE"),
    ("add a language function", DENIED, "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE c AS 'x'"),
    ("add a child of the accounts", "must be owner", "CREATE TEMP TABLE mine () INHERITS (account)"),
    ("drop the journal", "must be owner", "DROP TABLE event CASCADE"),
    ("take a table", "must be owner", "ALTER TABLE account OWNER TO shoutgraph_app"),
    ("grant oneself rights", DENIED, "GRANT UPDATE ON account TO shoutgraph_app", "UPDATE account SET credits = 1000"),
    ("grant oneself the owner's rights", f"{DENIED}|must have admin", "GRANT shoutgraph_owner TO shoutgraph_app"),
    ("make oneself a superuser", f"{DENIED}|must be superuser", "ALTER ROLE shoutgraph_app SUPERUSER"),
    ("write numbers of the system", DENIED, "SELECT setval('posting_id_seq', 1)"),
    ("take a number of the postings", DENIED, "SELECT nextval('lot_move_id_seq')"),
    ("begin numbers anew", "must be owner", "ALTER SEQUENCE transfer_id_seq RESTART"),
    ("write the catalogue", DENIED, "UPDATE pg_trigger SET tgenabled = 'D'"),
    (
        "end another's session",
        "permission denied|must be",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    ),
    ("run a program", f"{DENIED}|must be superuser", "COPY orders TO PROGRAM 'true'"),
    ("read a file", DENIED, "SELECT pg_read_file('postgresql.conf')"),
    (
        "write through a view",
        DENIED,
        "CREATE TEMP VIEW mine AS SELECT * FROM account",
        "UPDATE mine SET credits = 1000",
    ),
    ("write through a CTE", DENIED, "WITH w AS (UPDATE account SET credits = 1000 RETURNING 1) SELECT * FROM w"),
    ("write through a block", DENIED, "DO $$ BEGIN UPDATE account SET credits = 1000; END $$"),
    (
        "write through a merge",
        DENIED,
        "MERGE INTO account USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET credits = 1000",
    ),
    (
        "write through a copy",
        DENIED,
        "COPY posting (transfer_id, asset, debit_id, credit_id, amount, reason) FROM STDIN\n90\tCOIN\t10\t8\t5\tr",
    ),
    (
        "write through a trigger of one's own",
        DENIED,
        "CREATE TEMP TABLE mine (id bigint)",
        "CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN UPDATE public.account SET credits = 1000; RETURN NEW; END'",
        "CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.f()",
        "INSERT INTO mine VALUES (1)",
    ),
    *(
        (f"call {name}", "can only be called as trigger", f"SELECT {name}()")
        for name in ("posting_apply", "order_law", "outbox_number", "refuse")
    ),
)


def _direct() -> Iterator[Words]:
    for table in BOOKS:
        yield (
            f"insert into {table}",
            DENIED,
            f"INSERT INTO {table} ({_column(table)}) SELECT {_column(table)} FROM {table}",
        )
        yield f"update {table}", DENIED, f"UPDATE {table} SET {_column(table)} = {_column(table)}"
        yield f"delete from {table}", DENIED, f"DELETE FROM {table}"
        yield f"truncate {table}", DENIED, f"TRUNCATE {table} CASCADE"


def _column(table: str) -> str:
    """A column that every row may be asked to keep."""
    others = {"asset": "scale", "sequencer": "seq", "topic": "lines", "lot_move": "coins", "event": "body"}
    return others.get(table, "debits" if table == "entry" else "id")


DIRECT: Final = tuple(each for each in _direct() if each[0] not in {"insert into event", "update sequencer"})
ALL: Final = (*_POSTS, *_ORDERS, *_JOURNAL, *_RIGHTS, *_direct())
