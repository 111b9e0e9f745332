"""People, creators, offers, prices and keys from several processes at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.processes import ANYWHERE, COUNT, PRICES, Call, Processes
from tests.services.racing import ROUNDS, done, new_handle, profile_of, seller, someone, won
from tests.services.world import new_id

from shoutgraph.domain import errors
from shoutgraph.domain.creators import OFFERS_MAX, Creator, Offer, OfferTerms
from shoutgraph.domain.endpoints import ENDPOINTS_MAX
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.packages import Market, PackageEntry, Platform, PriceList, RateEntry, UnitEntry
from shoutgraph.domain.reports import Action, Basis, Ground, Reasons
from shoutgraph.domain.users import Principal, Scope, Viewer
from shoutgraph.outbound.courier import Courier, Rules
from shoutgraph.services import api_keys, creators, offers, packages, reports, users
from shoutgraph.services.endpoints import manage
from shoutgraph.services.orders import moderate
from shoutgraph.services.users import Identities
from shoutgraph.storage import creators as creator_rows, endpoints as endpoint_rows
from shoutgraph.tools import Tools

pytestmark = pytest.mark.postgresql_only


def test_a_handle_belongs_to_one_creator(processes: Processes) -> None:
    for _ in range(ROUNDS):
        people, profile = [someone(processes) for _ in range(COUNT)], profile_of(new_handle())
        results = processes.at_once(
            *(lambda tools, who=who, as_=profile: creators.register(tools, who, as_) for who in people)
        )
        assert len(won(results, Creator)) == 1
        assert {refusal.code for refusal in won(results, errors.ValidationError)} == {"HANDLE_TAKEN"}


def test_creators_who_want_the_same_handle_do_not_both_get_it(processes: Processes) -> None:
    for _ in range(ROUNDS):
        people, handle = [seller(processes)[0] for _ in range(COUNT)], new_handle()
        results = processes.at_once(*(changing(who, handle=handle) for who in people))
        assert len(won(results, Creator)) == 1
        assert {refusal.code for refusal in won(results, errors.ValidationError)} == {"HANDLE_TAKEN"}


def test_a_person_becomes_a_creator_once(processes: Processes) -> None:
    for _ in range(ROUNDS):
        person, profile = someone(processes), profile_of(new_handle())
        made = processes.everywhere(lambda tools, who=person, as_=profile: creators.register(tools, who, as_))
        assert len({creator.id for creator in won(made, Creator)}) == 1
        assert len(won(made, Creator)) == COUNT


def test_a_profile_that_is_taken_away_stays_closed_whoever_opens_it_meanwhile(processes: Processes) -> None:
    world, fan, moderator = processes.world, someone(processes), processes.world.staff("moderator")
    why = Reasons(Basis.TERMS, "section 4", "It is as they say.")
    nothing, until = reports.Effects({}, {}, moderate.cancel), world.clock() + timedelta(days=1)
    for _ in range(ROUNDS):
        star, profile, _ = seller(processes)
        filing = reports.Filing(profile.id, Ground.HATE, "It is hateful.", good_faith=True)
        report = world.run(reports.file(world.tools, fan, world.request("reportFile", fan), filing)).value
        asked, verdict = world.request("reportDecide", moderator), reports.Verdict(Action.CONTENT_REMOVED, why)
        results = processes.at_once(
            lambda tools, who=star: creators.reopen(tools, who, expected_revision=None),
            lambda tools, of=report.id, on=asked, what=verdict: reports.decide(
                tools, moderator, on, of, what, effects=nothing
            ),
            lambda tools, who=star: creators.pause(tools, who, until=until, expected_revision=None),
        )
        assert {each.code for each in won(results, errors.ForbiddenError)} <= {"PROFILE_REMOVED"}
        assert len(won(results, Creator)) + len(won(results, errors.ForbiddenError)) == 2
        left = world.run(creators.get(world.tools, profile.id))
        assert (left.open, left.paused_until) == (False, None)


def test_a_person_of_a_provider_is_one_user(processes: Processes) -> None:
    for number in range(ROUNDS):
        principal = Principal(subject=f"sub-{number}", issuer="https://id.example")
        found = processes.everywhere(lambda tools, who=principal: Identities(tools).identify(who))
        assert len({viewer.user_id for viewer in found}) == 1


def test_changes_that_name_no_revision_all_happen(processes: Processes) -> None:
    for _ in range(ROUNDS):
        person = someone(processes)
        changed = processes.everywhere(lambda tools, who=person: renamed(tools, who))
        assert sorted(user.revision for user in changed) == list(range(2, COUNT + 2))
        creator, profile, offer = seller(processes)
        bios = processes.at_once(*(changing(creator, bio=new_id("bio")) for _ in range(COUNT)))
        assert sorted(each.revision - profile.revision for each in bios) == list(range(1, COUNT + 1))
        prices = processes.at_once(*(repricing(creator, offer, 1_001 + step) for step in range(COUNT)))
        assert sorted(each.revision - offer.revision for each in prices) == list(range(1, COUNT + 1))


def renamed(tools: Tools, who: Viewer) -> Any:
    return users.update(tools, who, {"display_name": new_id("name")}, expected_revision=None)


def changing(who: Viewer, *, revision: int | None = None, **changes: Any) -> Call[Creator]:
    return lambda tools: creators.update(tools, who, changes, expected_revision=revision)  # type: ignore[arg-type]


def repricing(who: Viewer, offer: Offer, price_coins: int, *, revision: int | None = None) -> Call[Offer]:
    return lambda tools: offers.update(tools, who, offer.id, {"price_coins": price_coins}, expected_revision=revision)


def switching_off(who: Viewer, offer: Offer) -> Call[Offer]:
    return lambda tools: offers.switch(tools, who, offer.id, active=False, expected_revision=None)


def test_of_many_changes_to_one_revision_one_happens(processes: Processes) -> None:
    for _ in range(ROUNDS):
        creator, profile, offer = seller(processes)
        bios = [changing(creator, revision=profile.revision, bio=new_id("bio")) for _ in range(COUNT)]
        prices = [repricing(creator, offer, 2_000 + step, revision=offer.revision) for step in range(COUNT)]
        results = processes.at_once(*bios, *prices)
        assert len(won(results, Creator)) == 1
        assert len(won(results, Offer)) == 1
        assert len(won(results, errors.StaleRevisionError)) == 2 * COUNT - 2


def test_an_offer_that_is_taken_off_is_sold_before_or_not_at_all(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fans, (creator, profile, offer) = [someone(processes, 1_000) for _ in range(3)], seller(processes)
        ordering = (processes.order(fan, offer.id) for fan in fans)
        results = processes.at_once(switching_off(creator, offer), *ordering)
        refused = won(results, errors.CreatorUnavailableError)
        assert len(done(results)) + len(refused) == len(fans)
        assert {refusal.code for refusal in refused} <= {"OFFER_INACTIVE"}
        assert cheapest(processes, profile) is None
        (late,) = processes.at_once(processes.order(someone(processes, 1_000), offer.id))
        assert isinstance(late, errors.CreatorUnavailableError)


def test_an_order_pays_the_price_that_was_seen_or_none(processes: Processes) -> None:
    for _ in range(ROUNDS):
        fans, (creator, _, offer) = [someone(processes, 2_000) for _ in range(3)], seller(processes)
        ordering = (processes.order(fan, offer.id) for fan in fans)
        results = processes.at_once(repricing(creator, offer, 1_500), *ordering)
        refused = won(results, errors.PriceChangedError)
        assert {order.price_coins for order in done(results)} <= {1_000}
        assert {refusal.current_price_coins for refusal in refused} <= {1_500}
        assert len(done(results)) + len(refused) == len(fans)


def test_a_creators_cheapest_price_follows_offers_that_change_at_once(processes: Processes) -> None:
    for _ in range(ROUNDS):
        creator, profile, _ = seller(processes, price_coins=2_000)
        made = processes.at_once(*(offering(creator, price) for price in (400, 300, 500, 600)))
        processes.at_once(*(switching_off(creator, offer) for offer in made[:2]))
        assert cheapest(processes, profile) == 500


def cheapest(processes: Processes, creator: Creator) -> int | None:
    return processes.world.read(lambda tx: creator_rows.get(tx, creator.id)).price_from_coins


def test_a_creator_has_no_more_offers_than_one_may(processes: Processes) -> None:
    creator, profile, _ = seller(processes)
    for _ in range(OFFERS_MAX - 2):
        processes.run(offering(creator, 1_000))
    results = processes.everywhere(offering(creator, 1_000))
    assert len(won(results, Offer)) == 1
    assert {refusal.code for refusal in won(results, errors.LimitExceededError)} == {"OFFERS_MAX"}
    assert processes.world.read(lambda tx: creator_rows.count_offers(tx, profile.id)) == OFFERS_MAX


def offering(creator: Viewer, price_coins: int) -> Call[Offer]:
    terms = OfferTerms(Occasion.BIRTHDAY, "A song", price_coins, duration_max_s=60, delivery_days=7)
    return lambda tools: offers.create(tools, creator, terms)


def test_there_are_no_more_endpoints_than_may_be(processes: Processes) -> None:
    admin, courier = processes.world.staff("admin"), Courier(b"k" * 32, clock=processes.world.clock, rules=Rules())
    for _ in range(ENDPOINTS_MAX - 1):
        processes.run(asking(processes, admin, courier))
    results = processes.at_once(*(asking(processes, admin, courier) for _ in range(COUNT)))
    assert len(won(results, manage.Made)) == 1
    assert {refusal.code for refusal in won(results, errors.ValidationError)} == {"TOO_MANY"}
    assert processes.world.read(endpoint_rows.count_open) == ENDPOINTS_MAX


def asking(processes: Processes, admin: Viewer, courier: Courier) -> Call[manage.Made]:
    asked, wish = (
        processes.world.request("webhookEndpointCreate", admin),
        manage.Wish("https://tools.example/", "A tool"),
    )
    return lambda tools: manage.create(replace(tools, courier=courier, new_secret=lambda: "s" * 43), admin, asked, wish)


def test_a_key_is_revoked_once_and_then_refused_everywhere(processes: Processes) -> None:
    admin, secret = processes.world.staff("admin"), "s" * 43
    new_secret: Callable[[], str] = lambda: secret  # noqa: E731
    for _ in range(ROUNDS):
        key, _ = processes.run(
            lambda tools: api_keys.create(tools, admin, label="Tool", scopes=[Scope.EVENTS_READ], new_secret=new_secret)
        )
        revoke = lambda tools, of=key.id: api_keys.revoke(tools, admin, of)  # noqa: E731
        prove = lambda tools, of=key.id: api_keys.prove(tools, of, secret)  # noqa: E731
        results = processes.at_once(revoke, prove, revoke, prove, prove, revoke)
        assert len(won(results, errors.NotFoundError)) == 2
        assert len(won(results, Principal)) + len(won(results, errors.UnauthenticatedError)) == 3
        assert len(won(processes.everywhere(prove), errors.UnauthenticatedError)) == COUNT


def test_of_two_price_lists_one_holds_whole(processes: Processes) -> None:
    admin = processes.world.staff("admin")
    try:
        for number in range(ROUNDS):
            lists = [priced(country, 1_000 + number) for country in ("DE", "FR", "ES", "IT")]
            processes.at_once(*(lambda tools, of=prices: packages.load(tools, admin, of) for prices in lists))
            found = processes.world.read(packages.on_sale)
            assert len({package.market.country for package in found.packages} - {ANYWHERE.country}) == 1
            assert len(found.units) == 1
    finally:
        processes.run(lambda tools: packages.load(tools, admin, PRICES))


def priced(country: str, price_minor: int) -> PriceList:
    market = Market(country, "EUR", Platform.WEB)
    return PriceList(
        rates=(RateEntry("EUR", "EUR", 100, 1),),
        packages=(PackageEntry(market, 1_000, price_minor),),
        units=(UnitEntry(ANYWHERE, 1, 1, 1, 1_000_000),),
    )
