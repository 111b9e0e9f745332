"""Who charges: the routes choose, plugins rank, and only a proof that nothing happened lets another one be asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.api.test_money import Bank, open_bank
from tests.plugins.upstream import CLOSED_PORT
from tests.services.till import Till
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.promotions import Kind, Offered
from shoutgraph.domain.topups.topup import Observation, Seen, Source, Status, Submission, Topup, Totals
from shoutgraph.plugins import loading
from shoutgraph.plugins.routes import Choice, Route
from shoutgraph.services import promotions
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import apply, create
from shoutgraph.storage import topups
from shoutgraph.storage.tx import Tx

CREATE = """mutation($input: TopUpCreateInput!) { topUpCreate(input: $input) {
  topUp { id status providerCode declineCode nextAction { __typename }
    follows { id status providerCode declineCode follows { id } } } replayed
  errors { __typename ... on UserError { code path } ... on ProviderDeclinedError { declineCode retryable } } } }"""
LIST = "{ topUps(first: 10) { nodes { id providerCode status } } }"
DOWN, UP, ALSO = "a-down", "sandbox", "z-spare"
"""In the order of their names, as they are asked where there is no route."""


def with_more(setup: loading.Setup, *routes: Route) -> loading.Setup:
    """An instance that nobody listens for, before the sandbox, and a good one after it."""
    config = setup.instances[UP]
    down = {**config, "base_url": f"http://127.0.0.1:{CLOSED_PORT}/sandbox"}
    return replace(setup, instances={**setup.instances, DOWN: down, ALSO: config}, routes=routes)


@contextmanager
def opened(place: Place, *routes: Route, **more: object) -> Iterator[Bank]:
    def prepare(setup: loading.Setup) -> loading.Setup:
        setup = with_more(setup, *routes)
        return replace(setup, extra={**setup.extra, **more})

    with open_bank(place, prepare) as bank:
        yield bank


@pytest.fixture
def bank(place: Place) -> Iterator[Bank]:
    with opened(place) as bank:
        yield bank


def buy(bank: Bank, coins: int = 1_000, **changes: Any) -> Any:
    given = {
        "idempotencyKey": bank.key(),
        "buy": {"coins": str(coins)},
        "currency": "EUR",
        "returnUrl": "https://fan.example/back",
    } | changes
    return bank.person("ada").data(CREATE, input=given)["topUpCreate"]


def rows(bank: Bank) -> list[tuple[str, str]]:
    """Who was asked, the first one first, and what became of it."""
    nodes = bank.person("ada").data(LIST)["topUps"]["nodes"]
    return [(each["providerCode"], each["status"]) for each in reversed(nodes)]


def test_the_next_provider_is_asked_where_nothing_happened(bank: Bank) -> None:
    key = bank.key()
    first, again = (buy(bank, idempotencyKey=key) for _ in range(2))
    topup = first["topUp"]
    assert (topup["providerCode"], topup["status"]) == (UP, "ACTION_REQUIRED")
    before = topup["follows"]
    assert (before["providerCode"], before["status"], before["declineCode"]) == (DOWN, "FAILED", "unavailable")
    assert before["follows"] is None
    assert (again["topUp"]["id"], again["replayed"]) == (topup["id"], True)
    assert len(bank.till.seen("payments")) == 1
    assert rows(bank) == [(DOWN, "FAILED"), (UP, "ACTION_REQUIRED")]


def test_who_was_chosen_by_name_is_asked_alone(bank: Bank) -> None:
    refused = buy(bank, providerCode=DOWN)
    assert (refused["topUp"], refused["errors"][0]["code"]) == (None, "PROVIDER_UNAVAILABLE")
    assert rows(bank) == [(DOWN, "FAILED")]
    assert bank.till.seen("payments") == []


@pytest.mark.parametrize(("coins", "status"), [(1_001, "FAILED"), (1_004, "PROCESSING")])
def test_neither_a_no_nor_a_lost_answer_leads_elsewhere(bank: Bank, coins: int, status: str) -> None:
    buy(bank, coins)
    assert rows(bank) == [(DOWN, "FAILED"), (UP, status)]
    assert len(bank.till.seen("payments")) == 1


def test_nobody_is_asked_twice_when_all_are_down(place: Place) -> None:
    def prepare(setup: loading.Setup) -> loading.Setup:
        down = {**setup.instances[UP], "base_url": f"http://127.0.0.1:{CLOSED_PORT}/sandbox"}
        payouts = setup.instances["sandbox-payouts"]
        downs = {f"down-{number}": down for number in range(create.ATTEMPTS_MAX + 2)}
        return replace(setup, instances={"sandbox-payouts": payouts, **downs})

    with open_bank(place, prepare) as bank:
        key = bank.key()
        for replayed in (False, True):
            refused = buy(bank, idempotencyKey=key)
            assert (refused["errors"][0]["code"], refused["replayed"]) == ("PROVIDER_UNAVAILABLE", replayed)
        assert rows(bank) == [(f"down-{number}", "FAILED") for number in range(create.ATTEMPTS_MAX)]


def intent(till: Till, instance: str) -> Topup:
    """What the first unit of work of a purchase leaves behind when the process dies."""
    fan = till.world.person("ada")
    wish = create.Wish(None, 1_000, "EUR", Platform.WEB, None, "https://fan.example/back")

    def work(tx: Tx) -> Topup:
        assert fan.user_id is not None, "a fan is a person"
        topup = create._new(till.world.tools, tx, fan.user_id, wish, (instance,))
        topups.insert(tx, topup, look_at=topup.answer_due_at)
        apply.tell(till.world.tools, tx, topup, None)
        return topup

    return till.world.write(work)


def test_a_crash_before_the_first_answer_is_stored_asks_nobody_else(bank: Bank) -> None:
    till = bank.till
    topup = intent(till, DOWN)
    till.tick(seconds=61)
    till.tick(hours=2)
    after = till.topup(topup)
    assert (after.status, after.submission) == (Status.PROCESSING, Submission.UNKNOWN)
    assert (rows(bank), till.seen("payments")) == ([(DOWN, "PROCESSING")], [])


def test_a_crash_before_the_next_provider_is_asked_is_found_out(bank: Bank) -> None:
    till = bank.till
    topup, nothing = intent(till, DOWN), sdk.NotExecuted(sdk.UNAVAILABLE)
    went_on = till.world.run(create._answered(till.world.tools, topup, nothing, UP, timers.reverse_orders))
    assert (went_on.instance, went_on.follows, went_on.submission) == (UP, topup.id, Submission.SUBMITTING)
    assert rows(bank) == [(DOWN, "FAILED"), (UP, "CREATED")]
    till.tick(seconds=61)
    till.tick(hours=1)
    assert rows(bank) == [(DOWN, "FAILED"), (UP, "FAILED")]
    assert (till.seen("payments"), till.topup(went_on).submission) == ([], Submission.NOT_EXECUTED)
    later = till.world.run(create._answered(till.world.tools, went_on, nothing, ALSO, timers.reverse_orders))
    assert later.id == went_on.id, "only the answer to the first attempt lets another one be asked"
    assert len(rows(bank)) == 2


def test_late_money_where_nothing_happened_is_credited_all_the_same(bank: Bank) -> None:
    """A provider's proof was none: the fan paid twice and has twice the coins, which a refund can undo."""
    till = bank.till
    world, fan, staff = till.world, till.world.person("ada"), till.world.staff("finance")
    made = promotions.Wish(Offered("treat", Kind.BONUS_COINS, 5, world.clock()), "A test", codes=("TREAT123",))
    world.run(promotions.create(world.tools, staff, world.request("promoCreate", staff), made))
    topup_id = buy(bank, promoCode="TREAT123")["topUp"]["id"]
    topup = world.read(lambda tx: topups.get(tx, topup_id))
    till.control(f"payments/{topup.id}/pay")
    till.look(topup)
    lied = topup.follows
    assert lied is not None

    def tell(tx: Tx) -> None:
        desk = apply.open_desk(world.tools, tx, timers.reverse_orders)
        seen = Observation(Seen.SETTLED, tx.now, "late", Totals(settled_minor=1_000), "EUR")
        apply.observed(desk, topups.get(tx, lied), seen, Source.NOTICE)

    for _ in range(2):
        world.write(tell)
    assert rows(bank) == [(DOWN, "PAID"), (UP, "PAID")]
    assert world.wallet(fan) == (2_000, 10, 0)
    world.verify()


