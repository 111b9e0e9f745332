"""Campaigns: an order keeps the terms it was placed under, its fee is the campaign's, and none is too many."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from tests.services.world import BRIEF, World, open_world
from tests.storage.databases import Kind, Place

from shoutgraph.domain import errors, fees
from shoutgraph.domain.campaigns import Campaign, CampaignState, Plan, Standing
from shoutgraph.domain.earnings import EarningKind
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.policies import HOUR_S
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import deadlines
from shoutgraph.services import offers
from shoutgraph.services.campaigns import change
from shoutgraph.services.orders import deliver, moves, place
from shoutgraph.services.orders.moves import Turn
from shoutgraph.services.orders.place import Wish
from shoutgraph.storage import campaigns, earnings
from shoutgraph.tools import Done


class Season:
    """A creator with an offer, a fan with coins, and campaigns."""

    def __init__(self, world: World, *, coins: int = 10_000) -> None:
        self.world = world
        self.owner, self.creator, self.offer = world.creator()
        self.fan = world.person("ada")
        self.finance = world.staff("finance")
        world.give_coins(self.fan, coins, promo=150)

    def plan(self, **changes: Any) -> Plan:
        now = self.world.clock()
        plan = Plan("Spring", now, now + timedelta(days=7), (self.offer.id,), discount_bps=2_500)
        return replace(plan, **changes)

    def create(self, by: Viewer | None = None, **changes: Any) -> Campaign:
        who, tools = by or self.owner, self.world.tools
        creator_id = None if by is None else self.creator.id
        request = self.world.request("campaignCreate", who)
        return self.world.run(change.create(tools, who, request, self.plan(**changes), creator_id)).value

    def decide(self, campaign: Campaign, standing: Standing = Standing.APPROVED, **note: str) -> Campaign:
        return self.world.run(change.decide(self.world.tools, self.finance, campaign.id, standing, **note))

    def ask(self, campaign: Campaign, price: int, *, draft: bool = False, **more: Any) -> Done[Order]:
        wish = Wish(self.offer.id, BRIEF, price, campaign_id=campaign.id, **more)
        request, tools = self.world.request("orderPlace", self.fan), self.world.tools
        return self.world.run((place.draft if draft else place.place)(tools, self.fan, request, wish))

    def order(self, campaign: Campaign, price: int, **more: Any) -> Order:
        return self.ask(campaign, price, **more).value

    def refused(self, campaign: Campaign, price: int = 750, **more: Any) -> str:
        with pytest.raises(errors.ShoutgraphError) as caught:
            self.ask(campaign, price, **more)
        return caught.value.code

    def move(self, who: Viewer, order: Order, name: str, actor: Actor) -> Order:
        request, command = self.world.request(name, who), Command(name, actor, reason="REASON", note="so")
        return self.world.run(moves.take(self.world.tools, who, request, Turn(order.id), command)).value

    def complete(self, order: Order) -> Order:
        moderator = self.world.staff("moderator")
        self.move(moderator, order, "screen_pass", Actor.MODERATOR)
        self.move(self.owner, order, "accept", Actor.CREATOR)
        video, request = self.world.ready_video(order), self.world.request("deliver", self.owner)
        self.world.run(deliver.deliver(self.world.tools, self.owner, request, Turn(order.id), video))
        self.move(moderator, order, "review_pass", Actor.MODERATOR)
        return self.move(self.fan, order, "confirm", Actor.FAN)

    def get(self, campaign: Campaign) -> Campaign:
        return self.world.read(lambda tx: campaigns.get(tx, campaign.id))


def test_an_order_keeps_the_terms_of_its_campaign_whatever_comes_later(world: World) -> None:
    season = Season(world)
    made = season.create(fee_bps=1_000, accept_s=6 * HOUR_S, delivery_s=48 * HOUR_S, orders_max=3)
    assert (made.state(world.clock()), season.refused(made)) == (CampaignState.PROPOSED, "NOT_FOUND")
    approved = season.decide(made)
    assert (approved.state(world.clock()), approved.revision) == (CampaignState.ACTIVE, 2)
    assert season.decide(made) == approved, "a repeat changes nothing"
    assert season.refused(made, 1_000) == "PRICE_CHANGED"
    order = season.order(made, 750)
    draft = season.order(made, 750, draft=True)
    assert (order.terms.fee_bps, order.terms.list_coins, order.terms.base_coins) == (1_000, 1_000, 750)
    assert season.get(made).orders_count == 1, "a draft is no order"
    season.world.run(
        offers.update(world.tools, season.owner, season.offer.id, {"price_coins": 5_000}, expected_revision=None)
    )
    ended = world.run(change.end(world.tools, season.owner, made.id, expected_revision=2))
    assert (ended.state(world.clock()), season.refused(made)) == (CampaignState.ENDED, "CAMPAIGN_ENDED")
    request = world.request("orderSubmit", season.fan)
    with pytest.raises(errors.CampaignUnavailableError):
        world.run(place.submit(world.tools, season.fan, request, draft.id, 750))
    done = season.complete(order)
    assert done.terms == order.terms
    earned = world.read(lambda tx: earnings.find_of_subject(tx, EarningKind.ORDER, order.id))
    parts = fees.split(paid_coins=600, promo_coins=150, fee_bps=1_000)
    assert earned is not None
    assert (earned.coins, earned.fee_coins) == (parts.earning_coins, parts.fee_coins) == (675, 75)
    world.verify()


def test_a_campaign_has_its_own_time_to_answer_and_gives_every_coin_back(world: World) -> None:
    season = Season(world, coins=600)
    order = season.order(season.create(accept_s=2 * HOUR_S), 750)
    assert world.wallet(season.fan) == (0, 0, 750)
    season.move(world.staff("moderator"), order, "screen_pass", Actor.MODERATOR)
    world.clock.move(hours=2, seconds=1)
    world.run(deadlines.tick(world.tools))
    assert world.order(order).state is State.EXPIRED
    assert world.wallet(season.fan) == (600, 150, 0)


def test_a_campaign_takes_orders_in_its_time_for_its_offers_and_no_more_than_it_says(world: World) -> None:
    season, start = Season(world), world.clock() + timedelta(days=1)
    only = season.create(starts_at=start, ends_at=start + timedelta(days=1), orders_max=1, countries=("DE", "AT"))
    far = season.create(countries=("JP",), discount_bps=None, price_coins=500)
    assert season.refused(only) == "CAMPAIGN_NOT_STARTED"
    assert season.refused(far, 500) == "CAMPAIGN_COUNTRY"
    world.clock.move(days=1, seconds=1)
    first = season.order(only, 950, express=True)
    assert (first.terms.base_coins, first.terms.express_coins) == (750, 200)
    assert season.refused(only) == "CAMPAIGN_FULL"
    raised = world.run(
        change.update(world.tools, season.owner, only.id, ends_at=None, orders_max=2, expected_revision=None)
    )
    assert (raised.orders_max, raised.revision) == (2, 2)
    second = season.order(only, 750)
    pieces = world.read(lambda tx: campaigns.list_of_pieces(tx, [first.id, second.id]))
    assert [pieces[each.id].number for each in (first, second)] == [1, 2]
    with pytest.raises(errors.ValidationError):
        world.run(change.update(world.tools, season.owner, only.id, ends_at=None, orders_max=1, expected_revision=None))
    world.clock.move(days=1)
    assert season.refused(only) == "CAMPAIGN_ENDED"


def test_a_fee_is_approved_by_another_person_and_a_campaign_is_its_creators(world: World) -> None:
    season = Season(world)
    admin, stranger = world.staff("admin"), world.creator("star")[0]
    proposed = season.create(admin, fee_bps=500)
    with pytest.raises(errors.ForbiddenError) as same:
        world.run(change.decide(world.tools, admin, proposed.id, Standing.APPROVED))
    assert same.value.code == "SAME_PERSON"
    own = replace(season.owner, scopes=admin.scopes, principal="staff:owner")
    with pytest.raises(errors.ForbiddenError):
        world.run(change.decide(world.tools, own, proposed.id, Standing.APPROVED))
    denied = season.decide(proposed, Standing.DENIED, note="Too little is left for us.")
    assert (denied.state(world.clock()), denied.note) == (CampaignState.DENIED, "Too little is left for us.")
    for who in (stranger, season.owner):
        with pytest.raises((errors.NotFoundError, errors.ForbiddenError, errors.ValidationError)):
            world.run(change.decide(world.tools, who, proposed.id, Standing.APPROVED))
    few = season.decide(season.create(fee_bps=500, orders_max=2), Standing.APPROVED)
    for larger in ({"ends_at": few.ends_at + timedelta(days=1)}, {"orders_max": 3}):
        wish = {"ends_at": None, "orders_max": None, "expected_revision": None} | larger
        with pytest.raises((errors.ValidationError, ExceptionGroup)):
            world.run(change.update(world.tools, season.owner, few.id, **wish))  # type: ignore[arg-type]
    with pytest.raises(errors.NotFoundError):
        world.run(change.end(world.tools, stranger, season.create().id, expected_revision=None))
    with pytest.raises(ExceptionGroup) as wrong:
        season.create(price_coins=1, countries=("XX",))
    codes = {each.code for each in wrong.value.exceptions if isinstance(each, errors.ShoutgraphError)}
    assert codes == {"CAMPAIGN_PRICE", "OUT_OF_RANGE", "INVALID_COUNTRY"}
    with pytest.raises(errors.NotFoundError):
        season.create(offer_ids=("offer_" + "0" * 26,))


@settings(max_examples=12, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0, 1, 777, 9_999]), st.sampled_from([None, 1, 3_333, 9_000]), st.booleans()),
        min_size=1,
        max_size=3,
    )
)
def test_each_order_is_split_by_its_own_fee_and_the_books_balance(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[tuple[int | None, int | None, bool]]
) -> None:
    with open_world(Place(Kind.SQLITE, tmp_path_factory.mktemp("season"))) as world:
        season = Season(world)
        for fee_bps, discount_bps, finished in kinds:
            campaign = season.create(fee_bps=fee_bps, discount_bps=discount_bps)
            if fee_bps is not None:
                season.decide(campaign)
            price = 1_000 - 1_000 * (discount_bps or 0) // 10_000
            order = season.order(campaign, price)
            bps = 3_000 if fee_bps is None else fee_bps
            assert (order.price_coins, order.terms.fee_bps) == (price, bps)
            if finished:
                season.complete(order)
                earned = world.read(lambda tx, of=order.id: earnings.find_of_subject(tx, EarningKind.ORDER, of))
                assert (0 if earned is None else earned.coins) == price - price * bps // 10_000
        world.verify()
