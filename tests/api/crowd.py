"""A marketplace in which nothing is shared: each fan, creator, offer, policy, order and video is there once."""

import time
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from tests.api import giving, hooks, ledgers, shops
from tests.api.cast import PRICE, PURCHASE, RULES, SHAPE, STEPS, STICKERS, Cast
from tests.api.harness import PATIENCE_S

from shoutgraph.domain import closures as closing, ids
from shoutgraph.domain.closures import Wish
from shoutgraph.domain.policies import FIRST
from shoutgraph.storage import closures, policies
from shoutgraph.storage.tx import Tx

SIZE: Final = 12
FIRST_VERSION: Final = 10_000
LIFE: Final = (
    "orderScreenPass",
    "orderAccept",
    "orderDeliver",
    "orderReviewPass",
    "orderDisputeOpen",
    "orderDisputeAnswer",
    "orderDisputeRelease",
)
"""What each order goes through."""


@dataclass
class Crowd:
    """What was made, one of each for everybody."""

    cast: Cast
    orders: list[str]
    waiting: list[str]
    topups: list[str]
    payouts: list[str]
    users: list[str]
    creators: list[str]
    offers: list[str]
    videos: list[str]
    recipients: list[str]
    packages: list[str]
    refunds: list[str]
    resolutions: list[str]
    stickers: list[str]
    gifts: list[str]
    batches: list[str]
    bank_files: list[str]
    ratings: list[str]
    entries: list[str]
    attachments: list[str]
    campaigns: list[str]
    samples: list[str]
    promotions: list[str]
    gift_cards: list[str]
    exports: list[str]
    erasures: list[str]
    audits: list[str]
    reports: list[str]
    endpoints: list[str]
    deliveries: list[str]

    def of(self, prefix: str) -> list[str]:
        """Everything whose ids have this prefix."""
        if prefix == "wallet":
            return [f"wallet_{user.removeprefix('user_')}" for user in self.users]
        return next(
            found for found in vars(self).values() if isinstance(found, list) and found[0].startswith(f"{prefix}_")
        )


def gather(cast: Cast) -> Crowd:
    """Brings everybody together: each first order is paid to its creator, who asks for the money; a second waits."""
    to = cast.deployment
    crowd = Crowd(cast, *([] for _ in range(len(fields(Crowd)) - 1)))
    for at in range(SIZE):
        fan, creator = f"fan_{at}", f"creator_{at}"
        crowd.users += [to.register(fan), to.register(creator)]
        crowd.creators.append(cast.profile(creator, creator))
        crowd.offers.append(cast.offer(creator))
        made = to.do(fan, "topUpCreate", "topUp { id }", buy={"coins": "700"}, **PURCHASE)
        crowd.topups.append(made["topUp"]["id"])
        to.control(f"payments/{crowd.topups[-1]}/pay")
    _until_paid(crowd)
    for at in range(SIZE):
        policy = replace(RULES, version=FIRST_VERSION + at)
        to.write(lambda tx, policy=policy: policies.insert(tx, policy))
        wish = cast.wish(offerId=crowd.offers[at])
        order = to.do(f"fan_{at}", "orderPlace", SHAPE, **wish | _campaign(crowd, at))["order"]
        crowd.orders.append(order["id"])
        crowd.waiting.append(to.do(f"fan_{at}", "orderPlace", SHAPE, **wish)["order"]["id"])
        _live(crowd, order, at)
    _give(crowd)
    _sell(crowd)
    _rate(crowd)
    _show(crowd)
    _pay_out(crowd)
    _let_wait(crowd)
    _keep(crowd)
    crowd.packages = [each["id"] for each in _packages(cast)]
    shown = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { video { id } } } }"
    crowd.videos = [order["video"]["id"] for order in to.ask("moderator", shown, ids=crowd.orders)["nodes"]]
    return crowd