WEB_ONLY = Route((Choice(ALSO, 1), Choice(UP, 0)), platform=Platform.WEB)
OTHERS = Route((Choice(UP, 1),), countries=frozenset({"US"}))


def ways(bank: Bank, country: str = "DE") -> list[str]:
    document = """query($of: String!) { topUpProviders(coins: "1000", country: $of, currency: "EUR") { code } }"""
    return [each["code"] for each in bank.person("ada").data(document, of=country)["topUpProviders"]]


def test_routes_say_who_may_charge_and_who_is_first(place: Place) -> None:
    with opened(place, OTHERS, WEB_ONLY) as bank:
        assert (ways(bank), ways(bank, "US")) == ([ALSO, UP], [UP])
        assert buy(bank)["topUp"]["providerCode"] == ALSO
        assert buy(bank, providerCode=UP)["topUp"]["providerCode"] == UP
        refused = buy(bank, providerCode=DOWN)
        assert (refused["errors"][0]["code"], refused["errors"][0]["path"]) == (
            "PROVIDER_UNAVAILABLE",
            ["input", "providerCode"],
        )


def test_where_no_route_fits_nobody_charges(place: Place) -> None:
    with opened(place, OTHERS) as bank:
        assert ways(bank) == []
        assert buy(bank)["errors"][0]["code"] == "PROVIDER_UNAVAILABLE"


