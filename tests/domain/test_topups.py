"""Top-ups: observations in any order, one credit, and steps that always sum to what was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shoutgraph.domain import accounts, ids, ledger
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.topups import booking, machine, polling
from shoutgraph.domain.topups.booking import Dispute, Escrowed, Step, StepKind
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.taken import TakenBack, way_again
from shoutgraph.domain.topups.topup import (
    Action,
    ActionKind,
    Observation,
    Payload,
    Review,
    Seen,
    Source,
    Status,
    Submission,
    Terms,
    Topup,
    Totals,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FAN = ids.UserId("user_01040g2081040g2081040g2081")
TOPUP = ids.TopupId("topup_01040g2081040g2081040g2081")
PRICE = 10_999
TERMS = Terms(
    package_id=None,
    coins=7_000,
    bonus_coins=70,
    price_minor=PRICE,
    currency="EUR",
    book_units=PRICE * 100,
    country="DE",
    platform=Platform.WEB,
)
PAYLOAD = Payload("en", "https://fan.example/back", "https://fan.example/no", "https://api.example/hooks/x", "Coins")
REDIRECT = Action(ActionKind.REDIRECT, ("https://pay.example/1",))


def topup(**changes: Any) -> Topup:
    fresh = Topup(
        id=TOPUP,
        revision=1,
        user_id=FAN,
        instance="sandbox",
        terms=TERMS,
        payload=PAYLOAD,
        created_at=T0,
        updated_at=T0,
        first_sent_at=T0,
        answer_due_at=T0 + 30 * SECOND,
    )
    return replace(fresh, **changes)


def settled(at: int = 1, **totals: Any) -> Observation:
    amounts = {"settled_minor": PRICE} | totals
    return Observation(Seen.SETTLED, T0 + at * SECOND, ref="pay_1", totals=Totals(**amounts), currency="EUR")


def pending(at: int = 1) -> Observation:
    return Observation(Seen.PENDING, T0 + at * SECOND, ref="pay_1", poll_after=60 * SECOND)


def needs_action(at: int = 1, expires: int = 900) -> Observation:
    return Observation(
        Seen.NEEDS_ACTION, T0 + at * SECOND, ref="pay_1", action=REDIRECT, expires_at=T0 + expires * SECOND
    )


def declined(at: int = 1, code: str | None = "card_declined", *, retryable: bool = False) -> Observation:
    return Observation(Seen.DECLINED, T0 + at * SECOND, ref="pay_1", code=code, retryable=retryable)


def unknown(at: int = 1, code: str = "timeout") -> Observation:
    return Observation(Seen.UNKNOWN, T0 + at * SECOND, code=code)


def not_executed(at: int = 1) -> Observation:
    return Observation(Seen.NOT_EXECUTED, T0 + at * SECOND, code="unavailable")


def absent(at: int) -> Observation:
    return Observation(Seen.ABSENT, T0 + at * SECOND)


def seen_all(start: Topup, *observations: Observation, source: Source = Source.NOTICE) -> Topup:
    for each in observations:
        start = machine.observe(start, each, source)
    return start


def answered(observation: Observation) -> Topup:
    return machine.observe(topup(), observation, Source.ANSWER)


@pytest.mark.parametrize(
    ("observation", "status"),
    [
        (settled(), Status.PAID),
        (pending(), Status.PENDING),
        (needs_action(), Status.ACTION_REQUIRED),
        (declined(), Status.FAILED),
        (not_executed(), Status.FAILED),
        (unknown(), Status.PROCESSING),
        (settled(settled_minor=500), Status.NEEDS_REVIEW),
        (settled(settled_minor=PRICE + 1), Status.NEEDS_REVIEW),
        (unknown(code="amount_mismatch"), Status.NEEDS_REVIEW),
        (settled(refunded_minor=1), Status.PARTLY_REFUNDED),
        (settled(refunded_minor=PRICE), Status.REFUNDED),
        (settled(refunded_minor=PRICE, refunds_failed_minor=PRICE), Status.PAID),
        (settled(refunded_minor=2 * PRICE, refunds_failed_minor=PRICE), Status.REFUNDED),
        (settled(refunded_minor=PRICE, refunds_failed_minor=1), Status.PARTLY_REFUNDED),
        (settled(disputed_minor=PRICE), Status.DISPUTED),
        (settled(disputed_minor=PRICE, won_minor=PRICE), Status.PAID),
        (settled(disputed_minor=PRICE, lost_minor=PRICE), Status.REFUNDED),
    ],
)
def test_the_status_is_a_projection_of_what_was_seen(observation: Observation, status: Status) -> None:
    assert topup().status is Status.CREATED
    assert answered(observation).status is status


def test_money_in_another_currency_is_never_credited() -> None:
    strange = answered(replace(settled(), currency="USD"))
    assert strange.status is Status.NEEDS_REVIEW
    assert strange.review is Review.CURRENCY_MISMATCH
    assert booking.next_step(strange, ()) is None


@pytest.mark.parametrize("minor", [1, PRICE - 1, PRICE + 1])
def test_another_amount_is_never_credited(minor: int) -> None:
    strange = answered(settled(settled_minor=minor))
    assert strange.review is Review.AMOUNT_MISMATCH
    assert booking.next_step(strange, ()) is None


def test_late_money_opens_a_failed_top_up_again() -> None:
    late = seen_all(answered(declined()), settled(at=600))
    assert late.status is Status.PAID
    assert booking.next_step(late, ()) == Step(StepKind.CREDIT)


def test_a_decline_never_lowers_what_settled() -> None:
    after = seen_all(answered(settled()), declined(at=5))
    assert (after.status, after.totals.settled_minor) == (Status.PAID, PRICE)


@pytest.mark.parametrize("first", [True, False])
def test_a_decline_is_final_if_one_of_the_same_code_was_whichever_came_first(*, first: bool) -> None:
    seen = seen_all(topup(), declined(1, None, retryable=first), declined(2, None, retryable=not first))
    assert (seen.declined_code, seen.retryable) == ("declined", False)
    assert seen_all(topup(), declined(1, None, retryable=True)).retryable


def test_no_time_turns_unknown_into_failed() -> None:
    lost = machine.lost_answer(topup(), now=T0 + 31 * SECOND)
    assert lost.status is Status.PROCESSING
    for hours in (1, 24, 24 * 365):
        lost = machine.overdue_unknown(lost, now=T0 + timedelta(hours=hours))
        assert lost.status is Status.PROCESSING
        assert polling.next_look(lost, looks=hours, now=T0) is not None
    assert lost.review is Review.UNKNOWN_FOR_LONG


def test_an_answer_is_waited_for_until_it_is_due() -> None:
    assert machine.lost_answer(topup(), now=T0 + 29 * SECOND).status is Status.CREATED


def test_not_found_is_a_proof_only_after_the_declared_time() -> None:
    lost = answered(unknown())
    limit = timedelta(minutes=10)
    assert machine.observe(lost, absent(9_999), Source.LOOK).status is Status.PROCESSING
    assert machine.observe(lost, absent(629), Source.LOOK, absence_after=limit).status is Status.PROCESSING
    proven = machine.observe(lost, absent(630), Source.LOOK, absence_after=limit)
    assert (proven.status, proven.submission) == (Status.FAILED, Submission.NOT_EXECUTED)
    assert polling.next_look(proven, looks=0, now=T0) is None


def test_not_found_proves_nothing_of_what_was_once_found() -> None:
    lost = replace(answered(unknown()), ref="pay_1")
    seen = machine.observe(lost, absent(9_999), Source.LOOK, absence_after=SECOND)
    assert seen.status is Status.PROCESSING


def test_not_executed_proves_nothing_of_an_earlier_attempt() -> None:
    again = machine.resent(answered(unknown()), now=T0 + 5 * SECOND, answer_due_at=T0 + 40 * SECOND)
    seen = machine.observe(again, not_executed(6), Source.ANSWER)
    assert seen.submission is Submission.UNKNOWN
    assert seen.status is Status.PROCESSING


def test_only_the_first_answer_that_nothing_happened_lets_another_provider_be_asked() -> None:
    sent = topup()
    nothing = machine.observe(sent, not_executed(), Source.ANSWER)
    assert machine.may_go_on(sent, nothing)
    for other in (unknown(), declined(), pending(), settled()):
        assert not machine.may_go_on(sent, machine.observe(sent, other, Source.ANSWER))
    assert not machine.may_go_on(sent, machine.observe(sent, not_executed(), Source.LOOK))
    assert not machine.may_go_on(nothing, machine.observe(nothing, not_executed(), Source.ANSWER))
    again = machine.resent(machine.observe(sent, unknown(), Source.ANSWER), now=T0, answer_due_at=T0 + SECOND)
    assert not machine.may_go_on(again, machine.observe(again, not_executed(), Source.ANSWER))


def test_what_goes_on_elsewhere_agrees_on_the_same_and_has_a_key_of_its_own() -> None:
    nothing = machine.observe(topup(), not_executed(), Source.ANSWER)
    other = ids.TopupId("topup_01040g2081040g2081040g2082")
    after = machine.elsewhere(nothing, other, instance="spare", webhook_url="https://api.example/hooks/y", now=T0)
    assert (after.id, after.instance, after.follows, after.status) == (other, "spare", TOPUP, Status.CREATED)
    assert (after.terms, after.user_id) == (nothing.terms, nothing.user_id)
    assert after.payload == replace(PAYLOAD, webhook_url="https://api.example/hooks/y")


def test_a_look_that_was_not_made_proves_nothing() -> None:
    lost = answered(unknown())
    assert machine.observe(lost, not_executed(9), Source.LOOK) is lost


def test_a_key_is_sent_again_only_inside_its_window() -> None:
    lost = answered(unknown())
    window, timeout = timedelta(hours=24), timedelta(seconds=10)
    inside, outside = T0 + window - 11 * SECOND, T0 + window - 10 * SECOND
    assert machine.may_resend(lost, window=window, timeout=timeout, now=inside)
    assert not machine.may_resend(lost, window=window, timeout=timeout, now=outside)
    assert not machine.may_resend(lost, window=None, timeout=timeout, now=inside)
    assert not machine.may_resend(topup(), window=window, timeout=timeout, now=inside)


def test_a_notice_before_the_answer_is_kept() -> None:
    early = machine.observe(topup(), settled(), Source.NOTICE)
    after = machine.observe(early, unknown(2), Source.ANSWER)
    assert (early.status, after.status) == (Status.PAID, Status.PAID)


def test_an_action_that_expired_unpaid_fails_and_late_money_still_counts() -> None:
    expired = seen_all(answered(needs_action()), needs_action(at=901), source=Source.LOOK)
    assert expired.status is Status.FAILED
    assert seen_all(expired, settled(at=1_000)).status is Status.PAID


def test_an_older_sight_does_not_undo_a_newer_one() -> None:
    after = seen_all(answered(pending(at=10)), needs_action(at=5))
    assert after.status is Status.PENDING


def test_the_same_observation_again_changes_nothing() -> None:
    once = answered(settled())
    assert machine.observe(once, settled(), Source.NOTICE) is once


AMOUNTS = st.integers(0, PRICE)
SIGHTS = st.lists(
    st.one_of(
        st.builds(pending, st.integers(1, 50)),
        st.builds(needs_action, st.integers(1, 50)),
        st.builds(declined, st.integers(1, 50), st.sampled_from([None, "expired_card"]), retryable=st.booleans()),
        st.builds(unknown, st.integers(1, 50), st.sampled_from(["timeout", "amount_mismatch", "totals_mismatch"])),
        st.builds(
            lambda at, refunded, disputed, won, lost, fee: settled(
                at,
                refunded_minor=refunded,
                disputed_minor=disputed,
                won_minor=won,
                lost_minor=lost,
                fee_currency="EUR",
                fee_minor=fee,
            ),
            st.integers(1, 50),
            AMOUNTS,
            AMOUNTS,
            st.just(0),
            st.just(0),
            st.integers(0, 99),
        ),
        st.just(settled()),
    ),
    min_size=1,
    max_size=7,
)


@given(SIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter(sights: list[Observation], random: Any) -> None:
    shuffled = [*sights, *random.sample(sights, random.randint(0, len(sights)))]
    random.shuffle(shuffled)
    one, other = seen_all(topup(), *sights), seen_all(topup(), *shuffled)
    assert one.totals == other.totals
    assert one.paid == other.paid
    assert one.review == other.review
    assert (one.declined_code, one.retryable) == (other.declined_code, other.retryable)
    if one.paid or one.review is not None or one.declined_code is not None:
        assert one.status is other.status


class Wallet:
    """A dumb account of what the steps do, to compare with what was seen."""

    def __init__(self) -> None:
        self.topup = answered(settled())
        self.disputes: list[Dispute] = []
        self.taken: list[TakenBack] = []
        self.credits = 0
        self.gone = Slice()
        self.fee_minor = 0

    def see(self, observation: Observation) -> None:
        self.topup = machine.observe(self.topup, observation, Source.NOTICE)
        for _ in range(30):
            step = booking.next_step(self.topup, self.disputes, (), self.taken)
            if step is None:
                return
            self.take(step)
        raise AssertionError("the steps do not end")

    def take(self, step: Step) -> None:
        match step.kind:
            case StepKind.CREDIT:
                self.credits += 1
            case StepKind.FEE:
                self.fee_minor += step.part.minor
            case StepKind.REFUND:
                self.move(step.part)
                if step.part.minor:
                    ref = f"r{self.topup.totals.refunded_minor}"
                    self.taken.append(TakenBack(ref, TOPUP, step.part, (), T0))
            case StepKind.REFUND_FAILED:
                self.come_back(step)
            case StepKind.DISPUTE:
                self.move(step.part)
                until = self.topup.totals.disputed_minor
                self.disputes.append(Dispute(f"d{until}", TOPUP, step.part, until, (), 0, step.part.coins, T0))
            case StepKind.DECISION:
                assert step.dispute is not None
                at = self.disputes.index(step.dispute)
                lost = booking.lost_part(step.dispute, step.lost_minor)
                won = step.dispute.part.less(lost)
                self.gone = self.gone.less(won)
                self.disputes[at] = replace(step.dispute, decided_at=T0, lost_minor=step.lost_minor)
        self.topup = booking.booked(self.topup, step)

    def come_back(self, step: Step) -> None:
        assert step.failed_minor > 0
        if step.taken is not None:
            assert step.part.minor == step.failed_minor
            at = self.taken.index(step.taken)
            self.taken[at] = replace(step.taken, back=step.taken.back.plus(step.part))
            assert min(step.part.coins, self.taken[at].left.coins, self.taken[at].left.book_units) >= 0
        self.gone = self.gone.less(step.part)

    def move(self, part: Slice) -> None:
        assert min(part.minor, part.coins, part.book_units) >= 0
        self.gone = Slice(
            self.gone.minor + part.minor, self.gone.coins + part.coins, self.gone.book_units + part.book_units
        )


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), max_size=6))
def test_the_books_follow_what_was_seen_and_never_take_more_than_was_given(amounts: list[tuple[int, ...]]) -> None:
    wallet = Wallet()
    wallet.see(settled())
    for at, (refunded, disputed, won, lost, fee) in enumerate(amounts):
        decided = won + lost <= PRICE
        wallet.see(
            settled(
                at,
                refunded_minor=refunded,
                disputed_minor=max(disputed, won + lost) if decided else disputed,
                won_minor=won if decided else 0,
                lost_minor=lost if decided else 0,
                fee_currency="EUR",
                fee_minor=fee,
            )
        )
        assert 0 <= wallet.gone.minor <= PRICE
        assert 0 <= wallet.gone.coins <= TERMS.coins
        assert 0 <= wallet.gone.book_units <= TERMS.book_units
        booked = wallet.topup.booked
        assert (booked.reversed_minor, booked.reversed_coins) == (wallet.gone.minor, wallet.gone.coins)
    assert wallet.credits == 1
    assert wallet.fee_minor == wallet.topup.totals.fee_minor
    if wallet.gone.minor == PRICE:
        assert (wallet.gone.coins, wallet.gone.book_units) == (TERMS.coins, TERMS.book_units)


@given(st.lists(st.tuples(st.integers(1, PRICE), st.booleans()), max_size=8), st.randoms(use_true_random=False))
def test_what_came_back_is_given_back_whatever_is_told_first(moves: list[tuple[int, bool]], random: Any) -> None:
    """Refunds within what is left, and of what was refunded some comes back; looks come late, twice, in any order."""
    looks, refunded, failed = [settled()], 0, 0
    for minor, comes_back in moves:
        if comes_back:
            failed += min(minor, refunded - failed)
        else:
            refunded += min(minor, PRICE - refunded + failed)
        looks.append(settled(refunded_minor=refunded, refunds_failed_minor=failed))
    truth = Wallet()
    for look in looks:
        truth.see(look)
    confused = Wallet()
    shuffled = [*looks, *looks[-2:]]
    random.shuffle(shuffled)
    for look in shuffled:
        confused.see(look)
    for wallet in (truth, confused):
        assert wallet.gone.minor == refunded - failed
        booked = wallet.topup.booked
        assert (booked.refunded_minor, booked.refunds_failed_minor) == (refunded, failed)
        assert Slice(booked.reversed_minor, booked.reversed_coins, booked.reversed_book_units) == wallet.gone
        assert sum(each.left.minor for each in wallet.taken) == wallet.gone.minor
        assert sum(each.left.coins for each in wallet.taken) == wallet.gone.coins
        assert wallet.topup.review is None
        if wallet.gone.minor in {0, PRICE}:
            assert wallet.gone == (Slice() if wallet.gone.minor == 0 else booking.whole(wallet.topup))
    assert truth.topup.status is confused.topup.status


def test_money_that_came_back_of_a_refund_that_took_nothing_returns_nothing() -> None:
    wallet = Wallet()
    wallet.see(settled(disputed_minor=PRICE))
    wallet.see(settled(disputed_minor=PRICE, refunded_minor=500))
    assert (wallet.gone, wallet.topup.review) == (booking.whole(wallet.topup), Review.TOTALS_MISMATCH)
    wallet.see(settled(disputed_minor=PRICE, refunded_minor=500, refunds_failed_minor=500))
    assert wallet.gone == booking.whole(wallet.topup)
    assert wallet.topup.booked.refunds_failed_minor == 500


def test_what_came_back_before_it_was_booked_takes_nothing() -> None:
    wallet = Wallet()
    wallet.see(settled(refunded_minor=500, refunds_failed_minor=400))
    assert (wallet.gone.minor, [each.part.minor for each in wallet.taken]) == (100, [100])


def test_the_refund_that_fits_is_the_one_that_came_back() -> None:
    wallet = Wallet()
    for refunded in (300, 500, 800):
        wallet.see(settled(refunded_minor=refunded))
    wallet.see(settled(refunded_minor=800, refunds_failed_minor=200))
    assert [each.left.minor for each in wallet.taken] == [300, 0, 300]
    wallet.see(settled(refunded_minor=800, refunds_failed_minor=350))
    assert [each.left.minor for each in wallet.taken] == [300, 0, 150]


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 999), st.integers(0, 500))
def test_coins_that_come_back_fit_their_lots(own: int, other: int, owed: int, debt: int, used: int) -> None:
    taken = (LotMove("own", -own), LotMove("other", -other))
    record = TakenBack("r", TOPUP, Slice(PRICE, own + other + owed, 0), taken, T0, owed_coins=owed)
    back = way_again(record, {"own": 500 - used, "other": 500}, coins=record.part.coins, debt_coins=debt)
    assert back.undone_coins + sum(move.coins for move in back.given) + back.fresh_coins == record.part.coins
    room = {"own": min(own, 500 - used), "other": other}
    assert all(0 < move.coins <= room[move.lot_id] for move in back.given)


def test_a_refund_in_many_parts_takes_every_coin() -> None:
    wallet = Wallet()
    for minor in (1, 2, 3_333, 7_000, PRICE):
        wallet.see(settled(refunded_minor=minor))
    assert wallet.gone == booking.whole(wallet.topup)
    assert wallet.topup.status is Status.REFUNDED


def test_money_taken_back_twice_is_flagged_and_taken_once() -> None:
    wallet = Wallet()
    wallet.see(settled(refunded_minor=PRICE, disputed_minor=PRICE))
    assert wallet.gone == booking.whole(wallet.topup)
    assert wallet.topup.review is Review.TOTALS_MISMATCH


def lot(name: str, remaining: int, granted: int = 1_000) -> Lot:
    return Lot(name, accounts.paid(FAN).code, FAN, TOPUP, granted, remaining, 100, "EUR", "DE", T0)


def test_reversed_coins_come_from_the_top_up_then_from_open_orders_then_from_the_wallet() -> None:
    own, other = [lot("own", 300)], [lot("other", 150)]
    held = [Escrowed(ids.OrderId("a"), 200), Escrowed(ids.OrderId("b"), 400)]
    orders, from_wallet = booking.orders_to_reverse(1_000, own, held)
    assert orders == (Escrowed(ids.OrderId("a"), 200), Escrowed(ids.OrderId("b"), 400))
    moves, owed = booking.claw(from_wallet, own, [*own, *other])
    assert moves == (LotMove("own", -300), LotMove("other", -100))
    assert owed == 0


def test_spent_coins_become_debt() -> None:
    orders, from_wallet = booking.orders_to_reverse(1_000, [], [])
    moves, owed = booking.claw(from_wallet, [], [lot("other", 150)])
    assert (orders, moves, owed) == ((), (LotMove("other", -150),), 850)


def test_no_order_ends_while_the_top_up_has_enough_unspent() -> None:
    orders, from_wallet = booking.orders_to_reverse(300, [lot("own", 300)], [Escrowed(ids.OrderId("a"), 200)])
    assert (orders, from_wallet) == ((), 300)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 1_500), st.integers(0, 1_500))
def test_won_coins_all_find_a_way_back(own: int, ordered: int, other: int, won: int, debt: int) -> None:
    owed = 200
    taken = tuple(move for move in (LotMove("own", -own), LotMove("other", -other)) if move.coins)
    whole = own + ordered + other + owed
    won = min(won, whole)
    dispute = Dispute("d", TOPUP, Slice(PRICE, whole, 0), PRICE, taken, ordered, owed, T0)
    lots = [lot("own", 0, granted=own + ordered + owed)]
    room = {"own": own + ordered + owed, "other": other - other // 3}
    back = booking.way_back(dispute, lots, won_coins=won, debt_coins=debt, room=room)
    assert back.undone_coins + sum(move.coins for move in back.given) + back.fresh_coins == won
    assert back.undone_coins <= min(debt, owed)
    for move in back.given:
        assert 0 < move.coins <= (own + ordered if move.lot_id == "own" else room["other"])


def test_the_credit_mints_the_coins_and_the_bonus_once() -> None:
    paid = answered(settled())
    transfer = booking.credit(booking.postings.Books("EUR", 100), paid, lot_id="lot_a", bonus_lot_id="lot_b", now=T0)
    assert (transfer.kind, transfer.ref) == ("topup.succeeded", TOPUP)
    assert [each.granted for each in transfer.lot_grants] == [7_000, 70]
    assert transfer.lot_grants[1].expires_at == T0 + booking.BONUS_LIFE
    moved = {posting.reason: posting.amount for posting in transfer.postings if posting.debit.asset == ledger.COIN}
    assert moved == {"topup": 7_000}


@pytest.mark.parametrize(
    ("seen", "looks", "due_s"),
    [
        (topup(), 0, 30),
        (answered(unknown()), 0, 5),
        (answered(unknown()), 5, 6 * 3_600),
        (answered(unknown()), 99, 24 * 3_600),
        (answered(pending()), 0, 60),
        (answered(pending()), 3, 480),
        (answered(needs_action()), 0, 30),
        (answered(needs_action()), 3, 901),
        (answered(declined()), 9, 24 * 3_600),
        (answered(settled()), 0, 7 * 24 * 3_600),
        (answered(settled(settled_minor=5)), 0, 24 * 3_600),
    ],
)
def test_everything_open_is_looked_at_again(seen: Topup, looks: int, due_s: int) -> None:
    assert polling.next_look(seen, looks=looks, now=T0) == T0 + due_s * SECOND


def test_looks_end_when_nothing_can_come_any_more() -> None:
    late = T0 + timedelta(days=181)
    assert polling.next_look(answered(settled()), looks=30, now=late) is None
    assert polling.next_look(answered(declined()), looks=8, now=T0 + timedelta(days=7)) is None


@pytest.mark.parametrize(("seen", "end"), [(declined(), timedelta(days=7)), (settled(), timedelta(days=180))])
def test_the_last_look_is_at_the_end_and_is_answered(seen: Observation, end: timedelta) -> None:
    topup = answered(seen)
    shortly_before = T0 + end - timedelta(hours=5)
    assert polling.next_look(topup, looks=7, now=shortly_before) == T0 + end
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert polling.next_look(topup, looks=7, now=shortly_before, answered=False) == shortly_before + hour
    assert polling.next_look(topup, looks=8, now=T0 + end, answered=False) == T0 + end + day
