"""Policies: every window, fee, rate and limit, as versioned data.

A policy version never changes once stored; an order names the version it was submitted under and keeps to it.
Units: `_s` seconds, `_bps` basis points, `_coins` coins; `par_units` book units (1/100 minor unit) a coin,
`_bytes` bytes.
Source: docs/ORDERS.md for the windows, docs/adr/0006-policies.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shoutgraph.domain import money

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S

Pairs = tuple[tuple[str, int], ...]
"""Numbers by name, such as by country; in the order of the names."""


class Screening(StrEnum):
    """Who screens a submitted order."""

    MODERATOR = "moderator"
    AUTOMATIC = "automatic"


class Velocity(StrEnum):
    """What becomes of a purchase that comes too soon after others."""

    REFUSE = "refuse"
    REVIEW = "review"


AGES: Final[Pairs] = (("*", 18), ("KR", 19))
"""From which age people deal with money here, by country; `DE.earn` would be another age for one deed."""
SPENDING_MAX: Final[Pairs] = (
    ("*.day.EUR", 5_000_000),
    ("*.day.GBP", 5_000_000),
    ("*.day.USD", 5_000_000),
    ("*.day.coins", 5_000_000),
    ("*.week.EUR", 10_000_000),
    ("*.week.GBP", 10_000_000),
    ("*.week.USD", 10_000_000),
    ("*.week.coins", 10_000_000),
)
"""The most that anybody spends, by country, span and unit: coins, or minor units of a currency."""
TOPUP_DAY_MONEY: Final[Pairs] = (("EUR", 4_000_000), ("GBP", 4_000_000), ("USD", 4_000_000))
"""Minor units of each currency."""

SELLER_THRESHOLDS: Final[Pairs] = (
    ("1099-K.amount", 2_000_000),
    ("1099-K.sales", 201),
    ("DAC7.sales", 1),
    ("UK_RRDP.sales", 1),
)
"""From how many sales on, and above which amount, sellers are reported to tax offices; see `domain.seller_reports`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules, as the API shows it."""

    version: int
    screening: Screening = Screening.MODERATOR
    draft_s: int = 30 * DAY_S
    screening_s: int = 72 * HOUR_S
    accept_s: int = 72 * HOUR_S
    delivery_s: int = 7 * DAY_S
    express_s: int = 24 * HOUR_S
    extension_max_s: int = 7 * DAY_S
    extension_offer_s: int = 48 * HOUR_S
    review_late_s: int = 72 * HOUR_S
    review_s: int = 14 * DAY_S
    redo_review_s: int = 72 * HOUR_S
    changes_min_s: int = 48 * HOUR_S
    confirm_s: int = 72 * HOUR_S
    redo_s: int = 7 * DAY_S
    contest_s: int = 72 * HOUR_S
    dispute_silence_s: int = 72 * HOUR_S
    dispute_s: int = 14 * DAY_S
    fee_bps: int = 3_000
    compensate_creator: bool = True
    book_currency: str = "EUR"
    par_units: int = 100
    price_min_coins: int = 250
    price_max_coins: int = 100_000
    open_orders_max: int = 50
    video_bytes_max: int = 500_000_000
    upload_s: int = 24 * HOUR_S
    topup_min_coins: int = 1
    topup_max_coins: int = 1_000_000
    earnings_hold_s: int = 7 * DAY_S
    payout_min_coins: int = 1_000
    payout_day_coins: int = 100_000
    gift_fee_bps: int = 3_000
    gift_max_coins: int = 100_000
    gift_day_coins: int = 500_000
    gift_quantity_max: int = 99
    gift_message_chars: int = 200
    rating_s: int = 90 * DAY_S
    rating_edit_s: int = 14 * DAY_S
    personal_licence: str = "For private use only: to keep, show and share, not to sell or to advertise with."
    business_licence: str = "For the business's own pages, channels and events, for one year; no paid advertisements."
    voice_note_s: int = 30
    voice_note_bytes_max: int = 5_000_000
    evidence_s: int = 180
    evidence_bytes_max: int = 50_000_000
    evidence_max: int = 10
    samples_max: int = 24
    waitlist_offer_s: int = 24 * HOUR_S
    waitlist_max: int = 500
    waitlists_fan_max: int = 20
    campaigns_max: int = 5
    reputation_sample_min: int = 5
    badge_response_s: int = DAY_S
    badge_on_time_bps: int = 10_000
    badge_rating_hundredths: int = 480
    badge_ratings_min: int = 10
    badge_completion_bps: int = 9_500
    watermark: str = "SHOUTGRAPH"
    bonus_life_s: int = 365 * DAY_S
    fx_jump_bps: int = 500
    card_min_coins: int = 70
    card_max_coins: int = 20_000
    cards_open_max: int = 20
    card_issue_max_coins: int = 1_000_000
    card_issue_month_coins: int = 5_000_000
    card_life_s: int = 3 * 365 * DAY_S
    card_life_by_country: tuple[tuple[str, int], ...] = ()
    card_wait_s: int = 0
    ages: Pairs = AGES
    age_required: bool = False
    spending_max: Pairs = SPENDING_MAX
    limit_raise_s: int = 24 * HOUR_S
    orders_hour_max: int = 60
    gifts_minute_max: int = 120
    topups_day_max: int = 50
    topup_day_money: Pairs = TOPUP_DAY_MONEY
    topup_velocity: Velocity = Velocity.REFUSE
    withdrawal_s: int = 14 * DAY_S
    withdrawal_by_country: tuple[tuple[str, int], ...] = ()
    waiver_required_in: tuple[tuple[str, int], ...] = ()
    waiver_partly_in: tuple[tuple[str, int], ...] = ()
    report_answer_s: int = 7 * DAY_S
    report_appeal_s: int = 183 * DAY_S
    reports_day_max: int = 20
    erasure_wait_s: int = 7 * DAY_S
    closure_wait_s: int = DAY_S
    export_kept_s: int = 24 * HOUR_S
    payout_week_coins: int = 400_000
    payout_month_coins: int = 1_000_000
    payout_arrival_s: int = 15 * DAY_S
    payouts_day_max: int = 10
    recipient_hold_s: int = 2 * DAY_S
    tax_profile_required: bool = True
    tax_profile_from_coins: int = 0
    reserve_bps: int = 0
    reserve_s: int = 30 * DAY_S
    seller_thresholds: Pairs = SELLER_THRESHOLDS
    payout_fx_spread_bps: int = 100
    payout_quote_s: int = 600
    dormancy: Pairs = ()

    def __post_init__(self) -> None:
        assert 0 <= self.fee_bps < money.BPS, "a fee leaves the creator something"
        assert 0 <= self.gift_fee_bps < money.BPS, "a fee leaves the creator something"
        assert self.par_units > 0, "a coin has a par value"
        assert self.price_min_coins <= self.price_max_coins, "the price range is not empty"

    def par_minor(self, coins: int) -> int:
        """What so many coins are worth at par. Units: minor units of the book currency, rounded down."""
        return coins * self.par_units // money.BOOK_UNITS_PER_MINOR


FIRST: Final = Policy(version=1)
"""The policy of a new database."""