class Ranking:
    """Puts the last one first, and leaves one out."""

    @sdk.hookimpl
    def shoutgraph_rank_topup(self, request: sdk.TopUpRequest, candidates: tuple[str, ...]) -> list[str]:
        assert request.amount == sdk.Money(1_000, "EUR")
        return [each for each in reversed(candidates) if each != DOWN]


class Watching:
    """Reviews."""

    def __init__(self, judge: Callable[[sdk.TopUpRequest], sdk.Verdict]) -> None:
        self.judge = judge

    @sdk.hookimpl
    def shoutgraph_review(self, kind: str, request: sdk.TopUpRequest) -> sdk.Verdict:
        assert kind == "topup"
        return self.judge(request)


def test_a_plugin_ranks_whom_the_routes_allow(place: Place) -> None:
    with opened(place, ranking=Ranking()) as bank:
        assert ways(bank) == [ALSO, UP]
        assert buy(bank)["topUp"]["providerCode"] == ALSO


def broken(_request: sdk.TopUpRequest) -> sdk.Verdict:
    raise RuntimeError("the review broke")


@pytest.mark.parametrize(
    ("judge", "code", "retryable"),
    [
        (lambda _: sdk.Verdict.DENY, "risk", False),
        (lambda _: sdk.Verdict.HOLD, "risk_review", True),
        (broken, "risk_review", True),
    ],
)
def test_what_the_review_does_not_allow_is_asked_of_nobody(
    place: Place, judge: Callable[[sdk.TopUpRequest], sdk.Verdict], code: str, *, retryable: bool
) -> None:
    with opened(place, Route((Choice(UP, 1), Choice(ALSO, 0))), watching=Watching(judge)) as bank:
        key = bank.key()
        for _ in range(2):
            (error,) = buy(bank, idempotencyKey=key)["errors"]
            assert (error["__typename"], error["declineCode"], error["retryable"]) == (
                "ProviderDeclinedError",
                code,
                retryable,
            )
        assert bank.till.seen("payments") == []
        assert rows(bank) == [(UP, "FAILED")]
