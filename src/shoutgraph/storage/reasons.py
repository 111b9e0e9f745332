"""Why a table that says something of people is not blanked with them, or is in nobody's copy; and which know nobody.

Source: docs/PRIVACY.md.
"""

from collections.abc import Mapping
from typing import Final

KEPT: Final[Mapping[str, str]] = {
    "audit": "who of the staff did what and why: ids, codes and staff's own reasons; legal claims",
    "bank_file": "what was sent to a bank and came from it: accounts have to be kept as the law says",
    "notice": "what providers sent, as it came: removed by its age",
    "card_issue": "staff's reason and case of gift cards that were given away: accounts",
    "ledger_adjustment": "staff's reason and case of a correction of the books: accounts",
    "refund": "staff's reason for a refund, beside its money: accounts",
    "payout_hold": "staff's reason to hold a payout, or to let it go: legal claims",
    "resolution": "staff's evidence for money settled by hand: accounts",
    "spending_guard": "until when somebody shut themselves out: erasing is no way around it",
    "tax_profile": "what a seller certified, for ten years after their last payout: tax law",
    "suspense_line": "what a provider moved, and staff's reason to place it: accounts",
    "stray": "what a provider has under a name of ours: accounts",
    "topup": "country and provider's reference of a payment: taxes, and charge-backs that come later",
    "topup_waiver": "what was consented to when coins were bought: its proof",
    "payout_onboarding": "the provider's own reference of a recipient: money that comes back later",
    "report_decision": "a moderator's statement of reasons: legal claims",
    "rating_decision": "a moderator's statement of reasons: legal claims",
}
"""What is left where somebody was erased, and why it may be."""

IMPERSONAL: Final = frozenset({
    "api_key", "asset", "coin_package", "dormancy_day", "entry", "epoch", "fold", "fx_rate", "fx_revaluation",
    "lapse_total", "ledger_adjustment_leg", "money_total", "news_cursor", "notice_seen", "order_ok", "posting",
    "promo_code", "rate_bucket", "sticker", "sweep", "transfer", "unit_price", "wallet_ok", "webhook_attempt",
    "webhook_delivery", "webhook_place", "webhook_secret",
})  # fmt: skip
"""Tables that know nobody."""

UNTOLD: Final[Mapping[str, str]] = {
    "account": "the accounts of the books: what is on a person's own is in their lots, earnings and statements",
    "audit": "what the staff did: what it says of a person is in what it changed; who of the staff it was is theirs",
    "bank_file": "files for a bank and from it, of many people at once: of each there is a payout",
    "card_issue": "a decision to give gift cards away: a card that was redeemed is told with it",
    "closure_step": "how far each step is: told with the closure",
    "deadline": "when an order goes on by itself: the order tells of it",
    "event": "the journal: what it says of a person is in the feeds that they read, and in what it tells of",
    "feature_rule": "who of the staff changed a rule: who is named by one is told of it",
    "gift_total": "sums of gifts, each of which is told",
    "ledger_adjustment": "a correction of the books by two of the staff: what it changed of a debt is in statements",
    "notice": "what providers sent, as it came: what it said of a payment is told with it",
    "payout_batch": "what was handed over together, for many people: each is told of their payout",
    "policy": "who of the staff published rules",
    "price_list": "who of the staff published prices",
    "promotion": "who of the staff made it: who used it is told of that",
    "resolution": "staff's evidence for money settled by hand: how it ended is told with the money",
    "suspense_line": "a movement of which nobody knows whose it is; once that is known it is told with the payment",
    "webhook_endpoint": "who of the staff made it",
}
"""Tables that name people, or what is theirs, and are in nobody's copy: why not."""