def _live(crowd: Crowd, order: dict[str, Any], at: int) -> None:
    """Leads an order from its fan's request to its end, with evidence in its dispute."""
    cast = crowd.cast
    for mutation in LIFE:
        who = STEPS[mutation].who
        actor = f"{who}_{at}" if who in {"fan", "creator"} else who
        given = cast.given(mutation, order)
        if mutation == "orderDisputeOpen":
            crowd.attachments.append(cast.attachment(order["id"], "nobody else"))
            given["attachmentIds"] = crowd.attachments[-1:]
        cast.deployment.do(actor, mutation, SHAPE, **given)


def _pay_out(crowd: Crowd) -> None:
    """Every creator asks for money."""
    to = crowd.cast.deployment
    for at in range(SIZE):
        recipient = crowd.cast.recipient(f"creator_{at}")
        crowd.recipients.append(recipient)
        given = {"coins": "10", "recipientId": recipient}
        crowd.payouts.append(to.do(f"creator_{at}", "payoutRequest", "payout { id }", **given)["payout"]["id"])


def _show(crowd: Crowd) -> None:
    """Every creator shows the first order's video, with the fan's consent; the cast's creator shows many."""
    cast = crowd.cast
    for at, order_id in enumerate(crowd.orders):
        given = {"orderId": order_id, "visibility": "PUBLIC"}
        cast.deployment.do(f"fan_{at}", "orderVisibilitySet", SHAPE, **given)
        made = cast.deployment.do(f"creator_{at}", "samplePublish", "sample { id }", orderId=order_id)
        crowd.samples.append(made["sample"]["id"])


def _rate(crowd: Crowd) -> None:
    """Has every order rated and replied to, and gives the cast's creator a page of ratings, some decided about."""
    cast = crowd.cast
    for at, order_id in enumerate(crowd.orders):
        given = {"orderId": order_id, "stars": 1 + at % 5, "opinion": "So."}
        rated = cast.deployment.do(f"fan_{at}", "orderRate", "rating { id }", **given)
        crowd.ratings.append(rated["rating"]["id"])
        cast.deployment.do(f"creator_{at}", "ratingReply", "rating { id }", ratingId=crowd.ratings[-1], text="So?")
    for at in range(SIZE):
        rated = cast.hidden() if at % 2 else cast.rated()
        if at % 2:
            given = {"ratingId": rated["rating"]["id"], "reason": "APPEAL", "note": "This is why."}
            cast.deployment.do("moderator", "ratingRestore", "rating { id }", **given)
    cast.deployment.settle()


def _sell(crowd: Crowd) -> None:
    """Staff make promotions and schedule prices, and the fan buys gift cards."""
    to = crowd.cast.deployment
    of = giving.proposed_issue(crowd.cast, cards_count=SIZE)
    crowd.cast.ids["issue"] = str(of["giftCardIssueId"])
    to.do("admin", "giftCardIssueConfirm", "csv", **of)
    for _ in range(SIZE):
        giving.proposed_issue(crowd.cast)
        crowd.promotions.append(shops.coded(to)[0])
        crowd.gift_cards.append(shops.card(to)[0])
        shops.scheduled(to)
        to.do("admin", "priceRatePublish", "rate { version }", **shops.rated(to))
        crowd.endpoints.append(hooks.endpoint(to))
        crowd.deliveries.append(hooks.delivery(to, crowd.endpoints[-1]))


