"""The catalogue of the demo: fictional creators with offers, prices and gifts. Loading it twice changes nothing.

The data is in the JSON files beside this module. Nobody in it is a real person.
"""

import json
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final

from shoutgraph.domain import creators, ids, users
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, OfferTerms, Profile
from shoutgraph.domain.gifts import StickerEntry, read_catalogue
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.packages import PriceList
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.price_files import read_list
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators as creator_rows, policies, users as user_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

SEEDS_MAX: Final = 500
"""Creators that one seeding creates at most."""


@dataclass(frozen=True, slots=True)
class CreatorSeed:
    """A creator to be, with what they sell."""

    profile: Profile
    offers: tuple[OfferTerms, ...]
    featured: bool = False


async def seed_creators(tools: Tools, viewer: Viewer, seeds: tuple[CreatorSeed, ...]) -> tuple[Creator, ...]:
    """Registers a user and a creator for each seed whose handle is free; gives all the seeds' creators.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an administrator.
        ValidationError: a seed breaks a rule.
    """
    viewer.require(Scope.ADMIN)
    assert len(seeds) <= SEEDS_MAX, "a seeding is one unit of work, and so bounded"

    def work(tx: Tx) -> tuple[Creator, ...]:
        policy = policies.current(tx)
        found = (creator_rows.find_by_handle(tx, seed.profile.handle) for seed in seeds)
        return tuple(
            creator or _insert(tools, tx, seed, policy) for seed, creator in zip(seeds, list(found), strict=True)
        )

    return await tools.store.write(work)


def read_creators() -> tuple[CreatorSeed, ...]:
    """The demo's creators."""
    return tuple(_seed(given) for given in _read("seed_creators.json"))


def read_prices() -> PriceList:
    """The demo's price list: what coins cost in the euro area, the USA, the United Kingdom, Japan and elsewhere."""
    return read_list(_read("seed_prices.json"))


def read_gifts() -> tuple[StickerEntry, ...]:
    """The demo's catalogue of gifts, from one coin to the largest."""
    return read_catalogue(_read("seed_gifts.json"))


def _insert(tools: Tools, tx: Tx, seed: CreatorSeed, policy: Policy) -> Creator:
    user_id = ids.UserId(tools.new_id(ids.USER))
    name, country = seed.profile.name, seed.profile.country
    user_rows.insert(tx, users.register(user_id=user_id, display_name=name, country=country, now=tx.now))
    creator_id = ids.CreatorId(tools.new_id(ids.CREATOR))
    creator = creators.register(seed.profile, creator_id=creator_id, user_id=user_id, policy=policy, now=tx.now)
    creator_rows.insert(tx, replace(creator, featured=seed.featured))
    for terms in seed.offers:
        offer_id = ids.OfferId(tools.new_id(ids.OFFER))
        offer = creators.offer(terms, offer_id=offer_id, creator_id=creator_id, policy=policy, now=tx.now)
        creator_rows.insert_offer(tx, offer)
    return creator_rows.get(tx, creator_id)


def _seed(given: dict[str, Any]) -> CreatorSeed:
    offers = tuple(OfferTerms(**(offer | {"occasion": Occasion(offer["occasion"])})) for offer in given.pop("offers"))
    featured = given.pop("featured", False)
    lists = {
        "categories": tuple(Category(name) for name in given["categories"]),
        "languages": tuple(given["languages"]),
    }
    return CreatorSeed(Profile(**(given | lists)), offers, featured)


def _read(name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(resources.files("shoutgraph.services").joinpath(name).read_text(encoding="utf-8"))
