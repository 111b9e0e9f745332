"""What the owner of the tables could try with rows, once it has not dropped the guards: a start tells when it has."""

# ruff: noqa: S608, ISC004 - attacks are SQL text

from collections.abc import Iterator
from typing import Final

from tests.storage.postgresql.appwords import Words, swallow
from tests.storage.postgresql.scene import event, outbox, stand, translate
from tests.storage.scene import (
    CREATOR,
    DIGEST,
    ENDED_ORDER,
    ESCROW,
    FAN,
    FEE,
    FREE,
    HASH,
    LIVE_ORDER,
    SPARE,
    lot,
    move,
    posting,
    transfer,
)

KEPT: Final = (
    *(
        "asset",
        "account",
        "transfer",
        "posting",
        "entry",
        "lot",
        "lot_move",
        "orders",
        "topic",
        "outbox",
        "outbox_dead",
    ),
    *("sequencer", "event", "policy"),
)
"""Tables that nobody empties."""

_COLUMNS = "transfer_id, asset, debit_id, credit_id, amount, reason"
_EMPTY = "its escrow holds 0 of 50"
_NAMED = "id, code, asset, floor, order_id, wallet"
_FORGED = f"({CREATOR}, 2, 1, 0, 1020)"


def _over(table: str, key: str, change: str, where: str = "true") -> str:
    return f"INSERT INTO {table} SELECT * FROM {table} WHERE {where} ON CONFLICT ({key}) DO UPDATE SET {change}"


def _by_trigger(*statements: str) -> tuple[str, ...]:
    """The same from a trigger of one's own, which leaves no trace in the schema."""
    body = "; ".join(statements).replace("'", "''")
    return (
        "CREATE TEMP TABLE mine (id bigint)",
        f"CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {body}; RETURN NEW; END'",
        "CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.f()",
        "INSERT INTO mine VALUES (1)",
    )


def _truncations() -> Iterator[Words]:
    for table in KEPT:
        yield (
            f"truncate {table}",
            "never|append-only|counted|told otherwise|set aside|stands|told",
            f"TRUNCATE {table} CASCADE",
        )


_OVER: tuple[Words, ...] = (
    (
        "insert over an account",
        "only through postings",
        f"INSERT INTO account ({_NAMED}) SELECT {_NAMED} FROM account WHERE id = {CREATOR}"
        " ON CONFLICT (id) DO UPDATE SET credits = 1000",
    ),
    ("insert over a transfer", "append-only", _over("transfer", "id", "ref = 'x'", f"id = {SPARE}")),
    (
        "insert over a transfer by its name",
        "append-only",
        _over("transfer", "kind, ref", "digest = transfer.digest", f"id = {SPARE}"),
    ),
    (
        "insert over an entry",
        "append-only|come from",
        _over("entry", "account_id, version", "credits = 1000", f"account_id = {CREATOR}"),
    ),
    ("insert over a lot", "empty, in a wallet|only through", _over("lot", "id", "remaining = 60", "id = 'lot_fan'")),
    ("insert over an asset", "never change", _over("asset", "code", "scale = 2", "code = 'EUR'")),
    ("insert over an event", "dense and chained", _over("event", "seq", "body = '{1}'")),
    (
        "insert over an order",
        "stays ended",
        _over("orders", "id", "state = 'SCREENING', revision = 9", f"id = '{ENDED_ORDER}'"),
    ),
    ("insert over a topic", "counted one by one", _over("topic", "topic", "lines = 9")),
    ("insert over what waits", "told twice|told otherwise|is told as", _over("outbox", "id", "body = '{1}'")),
    ("insert over the sequencer", "newest line", _over("sequencer", "one", "seq = 2")),
    ("insert over an answer", "never changes", _over("request", "principal, mutation, key", "result = '2'")),
    (
        "merge over an account",
        "only through postings",
        f"MERGE INTO account a USING (SELECT {CREATOR} AS id) s ON s.id = a.id"
        " WHEN MATCHED THEN UPDATE SET credits = credits + 1000",
    ),
    (
        "merge an account away",
        "never deleted",
        f"MERGE INTO account a USING (SELECT {FREE} AS id) s ON s.id = a.id WHEN MATCHED THEN DELETE",
    ),
    (
        "write an account through a view",
        "only through postings",
        "CREATE TEMP VIEW mine AS SELECT * FROM account",
        f"UPDATE mine SET credits = 1000 WHERE id = {CREATOR}",
    ),
)

