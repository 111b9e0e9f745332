"""Transfers happen once, wallets are their lots, and statements page without a gap."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.storage import placing
from tests.storage.databases import START

from shoutgraph.domain import accounts, errors, ids, ledger as books, pages
from shoutgraph.domain.ledger import Account, Floor, Lot, LotMove, Posting, Transfer
from shoutgraph.storage import ledger, ledger_proof
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

FAN = ids.UserId("user_fan")
PAID, PROMO = accounts.paid(FAN), accounts.promo(FAN)
POOL = accounts.money_account("cash:pool", "EUR")
ORDER = ids.OrderId("order_1")


def post(transfer: Transfer) -> Callable[[Tx], bool]:
    return lambda tx: ledger.post(tx, transfer)


def spend(ref: str, coins: int, *moves: LotMove) -> Transfer:
    creator = accounts.pending(ids.CreatorId("creator_1"))
    return Transfer("gift", ref, (Posting(PAID, creator, coins, "gift"),), lot_moves=moves)


def granted(lot_id: str, coins: int, *, days: int = 0, expires: int | None = None) -> Transfer:
    wallet, mint = (PAID, accounts.MINT) if expires is None else (PROMO, accounts.PROMO_MINT)
    at = START + timedelta(days=days)
    until = None if expires is None else START + timedelta(days=expires)
    lot = Lot(lot_id, wallet.code, FAN, ids.TopupId("topup_1"), coins, coins, 1000, "EUR", "DE", at, until)
    return Transfer("granted", lot_id, (Posting(mint, wallet, coins, "grant"),), lot_grants=(lot,))


def test_a_transfer_moves_coins_and_opens_what_it_names(store: Store) -> None:
    assert store.write_now(post(granted("lot_a", 100)))
    found = store.read_now(lambda tx: ledger.balances(tx, [accounts.MINT.code, PAID.code, "nobody"]))
    assert found == {accounts.MINT.code: -100, PAID.code: 100, "nobody": 0}
    assert store.read_now(lambda tx: ledger.balance_coins(tx, PAID.code)) == 100
    assert store.read_now(lambda tx: ledger.balance_coins(tx, "nobody")) == 0


def test_a_repeated_transfer_changes_nothing(store: Store) -> None:
    assert store.write_now(post(granted("lot_a", 100))) is True
    assert store.write_now(post(granted("lot_a", 100))) is False
    assert store.read_now(lambda tx: ledger.balance_coins(tx, PAID.code)) == 100


def test_the_same_name_with_other_content_is_a_conflict(store: Store) -> None:
    store.write_now(post(granted("lot_a", 100)))
    with pytest.raises(errors.LedgerConflictError) as conflict:
        store.write_now(post(granted("lot_a", 99)))
    assert (conflict.value.kind, conflict.value.ref) == ("granted", "lot_a")
    assert store.read_now(lambda tx: ledger.balance_coins(tx, PAID.code)) == 100


def test_a_posted_transfer_is_found_by_its_name(store: Store) -> None:
    transfer = granted("lot_a", 100)

    def run(tx: Tx) -> tuple[int | None, int | None]:
        ledger.post(tx, transfer)
        return ledger.number_of(tx, "granted", "lot_a"), ledger.number_of(tx, "granted", "none")

    number, none = store.write_now(run)
    found = store.read_now(lambda tx: ledger.find_transfer(tx, "granted", "lot_a"))
    assert found is not None
    assert (found.number, found.digest, found.kind, found.ref) == (number, transfer.digest(), "granted", "lot_a")
    assert found.at >= START
    assert none is None
    assert store.read_now(lambda tx: ledger.number_of(tx, "granted", "lot_a")) == number


def test_an_account_stays_what_it_was_opened_as(store: Store) -> None:
    store.write_now(post(granted("lot_a", 100)))
    changed = [
        replace(PAID, floor=Floor.FREE, wallet=False),
        replace(PAID, wallet=False),
        replace(PAID, asset=books.PROMO),
        replace(PAID, wallet=False, order_id=ORDER),
    ]
    for at, account in enumerate(changed):
        other = replace(accounts.MINT, code="another", asset=account.asset)
        with pytest.raises(errors.InvariantError, match="another asset, floor or tie"):
            store.write_now(post(Transfer("changed", str(at), (Posting(account, other, 1, "x"),))))


def test_money_is_kept_in_book_units_of_its_currency(store: Store) -> None:
    for currency in ("EUR", "JPY", "KWD"):
        pool, spent = (accounts.money_account(name, currency) for name in ("cash:pool", "exp:psp"))
        store.write_now(post(Transfer("paid", currency, (Posting(spent, pool, 5, "fee"),))))
    scales = store.read_now(lambda tx: tx.all(placing.SCALES))
    assert dict(scales) == {"COIN": 0, "PROMO": 0, "CAP": 0, "EUR": 4, "JPY": 2, "KWD": 5}


def test_an_unknown_currency_is_a_fault(store: Store) -> None:
    pool, spent = (accounts.money_account(name, "XXQ") for name in ("cash:pool", "exp:psp"))
    with pytest.raises(KeyError):
        store.write_now(post(Transfer("paid", "1", (Posting(spent, pool, 5, "fee"),))))


def test_an_account_that_is_empty_closes_for_ever(store: Store) -> None:
    hold = accounts.holding("payout", "payout_1")
    into = Transfer("hold", "1", (Posting(accounts.MINT, hold, 5, "hold"),))
    out = Transfer("hold", "2", (Posting(hold, accounts.MINT, 5, "paid"),))
    store.write_now(post(into))
    with pytest.raises(errors.InvariantError, match="closed_is_zero"):
        store.write_now(lambda tx: ledger.close(tx, hold.code))
    store.write_now(post(out))
    assert store.read_now(lambda tx: [v.rows for v in ledger_proof.verify(tx)]) == [("payout:payout_1: moved 5",)]
    store.write_now(lambda tx: ledger.close(tx, hold.code))
    for account in (hold.code, "nobody"):
        with pytest.raises(errors.InvariantError, match="no open account"):
            store.write_now(lambda tx, account=account: ledger.close(tx, account))
    with pytest.raises(errors.InvariantError, match=r"closed_is_zero|closed for ever"):
        store.write_now(post(replace(into, ref="3")))
    assert store.read_now(ledger_proof.verify) == []


def test_lots_are_spent_oldest_first_and_expiring_ones_before(store: Store) -> None:
    for transfer in (granted("lot_b", 20, days=2), granted("lot_a", 10, days=1), granted("lot_c", 30, days=3)):
        store.write_now(post(transfer))
    for transfer in (granted("lot_z", 5, expires=30), granted("lot_y", 5, expires=10), granted("lot_x", 5, expires=20)):
        store.write_now(post(transfer))
    paid = store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PAID.code))
    promo = store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PROMO.code))
    assert [(lot.id, lot.remaining) for lot in paid] == [("lot_a", 10), ("lot_b", 20), ("lot_c", 30)]
    assert [lot.id for lot in promo] == ["lot_y", "lot_x", "lot_z"]
    assert paid[0] == granted("lot_a", 10, days=1).lot_grants[0]


def test_an_expired_lot_is_not_spendable_until_it_is_extended(store: Store, clock: Callable[[], None]) -> None:
    store.write_now(post(granted("lot_x", 5, expires=10)))
    clock.move(days=11)  # type: ignore[attr-defined]
    assert store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PROMO.code)) == ()
    expired = store.read_now(lambda tx: ledger.list_of_expired_lots(tx, limit=10))
    assert [lot.id for lot in expired] == ["lot_x"]
    store.write_now(lambda tx: ledger.extend_lot(tx, "lot_x", tx.now + timedelta(days=7)))
    assert [lot.id for lot in store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PROMO.code))] == ["lot_x"]
    assert store.read_now(lambda tx: ledger.list_of_expired_lots(tx, limit=10)) == ()
    with pytest.raises(errors.InvariantError, match="or later"):
        store.write_now(lambda tx: ledger.extend_lot(tx, "lot_x", tx.now))
    with pytest.raises(errors.InvariantError, match="no lot"):
        store.write_now(lambda tx: ledger.extend_lot(tx, "lot_none", tx.now))


def test_a_lot_is_found_by_its_id_and_by_its_topup(store: Store) -> None:
    store.write_now(post(granted("lot_a", 10)))
    store.write_now(post(granted("lot_x", 5, expires=10)))
    assert [lot.id for lot in store.read_now(lambda tx: ledger.list_of_lots_of_topup(tx, ids.TopupId("topup_1")))] == [
        "lot_a",
        "lot_x",
    ]
    assert store.read_now(lambda tx: ledger.find_lot(tx, "lot_a")) == granted("lot_a", 10).lot_grants[0]
    assert store.read_now(lambda tx: ledger.find_lot(tx, "lot_none")) is None


def test_a_lot_for_an_account_that_does_not_exist_is_a_fault(store: Store) -> None:
    transfer = granted("lot_a", 10)
    astray = replace(transfer.lot_grants[0], account="nobody")
    with pytest.raises(errors.InvariantError, match=r"does not exist|lot_move_lot_id_fkey"):
        store.write_now(post(replace(transfer, lot_grants=(astray,))))


def test_a_spend_takes_lots_with_its_coins_or_fails_whole(store: Store) -> None:
    store.write_now(post(granted("lot_a", 10)))
    store.write_now(post(granted("lot_b", 20, days=1)))

    def give(ref: str, coins: int) -> Callable[[Tx], bool]:
        def work(tx: Tx) -> bool:
            moves = books.take(ledger.list_of_spendable_lots(tx, PAID.code), coins)
            return ledger.post(tx, spend(ref, coins, *moves))

        return work

    store.write_now(give("1", 15))
    lots = store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PAID.code))
    assert [(lot.id, lot.remaining) for lot in lots] == [("lot_b", 15)]
    for ref, transfer in enumerate((spend("2", 5), spend("3", 5, LotMove("lot_b", -4)), spend("4", 16))):
        with pytest.raises(errors.InvariantError):
            store.write_now(post(replace(transfer, ref=f"wrong-{ref}")))
    with pytest.raises(AssertionError, match="wallet's balance"):
        store.write_now(give("5", 16))
    assert store.read_now(lambda tx: ledger.balance_coins(tx, PAID.code)) == 15
    assert store.read_now(ledger_proof.verify) == []


def test_an_order_gives_coins_back_to_the_lots_it_took_them_from(store: Store) -> None:
    store.write_now(post(granted("lot_a", 10)))
    store.write_now(post(granted("lot_b", 20, days=1)))
    store.write_now(post(granted("lot_x", 4, expires=10)))
    escrow, promo_escrow = accounts.escrow(ORDER), accounts.promo_escrow(ORDER)

    def place(tx: Tx) -> None:
        promo = books.take(ledger.list_of_spendable_lots(tx, PROMO.code), 4, order_id=ORDER)
        paid = books.take(ledger.list_of_spendable_lots(tx, PAID.code), 12, order_id=ORDER)
        moves = (Posting(PROMO, promo_escrow, 4, "hold"), Posting(PAID, escrow, 12, "hold"))
        placing.insert(tx, ORDER, state="SCREENING", price_coins=16)
        ledger.post(tx, Transfer("order.placed", ORDER, moves, lot_moves=promo + paid))

    store.write_now(place)
    held = store.read_now(lambda tx: ledger.list_of_held_lots(tx, ORDER))
    assert [(move.lot_id, move.coins) for move in held] == [("lot_x", 4), ("lot_a", 10), ("lot_b", 2)]
    held_paid = store.read_now(lambda tx: ledger.list_of_held_lots(tx, ORDER, account=PAID.code))
    assert [move.lot_id for move in held_paid] == ["lot_a", "lot_b"]

    def give_back(tx: Tx) -> None:
        moves = (Posting(promo_escrow, PROMO, 4, "back"), Posting(escrow, PAID, 12, "back"))
        placing.save(tx, ORDER, state="CANCELLED", revision=2)
        ledger.post(tx, Transfer("order.closed", ORDER, moves, lot_moves=held))

    store.write_now(give_back)
    assert store.read_now(lambda tx: ledger.list_of_held_lots(tx, ORDER)) == ()
    assert [lot.remaining for lot in store.read_now(lambda tx: ledger.list_of_spendable_lots(tx, PAID.code))] == [
        10,
        20,
    ]
    assert store.read_now(ledger_proof.verify) == []


def test_an_order_and_its_escrow_move_together_or_not_at_all(store: Store) -> None:
    store.write_now(post(granted("lot_a", 10)))
    hold = Transfer(
        "order.placed",
        ORDER,
        (Posting(PAID, accounts.escrow(ORDER), 10, "hold"),),
        lot_moves=(LotMove("lot_a", -10, ORDER),),
    )
    half_done: list[Callable[[Tx], object]] = [
        lambda tx: placing.insert(tx, ORDER, state="SCREENING", price_coins=10),
        lambda tx: (placing.insert(tx, ORDER, state="SCREENING", price_coins=9), ledger.post(tx, hold)),
        lambda tx: (placing.insert(tx, ORDER, state="DRAFT", price_coins=10), ledger.post(tx, hold)),
        post(hold),
    ]
    for work in half_done:
        with pytest.raises(errors.InvariantError, match=r"FOREIGN KEY|account_order_id_fkey|and its escrow holds"):
            store.write_now(work)
    store.write_now(lambda tx: (ledger.post(tx, hold), placing.insert(tx, ORDER, state="SCREENING", price_coins=10)))
    with pytest.raises(errors.InvariantError, match=r"FOREIGN KEY|account_order_id_fkey|and its escrow holds"):
        store.write_now(lambda tx: placing.save(tx, ORDER, state="COMPLETED", revision=2))
    assert store.read_now(ledger_proof.verify) == []


def statement(store: Store, **page: object) -> tuple[list[int], pages.Page[object]]:
    args = pages.read_args(scope="statement", kinds=(int,), **page)  # type: ignore[arg-type]
    lines = store.read_now(lambda tx: ledger.list_of_entries(tx, PAID.code, args))
    cut = pages.cut(lines, args, scope="statement", key_of=lambda line: (line.version,))
    return [line.version for line in cut.items], cut  # type: ignore[misc]


def test_a_statement_pages_in_both_directions_without_a_gap(store: Store) -> None:
    store.write_now(post(granted("lot_a", 100)))
    for number in range(1, 7):
        store.write_now(post(spend(str(number), number, LotMove("lot_a", -number))))
    first, page = statement(store, first=3)
    second, rest = statement(store, first=10, after=page.cursors[-1])
    assert (first, second) == ([7, 6, 5], [4, 3, 2, 1])
    assert (page.has_next, rest.has_next) == (True, False)
    assert statement(store, last=2)[0] == [2, 1]
    assert statement(store, last=2, before=rest.cursors[0])[0] == [6, 5]


def test_a_line_of_a_statement_says_what_moved_and_what_was_left(store: Store) -> None:
    store.write_now(post(granted("lot_a", 100)))
    store.write_now(post(spend("1", 30, LotMove("lot_a", -30))))
    args = pages.read_args(scope="x", first=5)
    spent, got = store.read_now(lambda tx: ledger.list_of_entries(tx, PAID.code, args))
    assert (spent.kind, spent.ref, spent.reason, spent.amount, spent.balance) == ("gift", "1", "gift", -30, 70)
    assert (got.amount, got.balance, got.counter_account, got.version) == (100, 100, "mint", 1)
    assert spent.counter_account == "creator:creator_1:pending"
    assert spent.at > got.at >= START


def test_a_posting_names_two_sides_of_one_asset() -> None:
    with pytest.raises(AssertionError):
        Posting(PAID, POOL, 1, "x")
    with pytest.raises(AssertionError):
        Posting(PAID, Account(PAID.code, books.COIN, Floor.CREDIT), 1, "x")
