"""What a price is made of, and who gets which part of it."""

from typing import Final

from shoutgraph.domain.explanations import explanation as say
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.quotes import Quote

POLICIES: Final = "docs/ORDERS.md#policies"


_IN_CAMPAIGN: Final = "The creator's price is {listPrice}, and in the campaign {base}."


def price(quote: Quote) -> Explanation:
    """Why an order of an offer costs what it does, and what somebody lacks for it."""
    coins, policy = quote.coins, quote.policy
    words = ["The creator's price is {base}."] if quote.campaign is None else [_IN_CAMPAIGN]
    words += ["A fast delivery costs {express} more."] if coins.express_coins else []
    words += ["An order of a business costs {business} more."] if coins.business_coins else []
    words += [
        "Together that is {total}, which are held until the video is delivered and confirmed.",
        "Of it the platform keeps a fee of {feeShare}, rounded down: {fee}. The creator earns {earning}.",
        "The creator has {accept} to answer, and {delivery} to deliver.",
    ]
    outcome = [
        say.coins("total", coins.total_coins),
        say.coins("fee", quote.split.fee_coins),
        say.coins("earning", quote.split.earning_coins),
        say.coins("missing", quote.missing_coins),
        say.seconds("accept", quote.accept_s),
        say.seconds("delivery", quote.delivery_s),
    ]
    if quote.exact is not None:
        outcome.append(say.amount("money", quote.exact.price))
        words.append("Buying so many coins would cost {money}.")
    if quote.missing_coins:
        words.append("In the wallet {missing} are missing.")
    if quote.topup is not None:
        outcome += [say.coins("topUp", quote.topup.coins), say.amount("topUpMoney", quote.topup.price)]
        words.append("A purchase of {topUp} for {topUpMoney} covers that.")
    return say.explain(
        "price.offer",
        POLICIES,
        inputs=(
            say.coins("base", coins.base_coins),
            say.coins("listPrice", quote.list_coins),
            say.coins("express", coins.express_coins),
            say.coins("business", coins.business_coins),
            say.share("feeShare", quote.fee_bps),
        ),
        outcome=outcome,
        words=words,
        policy_version=policy.version,
    )