_TRICKS: tuple[Words, ...] = (
    (
        "open an account under a number that is taken",
        "account_pkey",
        f"INSERT INTO account (id, code, asset, floor, wallet) VALUES ({FREE}, 'x', 'EUR', 0, 0)",
    ),
    (
        "repeat the newest entry as it is",
        "entry_pkey",
        f"INSERT INTO entry SELECT * FROM entry WHERE account_id = {CREATOR} AND version = 1",
    ),
    ("set a deadline twice", "deadline_pkey", "INSERT INTO deadline SELECT * FROM deadline"),
    (
        "take more from one lot than it has, and less from another",
        "lot_remaining",
        lot("x", FAN, 10),
        move("x", 10),
        move("lot_fan", -60),
        posting(FAN, FREE, 40),
    ),
    (
        "hide an overdraft in one statement",
        "no_overdraft",
        posting(CREATOR, FEE, 30) + f", ({SPARE}, 'COIN', {FREE}, {CREATOR}, 30, 'r')",
    ),
    (
        "hide an overdraft in two CTEs",
        "no_overdraft",
        f"WITH a AS ({posting(CREATOR, FEE, 15)} RETURNING 1), b AS ({posting(CREATOR, FEE, 15)} RETURNING 1)"
        " SELECT * FROM a, b",
    ),
    (
        "write the entry beside its posting",
        "come from postings",
        f"WITH p AS ({posting(FREE, CREATOR, 5)} RETURNING id) INSERT INTO entry SELECT {CREATOR}, 2, id, 0, 25 FROM p",
    ),
    (
        "write the balance beside its posting",
        "only through postings",
        f"WITH p AS ({posting(FREE, CREATOR, 5)} RETURNING id)"
        f" UPDATE account SET credits = credits + 5, version = version + 1, last_posting = p.id FROM p"
        f" WHERE account.id = {CREATOR}",
    ),
    (
        "write the lot beside its move",
        "only through lot moves",
        f"WITH m AS ({move('lot_fan', -10)} RETURNING id)"
        " UPDATE lot SET remaining = remaining - 10, last_move = m.id FROM m WHERE lot.id = 'lot_fan'",
        posting(FAN, FREE, 10),
    ),
    (
        "swallow the refusal of one posting",
        "and its lots",
        f"DO $$ BEGIN {posting(FAN, FREE, 10)}; BEGIN {posting(CREATOR, FREE, 99)};"
        " EXCEPTION WHEN OTHERS THEN NULL; END; END $$",
    ),
    ("swallow the refusal of a law", "its escrow holds", swallow(posting(ESCROW, FREE, 50))),
    (
        "copy a posting in",
        "no_overdraft",
        f"COPY posting ({_COLUMNS}) FROM STDIN\n{SPARE}\tCOIN\t{CREATOR}\t{FEE}\t99\tr",
    ),
    ("copy an entry in", "come from postings", f"COPY entry FROM STDIN\n{CREATOR}\t2\t1\t0\t1020"),
    (
        "copy a rich account in",
        "at zero",
        "COPY account (code, asset, floor, wallet, credits) FROM STDIN\nx\tCOIN\t0\t0\t5",
    ),
    (
        "copy an event in",
        "dense and chained",
        f"COPY event FROM STDIN\n9\tevent_x\ttopic\t3\tx\t\\N\t{{}}\t200\t\\\\x{'00' * 32}\t\\\\x{'00' * 32}",
    ),
    ("write an entry from a trigger", "come from postings", *_by_trigger(f"INSERT INTO public.entry VALUES {_FORGED}")),
    (
        "write a balance from a trigger",
        "only through postings|come from postings",
        *_by_trigger(
            "UPDATE public.account SET credits = 1020, version = 2, last_posting = last_posting + 1"
            f" WHERE id = {CREATOR}",
            f"INSERT INTO public.entry VALUES {_FORGED}",
        ),
    ),
    (
        "write a lot from a trigger",
        "only through lot moves",
        *_by_trigger("UPDATE public.lot SET remaining = 60 WHERE id = ''lot_fan''".replace("''", "'")),
    ),
    (
        "count a subject's lines from a trigger",
        "counted one by one|tells of a line",
        *_by_trigger("UPDATE public.topic SET lines = lines + 1"),
    ),
    ("switch all guards off, as the owner", "permission denied", "SET session_replication_role = replica"),
    ("switch the system's guards off", "permission denied", "ALTER TABLE posting DISABLE TRIGGER ALL"),
    ("skip the laws of an order", _EMPTY, "SET CONSTRAINTS ALL DEFERRED", posting(ESCROW, CREATOR, 50)),
    (
        "hide a table behind one's own",
        _EMPTY,
        "CREATE TEMP TABLE orders (id text, state text, price_coins bigint)",
        f"INSERT INTO pg_temp.orders VALUES ('{LIVE_ORDER}', 'COMPLETED', 50)",
        "SET LOCAL search_path = pg_temp, public",
        posting(ESCROW, CREATOR, 50),
    ),
    (
        "hide a function behind one's own",
        _EMPTY,
        "CREATE FUNCTION pg_temp.coalesce_sum(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 50::bigint'",
        "CREATE AGGREGATE pg_temp.sum(bigint) (SFUNC = int8larger, STYPE = bigint)",
        "SET LOCAL search_path = pg_temp, public",
        posting(ESCROW, CREATOR, 50),
    ),
    (
        "close an account and open it again",
        "closed for ever",
        f"UPDATE account SET closed = 1 WHERE id = {FREE}",
        f"UPDATE account SET closed = 0 WHERE id = {FREE}",
    ),
    (
        "repeat a transfer over another",
        "duplicate key",
        transfer(91, "spare", "1").replace(DIGEST, "decode(repeat('00', 32), 'hex')"),
    ),
)


