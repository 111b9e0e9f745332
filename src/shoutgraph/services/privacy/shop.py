"""What somebody has on the market goes off it when they leave: an account that closes, and one that is erased."""

from collections.abc import Sequence

from shoutgraph.domain import creators as rules, ids
from shoutgraph.domain.closures import Shop
from shoutgraph.domain.creators import Offer
from shoutgraph.domain.users import SYSTEM
from shoutgraph.storage import creators
from shoutgraph.storage.tx import Tx


def hold(tx: Tx, user_id: ids.UserId) -> list[Offer]:
    """The offers that somebody has on sale, held: before their creator. Whoever does holds the user."""
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is None:
        return []
    (offers,) = creators.list_of_offers_by_creator(tx, [creator_id], SYSTEM)
    return [creators.get_offer(tx, offer.id) for offer in offers if offer.active]


def shut(tx: Tx, user_id: ids.UserId, sold: Sequence[Offer]) -> Shop:
    """Takes a creator off the market: no offer is on sale, no gift is taken, no order either. Says what was on.

    Args:
        sold: what `hold` gave.
    """
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is None:
        return Shop()
    for offer in sold:
        creators.save_offer(tx, rules.switch_offer(offer, active=False))
    creator = creators.get(tx, creator_id)
    off = rules.leave(creator)
    if off is not creator:
        creators.save(tx, off)
    return Shop(tuple(offer.id for offer in sold), creator.takes_gifts)


def restore(tx: Tx, user_id: ids.UserId, shop: Shop) -> None:
    """Puts offers back on sale, and takes gifts again, as it was; the shop is opened by its creator."""
    creator_id = creators.find_id_by_user(tx, user_id)
    if creator_id is None:
        return
    for offer_id in shop.offer_ids:
        offer = creators.get_offer(tx, offer_id)
        if not offer.active:
            creators.save_offer(tx, rules.switch_offer(offer, active=True))
    creator = creators.get(tx, creator_id)
    taking = rules.take_gifts(creator) if shop.takes_gifts else creator
    if taking is not creator:
        creators.save(tx, taking)
