"""Becoming a creator, selling, and asking what it costs: works once, refuses once, repeats once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.services.world import World

from shoutgraph.domain import catalogue as lists, creators as rules, errors, pages
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort, Sort
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import OfferTerms, Profile
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.privacy import ErasureState, Export, ExportState
from shoutgraph.domain.users import ANONYMOUS, SYSTEM
from shoutgraph.services import catalogue, creators, offers, packages, seeds
from shoutgraph.services.offers import Question
from shoutgraph.services.orders import advance
from shoutgraph.services.privacy import close, erase
from shoutgraph.storage import privacy

PROFILE = Profile("mira", "Mira", "DE", (Category.MUSICIAN,), ("de",))
TERMS = OfferTerms(Occasion.BIRTHDAY, "A song", 1000, 60, 7, 200)
DE = Market("DE", "EUR", Platform.WEB)


def test_the_same_registration_again_gives_the_same_profile(world: World) -> None:
    ada = world.person("ada")
    first = world.run(creators.register(world.tools, ada, PROFILE))
    assert world.run(creators.register(world.tools, ada, replace(PROFILE, handle="@Mira "))) == first
    with pytest.raises(errors.ValidationError) as caught:
        world.run(creators.register(world.tools, ada, replace(PROFILE, name="Other")))
    assert caught.value.code == "ALREADY_A_CREATOR"


def test_a_handle_is_taken_once(world: World) -> None:
    world.run(creators.register(world.tools, world.person("ada"), PROFILE))
    with pytest.raises(errors.ValidationError) as caught:
        world.run(creators.register(world.tools, world.person("eve"), PROFILE))
    assert (caught.value.code, caught.value.path) == ("HANDLE_TAKEN", ("input", "handle"))
    nova, _, _ = world.creator("nova")
    with pytest.raises(errors.ValidationError):
        world.run(creators.update(world.tools, nova, {"handle": "mira"}, expected_revision=None))
    kept = world.run(creators.update(world.tools, nova, {"handle": "NOVA", "bio": "Hi"}, expected_revision=1))
    assert (kept.handle, kept.bio, kept.revision) == ("nova", "Hi", 2)


def test_nobody_and_no_tool_becomes_a_creator(world: World) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        world.run(creators.register(world.tools, ANONYMOUS, PROFILE))
    with pytest.raises(errors.ForbiddenError):
        world.run(creators.register(world.tools, SYSTEM, PROFILE))
    with pytest.raises(errors.ForbiddenError):
        world.run(creators.update(world.tools, world.person("ada"), {"bio": "Hi"}, expected_revision=None))


def test_several_bad_fields_are_refused_at_once_and_change_nothing(world: World) -> None:
    nova, creator, _ = world.creator("nova")
    with pytest.raises(ExceptionGroup) as caught:
        world.run(creators.update(world.tools, nova, {"name": "", "country": "XX"}, expected_revision=None))
    assert len(caught.value.exceptions) == 2
    assert world.run(creators.get(world.tools, creator.id)).revision == creator.revision


def test_a_creator_pauses_and_opens_again(world: World) -> None:
    nova, _, _ = world.creator("nova")
    until = world.clock() + timedelta(days=7)
    paused = world.run(creators.pause(world.tools, nova, until=until, expected_revision=1))
    again = world.run(creators.pause(world.tools, nova, until=until, expected_revision=None))
    assert (paused.paused_until, paused.revision, again.revision) == (until, 2, 2)
    with pytest.raises(errors.StaleRevisionError):
        world.run(creators.reopen(world.tools, nova, expected_revision=1))
    opened = world.run(creators.reopen(world.tools, nova, expected_revision=2))
    assert opened.takes_orders(world.clock())
    assert world.run(creators.reopen(world.tools, nova, expected_revision=None)).revision == opened.revision


def test_who_paused_or_closed_is_erased_even_behind_one_whose_erasure_breaks(world: World) -> None:
    (vega, *_), (nova, *_), (rigel, creator, offer) = (world.creator(name) for name in ("vega", "nova", "rigel"))
    copy = Export(world.tools.new_id("export"), vega.user_id or "", ExportState.READY, world.clock())
    copy = replace(copy, due_at=world.clock(), expires_at=world.clock())
    world.write(lambda tx: privacy.insert_export(tx, copy))
    folder = world.tools.files.archive_of(copy.id)
    folder.mkdir(parents=True)  # nothing removes a folder where a file should be
    world.run(creators.pause(world.tools, nova, until=None, expected_revision=None))
    tools = replace(world.tools, real_clock=world.clock)
    world.run(close.close(tools, rigel, confirm=True, forfeit_promo=True, end=advance.advance))
    for who in (vega, nova, rigel):
        world.run(erase.request(world.tools, who, world.request("erasureRequest", who), confirm=True))
    world.clock.move(days=30)
    assert world.run(erase.run_due(world.tools)) == 2
    with pytest.raises(errors.ValidationError) as caught:
        world.run(close.cancel(world.tools, rigel, confirm=True))
    assert caught.value.code == "ERASURE_STATE"
    left = world.run(creators.get(world.tools, creator.id))
    assert (left.open, left.takes_gifts, left.price_from_coins) == (False, False, None)
    assert not world.run(offers.get(world.tools, world.staff("admin"), offer.id)).active
    with pytest.raises(errors.ForbiddenError, match="closing"):
        world.run(creators.reopen(world.tools, vega, expected_revision=None))
    states = [world.run(erase.newest(world.tools, who)) for who in (vega, nova, rigel)]
    assert [each and each.state for each in states] == [ErasureState.ERASING, ErasureState.DONE, ErasureState.DONE]
    folder.rmdir()
    world.clock.move(hours=2)  # what broke waits for a while, so that it stands before nobody
    assert world.run(erase.run_due(world.tools)) == 1


def test_staff_features_a_creator(world: World) -> None:
    nova, creator, _ = world.creator("nova")
    admin = world.staff("admin")
    featured = world.run(creators.feature(world.tools, admin, creator.id, featured=True, expected_revision=None))
    assert featured.featured
    with pytest.raises(errors.ForbiddenError):
        world.run(creators.feature(world.tools, nova, creator.id, featured=True, expected_revision=None))
    with pytest.raises(errors.NotFoundError):
        world.run(creators.feature(world.tools, admin, "creator_none", featured=True, expected_revision=None))


def test_a_creator_is_found_by_id_and_by_handle(world: World) -> None:
    _, creator, _ = world.creator("nova")
    found = world.run(creators.get(world.tools, creator.id))
    assert found.price_from_coins == 1000
    assert world.run(creators.get_by_handle(world.tools, "@Nova")) == found
    for missing in (creators.get(world.tools, "creator_none"), creators.get_by_handle(world.tools, "none")):
        with pytest.raises(errors.NotFoundError):
            world.run(missing)


def test_an_offer_is_changed_only_by_its_creator(world: World) -> None:
    nova, _, offer = world.creator("nova")
    rigel, _, _ = world.creator("rigel")
    changed = world.run(
        offers.update(world.tools, nova, offer.id, {"price_coins": 1500, "express_coins": None}, expected_revision=1)
    )
    assert (changed.price_coins, changed.express_coins, changed.revision) == (1500, None, 2)
    with pytest.raises(errors.StaleRevisionError):
        world.run(offers.update(world.tools, nova, offer.id, {"title": "Late"}, expected_revision=1))
    with pytest.raises(errors.NotFoundError):
        world.run(offers.update(world.tools, rigel, offer.id, {"title": "Mine"}, expected_revision=None))
    with pytest.raises(errors.ForbiddenError):
        world.run(offers.update(world.tools, world.person("ada"), offer.id, {"title": "Mine"}, expected_revision=None))


def test_an_offer_off_sale_is_gone_for_everyone_else(world: World) -> None:
    nova, creator, offer = world.creator("nova")
    off = world.run(offers.switch(world.tools, nova, offer.id, active=False, expected_revision=None))
    assert not off.active
    assert world.run(offers.switch(world.tools, nova, offer.id, active=False, expected_revision=None)) == off
    assert world.run(offers.get(world.tools, nova, offer.id)) == off
    assert world.run(offers.get(world.tools, world.staff("admin"), offer.id)) == off
    with pytest.raises(errors.NotFoundError):
        world.run(offers.get(world.tools, world.person("ada"), offer.id))
    with pytest.raises(errors.NotFoundError):
        world.run(offers.quote(world.tools, world.person("ada"), Question(offer.id, DE)))
    assert world.run(offers.list_by_creator(world.tools, ANONYMOUS, [creator.id])) == [()]
    assert world.run(catalogue.count(world.tools, lists.ALL, limit=10)) == 0


def test_a_creator_has_a_bounded_number_of_offers(world: World) -> None:
    nova, _, _ = world.creator("nova")
    for _ in range(rules.OFFERS_MAX - 1):
        world.run(offers.create(world.tools, nova, TERMS))
    with pytest.raises(errors.LimitExceededError) as caught:
        world.run(offers.create(world.tools, nova, TERMS))
    assert (caught.value.code, caught.value.limit) == ("OFFERS_MAX", rules.OFFERS_MAX)


def test_a_quote_counts_what_the_viewer_s_wallet_holds(world: World) -> None:
    _, _, offer = world.creator("nova")
    ada = world.person("ada")
    world.give_coins(ada, 300, promo=100)
    world.run(packages.load(world.tools, SYSTEM, seeds.read_prices()))
    quote = world.run(offers.quote(world.tools, ada, Question(offer.id, DE, express=True)))
    assert (quote.coins.total_coins, quote.missing_coins) == (1200, 800)
    assert quote.topup is not None
    assert quote.exact is not None
    assert (quote.topup.price.minor, quote.exact.price.minor) == (1258, 1886)  # 800 and 1200 times 11 / 7
    guest = world.run(offers.quote(world.tools, ANONYMOUS, Question(offer.id, DE)))
    assert guest.missing_coins == 1000
    nowhere = Market("DE", "CHF", Platform.WEB)
    assert world.run(offers.quote(world.tools, ada, Question(offer.id, nowhere))).exact is None


def test_the_demo_is_seeded_once(world: World) -> None:
    found = world.run(seeds.seed_creators(world.tools, SYSTEM, seeds.read_creators()))
    assert len(found) == 24
    assert all(creator.price_from_coins for creator in found)
    assert world.run(seeds.seed_creators(world.tools, SYSTEM, seeds.read_creators())) == found
    args = pages.PageArgs(10, None, backward=False)
    first = world.run(catalogue.page(world.tools, CreatorFilter(text="voice trailer"), CreatorSort.of(Sort.NAME), args))
    assert [creator.handle for creator in first.items] == ["dex.marlowe"]
    with pytest.raises(errors.ForbiddenError):
        world.run(seeds.seed_creators(world.tools, world.person("ada"), seeds.read_creators()))


def test_the_demo_has_something_for_every_category_and_occasion() -> None:
    found = seeds.read_creators()
    assert {category for seed in found for category in seed.profile.categories} == set(Category)
    assert {offer.occasion for seed in found for offer in seed.offers} == set(Occasion)