def _campaign(crowd: Crowd, at: int) -> dict[str, object]:
    """A campaign of a creator's, and what an order in it names."""
    plan = crowd.cast.plan(offerIds=[crowd.offers[at]])
    made = crowd.cast.deployment.do(f"creator_{at}", "campaignCreate", "campaign { id }", **plan)["campaign"]
    crowd.campaigns.append(made["id"])
    return {"campaignId": made["id"], "expectedPrice": str(PRICE - PRICE // 10)}


def _stand_in_line(crowd: Crowd) -> None:
    """Every creator takes a break, and every fan waits for their own and for the cast's."""
    to = crowd.cast.deployment
    for at, offer_id in enumerate(crowd.offers):
        to.do(f"creator_{at}", "creatorPause", "creator { id }")
        joined = to.do(f"fan_{at}", "waitlistJoin", "entry { id }", offerId=offer_id)
        crowd.entries.append(joined["entry"]["id"])
        crowd.cast.wait(f"fan_{at}")


def _give(crowd: Crowd) -> None:
    """Every fan sets limits, and gives to their own creator and to the cast's, another sticker each while they last."""
    to = crowd.cast.deployment
    sold = to.ask("fan", STICKERS)["giftCatalogue"]["stickers"]
    crowd.stickers = [sticker["id"] for sticker in sold]
    for at, creator_id in enumerate(crowd.creators):
        to.do(f"fan_{at}", "spendingLimitsSet", "guard { revision }")
        for whose in (creator_id, crowd.cast.ids["creator_profile"]):
            given = {"creatorId": whose, "stickerId": sold[at % 2]["id"], "expectedPrice": sold[at % 2]["price"]}
            gift = to.do(f"fan_{at}", "giftSend", "gift { id }", **given)["gift"]
        crowd.gifts.append(gift["id"])


def _roll_out(crowd: Crowd) -> None:
    """A rule in many versions, which is on for everyone again in the end."""
    to, named = crowd.cast.deployment, crowd.cast.ids["fan"]
    what = {"feature": "TOPUPS", "provider": "sandbox", "reason": "A page of it"}
    for at in range(SIZE):
        to.do("admin", "featureRuleSet", "replayed", shareBasisPoints=9_000 + at, allowUserIds=[named], **what)
    to.do("admin", "featureRuleRemove", "replayed", **what)


def _keep(crowd: Crowd) -> None:
    """What is kept of people, and of what staff did: one fan's copies, wishes to be erased, and the trail."""
    to = crowd.cast.deployment
    crowd.exports = [ledgers.kept_export(to, crowd.users[0]) for _ in range(SIZE)]
    crowd.reports = [ledgers.report(crowd.cast, "APPEALED") for _ in range(SIZE)]
    to.write(lambda tx: _think_better(tx, crowd))
    crowd.erasures = [ledgers.waiting_erasure(to, user) for user in crowd.users]
    trail = to.ask("admin", "query ($size: Int!) { auditTrail(first: $size) { nodes { id } } }", size=SIZE)
    crowd.audits = [line["id"] for line in trail["auditTrail"]["nodes"]]


def _think_better(tx: Tx, crowd: Crowd) -> None:
    """Everybody's account was to be closed, and stays open after all."""
    for user in crowd.users:
        wish = Wish(crowd.cast.deployment.app.tools.new_id(ids.CLOSURE), ids.UserId(user))
        closures.insert(tx, closing.cancel(closing.request(wish, policy=FIRST, now=tx.now), now=tx.now))


def _let_wait(crowd: Crowd) -> None:
    """What waits for people, and who waits in line."""
    _stand_in_line(crowd)
    _roll_out(crowd)
    to = crowd.cast.deployment
    for topup_id in crowd.topups:
        crowd.refunds.append(ledgers.held_refund(to, topup_id))
        crowd.resolutions.append(ledgers.proposed(to))
        batch_id, file_id = ledgers.exported(to)
        crowd.batches.append(batch_id)
        crowd.bank_files.append(file_id)
    for at in range(SIZE):
        giving.proposed_goodwill(to, crowd.orders[at])
        giving.owe(to, crowd.users[2 * at])
        giving.proposed_write_off(to, crowd.users[2 * at])
        giving.proposed_correction(crowd.cast)
        giving.in_suspense(to)


def _packages(cast: Cast) -> list[Any]:
    """What is sold in several markets."""
    markets = [("DE", "EUR"), ("US", "USD")]
    document = "query ($country: String!, $currency: CurrencyCode!) {{ coinPackages({}) {{ id }} }}".format(
        "country: $country, currency: $currency"
    )
    to = cast.deployment
    sold = [to.ask("anonymous", document, country=country, currency=money) for country, money in markets]
    return [package for each in sold for package in each["coinPackages"]]


def _until_paid(crowd: Crowd) -> None:
    to = crowd.cast.deployment
    deadline = time.monotonic() + PATIENCE_S
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TopUp { status } } }"
    while True:
        nodes: list[Any] = to.ask("finance", document, ids=crowd.topups)["nodes"]
        if all(node["status"] == "PAID" for node in nodes):
            return
        assert time.monotonic() < deadline, nodes
        to.settle()
