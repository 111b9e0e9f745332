"""Policies that staff publish, price lists in versions, and what a top-up was agreed under."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0021"
down_revision = "0024"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("changed", "published_by", "reason"):
        op.add_column("policy", sa.Column(name, TEXT))
    topups()
    op.add_column("fx_rate", sa.Column("spread_bps", INTEGER, nullable=False, server_default=sa.text("0")))
    op.add_column("fx_rate", sa.Column("source", TEXT))
    op.add_column("fx_rate", sa.Column("observed_at", INTEGER))
    price_lists()
    promotions()
    uses()
    cards()
    for statement in migrations.read_sql(f"r0021_prices.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def topups() -> None:
    for name in ("price_id", "promotion_id"):
        op.add_column("topup", sa.Column(name, TEXT))
    for name in ("rate_version", "bonus_s"):
        op.add_column("topup", sa.Column(name, INTEGER))
    for name in ("spread_bps", "discount_minor"):
        op.add_column("topup", sa.Column(name, INTEGER, nullable=False, server_default=sa.text("0")))


def price_lists() -> None:
    op.create_table(
        "price_list",
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("effective_from", INTEGER, nullable=False),
        sa.Column("published_at", INTEGER, nullable=False),
        sa.Column("published_by", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("packages_count", INTEGER, nullable=False),
        sa.Column("units_count", INTEGER, nullable=False),
        sa.Column("warnings", TEXT, nullable=False),
        sa.Column("decided_at", INTEGER),
        sa.Column("ended_at", INTEGER),
        sa.Column("body", TEXT, nullable=False),
        sa.CheckConstraint("version > 0", name="price_list_version"),
        sa.CheckConstraint("effective_from >= published_at", name="price_list_not_before"),
        sa.CheckConstraint("(state = 'SCHEDULED') = (decided_at IS NULL)", name="price_list_decided"),
        sa.CheckConstraint("ended_at IS NULL OR state = 'APPLIED'", name="price_list_ended"),
        sa.CheckConstraint("state IN ('SCHEDULED', 'APPLIED', 'WITHDRAWN')"),
        sqlite_strict=True,
    )
    op.create_index("price_list_due", "price_list", ["effective_from"], **where("state = 'SCHEDULED'"))


def promotions() -> None:
    numbers = ("amount", "user_uses_max", "coins_min", "life_s", "uses", "starts_at", "created_at")
    op.create_table(
        "promotion",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("label", "kind", "countries", "created_by", "reason")),
        *(sa.Column(name, INTEGER, nullable=False) for name in numbers),
        *(sa.Column(name, INTEGER) for name in ("ends_at", "amount_max", "uses_max", "code_uses_max", "ended_at")),
        sa.Column("first_only", INTEGER, nullable=False),
        sa.CheckConstraint("amount > 0 AND user_uses_max > 0 AND uses >= 0 AND life_s > 0", name="promotion_counts"),
        sa.CheckConstraint("kind IN ('BONUS_SHARE', 'BONUS_COINS', 'DISCOUNT', 'GRANT')"),
        sa.CheckConstraint("first_only IN (0, 1)"),
        sqlite_strict=True,
    )
    op.create_table(
        "promo_code",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("promotion_id", TEXT, sa.ForeignKey("promotion.id"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), unique=True, nullable=False),
        sa.Column("hint", TEXT, nullable=False),
        sa.Column("uses", INTEGER, nullable=False),
        sa.CheckConstraint("uses >= 0", name="promo_code_uses"),
        sqlite_strict=True,
    )
    op.create_index("promo_code_promotion", "promo_code", ["promotion_id"])


def uses() -> None:
    op.create_table(
        "promo_use",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("promotion_id", TEXT, sa.ForeignKey("promotion.id"), nullable=False),
        sa.Column("code_id", TEXT, sa.ForeignKey("promo_code.id"), nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("topup_id", TEXT, unique=True),
        sa.Column("slot", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("discount_minor", INTEGER, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER),
        sa.CheckConstraint("slot > 0 AND coins >= 0 AND discount_minor >= 0", name="promo_use_counts"),
        sa.CheckConstraint("state IN ('RESERVED', 'USED', 'RETURNED')"),
        sqlite_strict=True,
    )
    names = ["promotion_id", "user_id", "slot"]
    op.create_index("promo_use_slot", "promo_use", names, unique=True, **where("state <> 'RETURNED'"))
    op.create_index("promo_use_user", "promo_use", ["user_id", "id"])
    op.create_table(
        "code_attempt",
        sa.Column("user_id", TEXT, primary_key=True, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.CheckConstraint("attempts >= 0", name="code_attempt_count"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def cards() -> None:
    op.create_table(
        "gift_card",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("buyer_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), unique=True, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("hint", "state", "taken")),
        sa.Column("created_at", INTEGER, nullable=False),
        *(sa.Column(name, INTEGER) for name in ("expires_at", "ended_at")),
        *(sa.Column(name, TEXT) for name in ("message", "redeemed_by")),
        sa.CheckConstraint("coins > 0", name="gift_card_coins"),
        sa.CheckConstraint("length(message) BETWEEN 1 AND 200", name="gift_card_message"),
        sa.CheckConstraint("(state = 'OPEN') = (ended_at IS NULL)", name="gift_card_ended"),
        sa.CheckConstraint("(state = 'REDEEMED') = (redeemed_by IS NOT NULL)", name="gift_card_redeemed"),
        sa.CheckConstraint("state IN ('OPEN', 'REDEEMED', 'CANCELLED', 'REVOKED', 'EXPIRED')"),
        sqlite_strict=True,
    )
    op.create_index("gift_card_buyer", "gift_card", ["buyer_id", "id"])
    op.create_index("gift_card_due", "gift_card", ["expires_at"], **where("state = 'OPEN' AND expires_at IS NOT NULL"))


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
