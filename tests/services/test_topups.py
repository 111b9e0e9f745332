"""Top-ups through a real simulator: magic amounts, lost answers, webhooks in any order, and money that goes back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.services.test_orders import Scene
from tests.services.till import Till, open_till
from tests.storage.databases import Place

from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.pages import PageArgs
from shoutgraph.domain.topups.polling import Due
from shoutgraph.domain.topups.topup import Observation, Review, Seen, Source, Status, Submission, Topup, TopupFilter
from shoutgraph.domain.users import Viewer
from shoutgraph.services import packages, wallets as wallet_services
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import apply, create, look
from shoutgraph.services.topups.submit import request_of
from shoutgraph.storage import journal, reversals, topups, wallets
from shoutgraph.storage.tx import Tx


@pytest.fixture
def till(place: Place) -> Iterator[Till]:
    with open_till(place) as till:
        yield till


@pytest.fixture
def fan(till: Till) -> Viewer:
    return till.world.person("ada")


def pay(till: Till, topup: Topup) -> Topup:
    till.control(f"payments/{topup.id}/pay")
    return till.look(topup)


def test_a_paid_top_up_credits_the_wallet_once(till: Till, fan: Viewer) -> None:
    done = till.buy(fan, 1_000)
    assert done.value.status is Status.ACTION_REQUIRED
    assert done.value.action is not None
    assert done.value.action.lines[0].startswith(till.url)
    assert till.world.wallet(fan) == (0, 0, 0)
    paid = pay(till, done.value)
    assert (paid.status, paid.booked.credited) == (Status.PAID, True)
    for _ in range(3):
        till.look(paid)
    assert till.world.wallet(fan) == (1_000, 0, 0)
    assert till.cash() == 1_000 - paid.totals.fee_minor


def test_the_same_key_buys_once(till: Till, fan: Viewer) -> None:
    first, again = (
        till.buy(fan, 1_000, key="one-key-for-one-purchase"),
        till.buy(fan, 1_000, key="one-key-for-one-purchase"),
    )
    assert (first.replayed, again.replayed) == (False, True)
    assert first.value.id == again.value.id
    with pytest.raises(errors.IdempotencyKeyReusedError):
        till.buy(fan, 1_100, key="one-key-for-one-purchase")
    assert len(till.seen("payments")) == 1


def test_a_package_gives_its_bonus(till: Till, fan: Viewer) -> None:
    package = package_of(till, "EUR")
    paid = pay(till, till.buy(fan, package_id=package).value)
    assert paid.terms.price_minor == 10_950
    assert till.world.wallet(fan) == (7_000, 70, 0)


def test_coins_for_another_currency_are_booked_at_the_rate_they_were_sold_at(till: Till, fan: Viewer) -> None:
    package = package_of(till, "USD")
    paid = pay(till, till.buy(fan, package_id=package, currency="USD").value)
    assert (paid.terms.price_minor, paid.terms.book_units) == (1_350, 1_350 * 92)
    assert till.world.wallet(fan) == (700, 0, 0)
    assert till.world.balance("fx:USD") == 1_350 * 100
    assert till.world.balance("fx:EUR") == -1_350 * 92


def package_of(till: Till, currency: str) -> str:
    market = Market("DE", currency, Platform.WEB)
    return till.world.run(packages.list_of_market(till.world.tools, market))[0].id


MAGIC: list[tuple[int, Status, Status]] = [
    (1_000, Status.ACTION_REQUIRED, Status.ACTION_REQUIRED),
    (1_003, Status.PENDING, Status.PAID),
    (1_004, Status.PROCESSING, Status.PAID),
    (1_005, Status.PENDING, Status.PAID),
    (1_008, Status.ACTION_REQUIRED, Status.NEEDS_REVIEW),
    (1_009, Status.ACTION_REQUIRED, Status.NEEDS_REVIEW),
    (1_010, Status.ACTION_REQUIRED, Status.PAID),
]


@pytest.mark.parametrize(("coins", "first", "last"), MAGIC)
def test_each_magic_amount_ends_as_it_should(till: Till, fan: Viewer, coins: int, first: Status, last: Status) -> None:
    topup = till.buy(fan, coins).value
    assert topup.status is first
    if first is Status.ACTION_REQUIRED and last is not first:
        till.control(f"payments/{topup.id}/pay")
    till.control("advance", seconds=10)
    after = till.look(topup)
    assert after.status is last
    credited = coins if last is Status.PAID else 0
    assert till.world.wallet(fan) == (credited, 0, 0)
    if last is Status.NEEDS_REVIEW:
        assert after.review is Review.AMOUNT_MISMATCH


def test_a_decline_is_told_and_told_again(till: Till, fan: Viewer) -> None:
    for _ in range(2):
        with pytest.raises(errors.ProviderDeclinedError) as refused:
            till.buy(fan, 1_001, key="a-key-for-a-bad-card-01")
        assert refused.value.decline_code == "card_declined"
    assert refused.value.replayed
    assert till.world.wallet(fan) == (0, 0, 0)


def test_late_money_after_a_decline_is_credited(till: Till, fan: Viewer) -> None:
    with pytest.raises(errors.ProviderDeclinedError):
        till.buy(fan, 1_006, key="a-key-for-late-success")
    (topup,) = till.world.read(lambda tx: all_topups(tx, fan))
    till.control("advance", seconds=10)
    assert till.look(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_006, 0, 0)
    assert till.buy(fan, 1_006, key="a-key-for-late-success").replayed


def all_topups(tx: Tx, fan: Viewer) -> list[Topup]:
    return topups.list_of_page(tx, PageArgs(10, None, backward=False), TopupFilter(user_id=fan.user_id))


def test_a_lost_answer_is_unknown_until_the_provider_is_asked(till: Till, fan: Viewer) -> None:
    topup = till.buy(fan, 1_004).value
    assert (topup.submission, topup.status) == (Submission.UNKNOWN, Status.PROCESSING)
    assert till.tick(seconds=4) == 0
    till.tick(seconds=2)
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_004, 0, 0)


def test_a_crash_before_the_provider_was_asked_is_found_out(till: Till, fan: Viewer) -> None:
    topup = intent(till, fan, 1_000)
    assert till.tick(seconds=30) == 0
    till.tick(seconds=31)
    after = till.topup(topup)
    assert (after.status, after.submission) == (Status.FAILED, Submission.NOT_EXECUTED)
    assert till.seen("payments") == []


def test_a_crash_after_the_provider_was_asked_is_found_out(till: Till, fan: Viewer) -> None:
    topup = intent(till, fan, 1_000)
    till.world.run(till.world.tools.providers.topup("sandbox").create(request_of(topup)))
    till.control(f"payments/{topup.id}/pay")
    till.tick(seconds=61)
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_000, 0, 0)
    assert len(till.seen("payments")) == 1


def intent(till: Till, fan: Viewer, coins: int) -> Topup:
    """What the first unit of work of a purchase leaves behind when the process dies."""
    wish = create.Wish(None, coins, "EUR", Platform.WEB, "sandbox", "https://fan.example/back")

    def work(tx: Tx) -> Topup:
        topup = create._new(till.world.tools, tx, fan.user_id, wish, ("sandbox",))
        topups.insert(tx, topup, look_at=topup.answer_due_at)
        apply.tell(till.world.tools, tx, topup, None)
        return topup

    return till.world.write(work)


def test_two_lookers_do_not_look_at_the_same_top_up(till: Till, fan: Viewer) -> None:
    till.buy(fan, 1_004)
    till.world.clock.move(seconds=6)

    def claim() -> tuple[Due, ...]:
        return till.world.run(look.claim(till.world.tools, limit=10, reverse_orders=timers.reverse_orders))

    assert (len(claim()), len(claim())) == (1, 0)
    till.world.clock.move(seconds=121)
    assert len(claim()) == 1


def test_a_webhook_sent_three_times_credits_once(till: Till, fan: Viewer) -> None:
    topup = till.buy(fan, 1_000).value
    till.control(f"payments/{topup.id}/pay")
    till.hear(lambda: till.topup(topup).status is Status.PAID)
    body, headers, _ = till.hooks[-1]
    before = till.world.read(lambda tx: journal.head(tx).seq)
    for _ in range(3):
        assert till.post_hook(body, headers).status_code == 200
    assert till.world.wallet(fan) == (1_000, 0, 0)
    assert till.world.read(lambda tx: journal.head(tx).seq) == before


def test_webhooks_that_come_late_twice_and_in_the_wrong_order_credit_once(till: Till, fan: Viewer) -> None:
    topup = till.buy(fan, 1_010).value
    till.control(f"payments/{topup.id}/pay")
    till.hear(lambda: len([hook for hook in till.hooks if hook[2] == 200]) >= 3)
    assert till.topup(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_010, 0, 0)


def test_a_webhook_before_the_answer_is_kept(till: Till, fan: Viewer) -> None:
    topup = intent(till, fan, 1_000)
    till.world.run(till.world.tools.providers.topup("sandbox").create(request_of(topup)))
    till.control(f"payments/{topup.id}/pay")
    till.hear(lambda: till.topup(topup).status is Status.PAID)

    def answer(tx: Tx) -> Topup:
        desk = apply.open_desk(till.world.tools, tx, timers.reverse_orders)
        seen = Observation(Seen.UNKNOWN, tx.now, code="timeout")
        return apply.observed(desk, topups.get(tx, topup.id), seen, Source.ANSWER)

    assert till.world.write(answer).status is Status.PAID
    assert till.world.wallet(fan) == (1_000, 0, 0)


def test_one_payment_pays_one_top_up(till: Till, fan: Viewer) -> None:
    one, other = till.paid(fan, 1_000), till.buy(fan, 1_000).value
    seen = Observation(Seen.SETTLED, till.world.clock(), ref=one.ref, totals=one.totals, currency="EUR")

    def work(tx: Tx) -> Topup:
        desk = apply.open_desk(till.world.tools, tx, timers.reverse_orders)
        return apply.observed(desk, topups.get(tx, other.id), seen, Source.NOTICE)

    after = till.world.write(work)
    assert (after.status, after.review) == (Status.NEEDS_REVIEW, Review.REF_TAKEN)
    assert till.world.wallet(fan) == (1_000, 0, 0)


@pytest.mark.parametrize(
    ("changes", "refusal", "code"),
    [
        ({"return_url": "javascript:alert(1)"}, errors.ValidationError, "INVALID_URL"),
        ({"return_url": "https://[bad"}, errors.ValidationError, "INVALID_URL"),
        ({"return_url": "https://fan.example/\r\nSet-Cookie: a"}, errors.ValidationError, "INVALID_URL"),
        ({"return_url": "https://bank@fan.example/"}, errors.ValidationError, "INVALID_URL"),
        ({"return_url": "https://fan.example:99999/"}, errors.ValidationError, "INVALID_URL"),
        ({"cancel_url": "https://fan.example/\u202egpj"}, errors.ValidationError, "INVALID_URL"),
        ({"country": "FR"}, errors.ValidationError, "OTHER_COUNTRY"),
        ({"provider_code": "nobody"}, errors.ProviderUnavailableError, "PROVIDER_UNAVAILABLE"),
        ({"currency": "GBP"}, errors.NotFoundError, "NOT_FOUND"),
        ({"package_id": "package_00000000000000000000000000"}, errors.NotFoundError, "NOT_FOUND"),
        ({"coins": 0}, errors.ValidationError, "OUT_OF_RANGE"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_asked(
    till: Till, fan: Viewer, changes: dict[str, Any], refusal: type[errors.ShoutgraphError], code: str
) -> None:
    with pytest.raises(refusal) as refused:
        till.buy(fan, **({"coins": 1_000} | changes))
    assert refused.value.code == code
    assert till.seen("payments") == []


def test_a_refund_of_unspent_coins_takes_them_back(till: Till, fan: Viewer) -> None:
    package = package_of(till, "EUR")
    topup = pay(till, till.buy(fan, package_id=package).value)
    till.control(f"payments/{topup.id}/refund", amount=950)
    part = till.look(topup)
    assert part.status is Status.PARTLY_REFUNDED
    assert till.world.wallet(fan) == (7_000 - 7_000 * 950 // 10_950, 70, 0)
    till.control(f"payments/{topup.id}/refund")
    assert till.look(topup).status is Status.REFUNDED
    assert till.world.wallet(fan) == (0, 0, 0)
    assert till.cash() == -topup.totals.fee_minor


def test_a_refund_of_spent_coins_leaves_a_debt_and_locks_the_wallet(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 2_000)
    complete_an_order(till, fan)
    till.control(f"payments/{topup.id}/refund")
    till.look(topup)
    assert till.world.wallet(fan) == (0, 0, 0)
    assert debt(till, fan) == 1_000
    assert locked(till, fan)


def test_a_dispute_ends_open_orders_first_and_the_fan_owes_what_is_spent(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 2_500)
    complete_an_order(till, fan)
    _, _, offer = till.world.creator("vega")
    order = till.world.place(fan, offer)
    assert till.world.wallet(fan) == (500, 0, 1_000)
    till.control(f"payments/{topup.id}/dispute")
    disputed = till.look(topup)
    assert disputed.status is Status.DISPUTED
    assert till.world.order(order).state is State.CANCELLED
    assert till.world.wallet(fan) == (0, 0, 0)
    assert debt(till, fan) == 1_000
    assert locked(till, fan)


def test_a_won_dispute_gives_everything_back(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 2_500)
    complete_an_order(till, fan)
    _, _, offer = till.world.creator("vega")
    till.world.place(fan, offer)
    till.control(f"payments/{topup.id}/dispute")
    till.look(topup)
    till.control(f"payments/{topup.id}/dispute", outcome="won")
    assert till.look(topup).status is Status.PAID
    assert till.world.wallet(fan) == (1_500, 0, 0)
    assert debt(till, fan) == 0
    assert locked(till, fan)


def test_a_lost_dispute_ends_the_coins_and_keeps_the_debt(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 2_500)
    complete_an_order(till, fan)
    till.control(f"payments/{topup.id}/dispute")
    till.look(topup)
    till.control(f"payments/{topup.id}/dispute", outcome="lost")
    assert till.look(topup).status is Status.REFUNDED
    assert till.world.wallet(fan) == (0, 0, 0)
    assert debt(till, fan) == 1_000
    assert till.cash() == -topup.totals.fee_minor


def test_new_coins_pay_debt_first_and_a_won_dispute_gives_them_back_too(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    complete_an_order(till, fan)
    till.control(f"payments/{topup.id}/dispute")
    till.look(topup)
    till.paid(fan, 1_500)
    assert (till.world.wallet(fan), debt(till, fan)) == ((500, 0, 0), 0)
    till.control(f"payments/{topup.id}/dispute", outcome="won")
    till.look(topup)
    assert (till.world.wallet(fan), debt(till, fan)) == ((1_500, 0, 0), 0)


def test_a_dispute_of_unspent_coins_takes_only_those(till: Till, fan: Viewer) -> None:
    other, topup = till.paid(fan, 300), till.paid(fan, 1_007)
    till.control("advance", seconds=10)
    assert till.look(topup).status is Status.DISPUTED
    assert till.world.wallet(fan) == (300, 0, 0)
    (dispute,) = till.world.read(lambda tx: reversals.list_of_topup(tx, topup.id))
    assert (dispute.part.coins, dispute.owed_coins) == (1_007, 0)
    assert till.topup(other).status is Status.PAID


def test_a_locked_wallet_waits_for_finance(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_007)
    till.control("advance", seconds=10)
    till.look(topup)
    _, _, offer = till.world.creator("vega")
    till.world.give_coins(fan, 1_000)
    with pytest.raises(errors.WalletLockedError):
        till.world.place(fan, offer)
    finance = till.world.staff("finance")
    unlock = wallet_services.unlock
    with pytest.raises(errors.ForbiddenError):
        till.world.run(unlock(till.world.tools, fan, till.world.request("walletUnlock", fan), fan.user_id or ""))
    request = till.world.request("walletUnlock", finance)
    done = till.world.run(unlock(till.world.tools, finance, request, fan.user_id or ""))
    assert done.value.lock is None
    till.world.place(fan, offer)


def test_every_change_is_told_to_the_top_up_and_to_the_wallet(till: Till, fan: Viewer) -> None:
    topup = till.paid(fan, 1_000)
    told = till.world.read(lambda tx: journal.list_of_topic(tx, topup.id, after=0, limit=10))
    assert [event.body["status"] for event in told] == ["CREATED", "ACTION_REQUIRED", "PAID"]
    wallet = till.world.run(wallet_services.get(till.world.tools, fan))
    (credited,) = till.world.read(lambda tx: journal.list_of_topic(tx, wallet.id, after=0, limit=10))
    assert (credited.type, credited.body["coins"]) == ("wallet.credited", 1_000)


def test_a_missing_plugin_makes_the_looks_wait(till: Till, fan: Viewer) -> None:
    topup = till.buy(fan, 1_004).value
    tools = till.world.tools
    till.world.tools = replace(tools, providers=replace(tools.providers, topups={}))
    till.tick(seconds=6)
    assert till.topup(topup).status is Status.PROCESSING
    till.world.tools = tools
    assert till.tick(seconds=60) == 0
    till.tick(hours=1)
    assert till.topup(topup).status is Status.PAID
    assert till.world.read(topups.list_of_instances_in_use) == ()


def complete_an_order(till: Till, fan: Viewer) -> None:
    """Spends 1,000 coins for good."""
    world = till.world
    creator, _, offer = world.creator("nova")
    scene = Scene.__new__(Scene)
    scene.world, scene.fan, scene.creator = world, fan, creator
    scene.moderator, scene.admin = world.staff("moderator"), world.staff("admin")
    order = scene.do(world.place(fan, offer), "screen_pass", Actor.MODERATOR)
    order = scene.deliver(scene.do(order, "accept", Actor.CREATOR))
    order = scene.do(order, "review_pass", Actor.MODERATOR)
    assert scene.do(order, "confirm", Actor.FAN).state is State.COMPLETED


def debt(till: Till, fan: Viewer) -> int:
    return till.world.read(lambda tx: wallets.balances(tx, fan.user_id or ids.UserId(""))).debt_coins


def locked(till: Till, fan: Viewer) -> bool:
    return till.world.read(lambda tx: wallets.find_lock(tx, fan.user_id or "")) is not None
