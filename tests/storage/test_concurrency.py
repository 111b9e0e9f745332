"""Many clients and one wallet: it is never overdrawn, and every coin is accounted for."""

import asyncio

from tests.storage.databases import START

from shoutgraph.domain import accounts, errors, ids, ledger as books
from shoutgraph.domain.ledger import Lot, LotMove, Posting, Transfer
from shoutgraph.storage import ledger, ledger_proof
from shoutgraph.storage.engine import Store, Tx

CLIENTS = 64
COINS = 100
FAN = ids.UserId("user_fan")
PAID = accounts.paid(FAN)
CREATOR = accounts.pending(ids.CreatorId("creator_1"))


def top_up(tx: Tx) -> None:
    for number in range(4):
        lot = Lot(f"lot_{number}", PAID.code, FAN, None, COINS // 4, COINS // 4, 0, None, None, START)
        moved = (Posting(accounts.MINT, PAID, COINS // 4, "topup"),)
        ledger.post(tx, Transfer("topup", lot.id, moved, lot_grants=(lot,)))


def careful(tx: Tx, ref: str, coins: int) -> None:
    """Looks before it spends, as a use-case does."""
    lots = ledger.list_of_spendable_lots(tx, PAID.code)
    have = sum(lot.remaining for lot in lots)
    if have < coins:
        raise errors.InsufficientCoinsError(required_coins=coins, available_coins=have)
    moves = books.take(lots, coins)
    ledger.post(tx, Transfer("gift", ref, (Posting(PAID, CREATOR, coins, "gift"),), lot_moves=moves))


def careless(tx: Tx, ref: str, coins: int) -> None:
    """Spends without looking; only the database is in its way."""
    taken = (LotMove("lot_3", -coins),)
    ledger.post(tx, Transfer("gift", ref, (Posting(PAID, CREATOR, coins, "gift"),), lot_moves=taken))


def test_many_clients_never_overdraw_one_wallet(store: Store) -> None:
    store.write_now(top_up)

    async def client(number: int) -> list[object]:
        spend = careless if number % 4 == 0 else careful
        return [await attempt(spend, f"{number}-{at}", 1 + number % 5) for at in range(4)]

    async def attempt(spend: object, ref: str, coins: int) -> object:
        try:
            await store.write(lambda tx: spend(tx, ref, coins))  # type: ignore[operator]
        except (errors.InsufficientCoinsError, errors.InvariantError) as refusal:
            return type(refusal)
        return coins

    async def watch() -> list[int]:
        seen = []
        for _ in range(50):
            found = await store.read(lambda tx: ledger.balances(tx, [PAID.code, CREATOR.code]))
            assert sum(found.values()) == COINS, "no reader sees a half-done transfer"
            seen.append(found[PAID.code])
        return seen

    async def run() -> tuple[list[list[object]], list[int]]:
        *answers, seen = await asyncio.gather(*(client(number) for number in range(CLIENTS)), watch())
        return answers, seen  # type: ignore[return-value]

    answers, seen = asyncio.run(run())
    outcomes = [outcome for client_ in answers for outcome in client_]
    spent = sum(outcome for outcome in outcomes if isinstance(outcome, int))
    assert min(seen) >= 0
    assert seen == sorted(seen, reverse=True)
    assert {errors.InsufficientCoinsError, errors.InvariantError} <= set(outcomes)
    found = store.read_now(lambda tx: ledger.balances(tx, [PAID.code, CREATOR.code]))
    assert found == {PAID.code: COINS - spent, CREATOR.code: spent}
    assert spent >= COINS - 5, "what could be spent was spent"
    assert store.read_now(ledger_proof.verify) == []


def test_a_transfer_that_many_clients_repeat_happens_once(store: Store) -> None:
    store.write_now(top_up)

    async def run() -> list[bool]:
        moved = (Posting(PAID, CREATOR, 5, "gift"),)
        transfer = Transfer("gift", "the same", moved, lot_moves=(LotMove("lot_0", -5),))
        return await asyncio.gather(*(store.write(lambda tx: ledger.post(tx, transfer)) for _ in range(CLIENTS)))

    assert sum(asyncio.run(run())) == 1
    assert store.read_now(lambda tx: ledger.balance_coins(tx, CREATOR.code)) == 5
