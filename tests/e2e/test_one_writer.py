"""One data folder has one writer, any number of readers, and guards whose absence is seen."""

import asyncio
import sqlite3

import pytest
from tests.e2e.crowd import PLACE, Crowd, new_key, wish
from tests.e2e.market import RICH_COINS, Market
from tests.e2e.processes import Nursery, Server, orders_in
from tests.e2e.wire import Wire

TAKEN = "another process writes to shoutgraph.db"


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("seed",), ("migrate",)])
def test_a_second_writer_is_refused_in_a_sentence(
    nursery: Nursery, server: Server, market: Market, command: tuple[str, ...]
):
    code, said = nursery.run(*command, "--data-dir", market.folder, log=market.folder / "second.log")
    assert (code, TAKEN in said, said.count("\n")) == (1, True, 1), said
    asyncio.run(_place(server, market))


def test_the_books_are_proven_and_read_while_clients_order(nursery: Nursery, server: Server, market: Market):
    said = asyncio.run(_look_while_ordering(nursery, server, market))
    proofs, statements = said[::2], said[1::2]
    assert all("The books balance." in proof for proof in proofs), proofs
    orders = [orders_in(proof) for proof in proofs]
    assert orders == sorted(orders)
    assert orders[0] < orders[-1], "the books grew between two proofs"
    assert all("order.placed" in each for each in statements), statements


def test_a_missing_guard_and_a_changed_balance_are_named_and_never_served(nursery: Nursery, market: Market):
    server = Server(nursery, market.folder).start()
    asyncio.run(_place(server, market))
    assert server.stop() == 0
    _tamper(market, "DROP TRIGGER account_balance", "UPDATE account SET credits = credits + 5 WHERE code = :wallet")
    code, said = nursery.run("ledger", "verify", "--data-dir", market.folder, log=server.log)
    assert code == 1
    assert "someone dropped a guard" in said
    paid = RICH_COINS + 5
    assert f"user:{market.rich_id}:paid: debits 1000, replayed 1000, credits {paid}, replayed {RICH_COINS}" in said
    code, said = nursery.run(*server.arguments, log=server.log)
    assert (code, "someone dropped a guard" in said, "Traceback" in said) == (1, True, False), said


def test_a_changed_balance_under_a_restored_guard_is_named(nursery: Nursery, market: Market):
    connection = sqlite3.connect(market.database)
    (guard,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'lot_balance'").fetchone()
    connection.close()
    _tamper(market, "DROP TRIGGER lot_balance", "UPDATE lot SET remaining = remaining - 1 WHERE user_id = :user", guard)
    code, said = nursery.run("ledger", "verify", "--data-dir", market.folder, log=market.folder / "verify.log")
    assert code == 1
    assert f"user:{market.rich_id}:paid: balance {RICH_COINS}, lots {RICH_COINS - 1}" in said, said


@pytest.mark.parametrize("command", ["verify", "statement mint"])
@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 300])
def test_what_is_no_database_is_refused_in_a_sentence(
    nursery: Nursery, market: Market, command: str, content: bytes | None
):
    folder = market.folder / "other"
    folder.mkdir()
    if content is not None:
        (folder / "shoutgraph.db").write_bytes(content)
    code, said = nursery.run("ledger", *command.split(), "--data-dir", folder, log=market.folder / "verify.log")
    assert (code, "error: " in said, "Traceback" in said) == (1, True, False), said


async def _place(server: Server, market: Market) -> None:
    with Wire(server.port, market.token(market.rich_id)) as wire:
        data = await wire.once(PLACE, input=wish(market.sellers[0].offer_id, new_key()))
    assert data["orderPlace"]["errors"] == []


async def _look_while_ordering(nursery: Nursery, server: Server, market: Market) -> list[str]:
    commands = (("ledger", "verify"), ("ledger", "statement", f"user:{market.rich_id}:paid")) * 2
    said = []
    clients = asyncio.create_task(Crowd(market, server.port).place(8))
    await asyncio.sleep(0.2)
    for command in commands:
        log = market.folder / "look.log"
        code, text = await asyncio.to_thread(nursery.run, *command, "--data-dir", market.folder, log=log)
        assert code == 0, text
        said.append(text)
    server.kill()
    await clients
    return said


def _tamper(market: Market, *statements: str) -> None:
    connection = sqlite3.connect(market.database)
    for statement in statements:
        connection.execute(statement, {"wallet": f"user:{market.rich_id}:paid", "user": market.rich_id})
    connection.commit()
    connection.close()