def _sealed(
    *others: str, seq: int = 4, topic_seq: int = 9, at: int = 200, digest: str | None = None, **values: object
) -> tuple[str, ...]:
    """A line, and the sequencer with it."""
    hashed = {} if digest is None else {"hash": digest}
    return event(seq, "topic", topic_seq, at=at, **hashed, **values), stand(seq, at=at, digest=digest), *others


JOURNAL: Final[tuple[Words, ...]] = (
    ("seal with a gap", "dense and chained", *_sealed(seq=5, prev=HASH[3])),
    ("seal before the end", "dense and chained", *_sealed(prev=HASH[2])),
    ("seal at a time of before", "dense and chained", *_sealed(at=199)),
    ("seal a line of a subject too late", "dense and chained", *_sealed(topic_seq=0)),
    ("seal a line of a subject again", "dense and chained", *_sealed(topic_seq=2)),
    ("seal an event again", "event_id_key", *_sealed(id="'event_1_1'")),
    ("seal with no hash", "event_hash", *_sealed(digest="x'00'")),
    ("seal what tells of no transfer", "violates foreign key", *_sealed(transfer_id=999)),
    (
        "add the sequencer again",
        "sequencer_pkey",
        translate(f"INSERT INTO sequencer (seq, hash, at) VALUES (3, {HASH[3]}, 200)"),
    ),
    (
        "begin a subject late, and tell of it",
        "counted one by one",
        "INSERT INTO topic VALUES ('new', 2)",
        outbox("event_x", "new"),
    ),
    ("count a line of another subject", "tells of a line", "UPDATE topic SET lines = lines + 1 WHERE topic = 'other'"),
    (
        "count on where a line was set aside",
        "tells of a line",
        "UPDATE topic SET lines = lines + 1 WHERE topic = 'dead'",
    ),
    ("set aside the same place twice", "outbox_dead_pkey", "INSERT INTO outbox_dead SELECT * FROM outbox_dead"),
    (
        "set aside another event than is taken",
        "is told, or set aside",
        "INSERT INTO outbox_dead"
        " SELECT id, event_id || 'x', topic, topic_seq, type, transfer_id, body, at, 'x' FROM outbox",
        "DELETE FROM outbox",
    ),
    ("seal a line and stay behind it", "stands at the newest line", event(4, "topic", 9)),
    ("stand before the newest line", "stands at the newest line", stand(2)),
    ("stand behind the newest line", "stands at the newest line", stand(4)),
    ("stand at a line with another hash", "stands at the newest line", stand(3, digest=HASH[2])),
    ("stand at a line of another time", "stands at the newest line", stand(3, at=100)),
    (
        "add a second sequencer",
        "sequencer_one|duplicate key",
        translate(f"INSERT INTO sequencer (one, seq, hash, at) VALUES (false, 3, {HASH[3]}, 200)"),
    ),
    ("drop the sequencer's row", "stands at the newest line", "DELETE FROM sequencer"),
    ("lose what waits", "is told, or set aside", "DELETE FROM outbox"),
    (
        "lose what waits while sealing another",
        "is told, or set aside",
        "DELETE FROM outbox",
        event(4, "topic", 9),
        stand(4),
    ),
    (
        "set aside another than is taken",
        "is told, or set aside",
        "INSERT INTO outbox_dead"
        " SELECT id + 1, event_id, topic, topic_seq, type, transfer_id, body, at, 'x' FROM outbox",
        "DELETE FROM outbox",
    ),
    ("change what waits, as the owner", "told otherwise", "UPDATE outbox SET body = '{1}'"),
    ("renumber what waits", "told otherwise", "UPDATE outbox SET id = 1"),
    (
        "forget what was set aside",
        "is kept",
        "INSERT INTO outbox_dead SELECT *, 'x' FROM outbox",
        "DELETE FROM outbox_dead",
    ),
    (
        "change what was set aside",
        "is kept",
        "INSERT INTO outbox_dead SELECT *, 'x' FROM outbox",
        "UPDATE outbox_dead SET reason = 'y'",
    ),
    (
        "count a line that nobody told of",
        "counted one by one|tells of a line",
        "UPDATE topic SET lines = lines + 1 WHERE topic = 'topic'",
    ),
    ("count lines back", "counted one by one", "UPDATE topic SET lines = 1 WHERE topic = 'topic'"),
    ("begin a subject at nothing", "counted one by one|topic_lines", "INSERT INTO topic VALUES ('new', 0)"),
    ("begin a subject late", "counted one by one", "INSERT INTO topic VALUES ('new', 2)"),
    (
        "begin a subject that nobody told of",
        "counted one by one|tells of a line",
        "INSERT INTO topic VALUES ('new', 1)",
    ),
    ("forget a subject", "counted one by one", "DELETE FROM topic WHERE topic = 'other'"),
    (
        "rename a subject",
        "counted one by one",
        "UPDATE topic SET topic = 'new', lines = lines + 1 WHERE topic = 'other'",
    ),
    ("tell of an event twice, as the owner", "told twice", outbox("event_1_1")),
    ("tell under a wrong number, as the owner", "is told as line", outbox("event_x", topic_seq=9)),
    (
        "change a policy, as the owner",
        "append-only",
        "INSERT INTO policy VALUES (1, '{}', 0)",
        "UPDATE policy SET body = '{1}'",
    ),
)

ALL: Final = (*_OVER, *_TRICKS, *JOURNAL, *_truncations())
