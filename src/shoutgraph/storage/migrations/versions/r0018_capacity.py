"""Capacity: the lines of those who wait for a place with a creator, and campaigns with terms of their own."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IN_LINE = "state IN ('WAITING', 'OFFERED')"


def upgrade() -> None:
    waitlist()
    terms()
    campaigns()
    pieces()
    for statement in migrations.read_sql(f"r0018_capacity.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def waitlist() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("offer_id", TEXT, sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("fan_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("joined_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("offered_at", INTEGER),
        sa.Column("offered_until", INTEGER),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), unique=True),
        sa.CheckConstraint("revision > 0 AND number > 0", name="waitlist_counts"),
        sa.CheckConstraint("state IN ('WAITING', 'OFFERED', 'ORDERED', 'DECLINED', 'LAPSED', 'LEFT')"),
        sa.CheckConstraint("(offered_at IS NULL) = (offered_until IS NULL)", name="waitlist_window"),
        sa.CheckConstraint(
            "state NOT IN ('OFFERED', 'DECLINED', 'LAPSED') OR offered_until > offered_at", name="waitlist_offered"
        ),
        sa.CheckConstraint("(state = 'ORDERED') = (order_id IS NOT NULL)", name="waitlist_ordered"),
        sa.UniqueConstraint("creator_id", "number", name="waitlist_number"),
        sqlite_strict=True,
    )
    op.create_index("waitlist_once", "waitlist_entry", ["creator_id", "fan_id"], unique=True, **where(IN_LINE))
    op.create_index("waitlist_line", "waitlist_entry", ["creator_id", "state", "number"], **where(IN_LINE))
    op.create_index("waitlist_fan", "waitlist_entry", ["fan_id", "state"])


def terms() -> None:
    op.add_column("orders", sa.Column("campaign_id", TEXT))
    op.add_column("orders", sa.Column("list_coins", INTEGER, sa.CheckConstraint("list_coins > 0")))
    op.add_column("orders", sa.Column("accept_s", INTEGER, sa.CheckConstraint("accept_s > 0")))


def campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("starts_at", INTEGER, nullable=False),
        sa.Column("ends_at", INTEGER, nullable=False),
        sa.Column("offer_ids", TEXT, nullable=False),
        sa.Column("price_coins", INTEGER),
        sa.Column("discount_bps", INTEGER),
        sa.Column("accept_s", INTEGER),
        sa.Column("delivery_s", INTEGER),
        sa.Column("fee_bps", INTEGER),
        sa.Column("orders_max", INTEGER),
        sa.Column("countries", TEXT, nullable=False),
        sa.Column("standing", TEXT, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.Column("note", TEXT),
        sa.Column("ended_at", INTEGER),
        sa.CheckConstraint("revision > 0 AND ends_at > starts_at", name="campaign_window"),
        sa.CheckConstraint("price_coins > 0 AND (price_coins IS NULL OR discount_bps IS NULL)", name="campaign_price"),
        sa.CheckConstraint("discount_bps BETWEEN 1 AND 9000", name="campaign_discount"),
        sa.CheckConstraint("accept_s > 0 AND delivery_s > 0 AND orders_max > 0", name="campaign_limits"),
        sa.CheckConstraint("fee_bps BETWEEN 0 AND 9999", name="campaign_fee"),
        sa.CheckConstraint("length(name) <= 80 AND length(note) <= 1000", name="campaign_words"),
        sa.CheckConstraint(
            "decided_by <> proposed_by AND (decided_by IS NULL) = (decided_at IS NULL)", name="campaign_decided"
        ),
        sa.CheckConstraint(
            "(standing = 'PROPOSED') = (fee_bps IS NOT NULL AND decided_by IS NULL)", name="campaign_standing"
        ),
        sa.CheckConstraint("standing IN ('PROPOSED', 'APPROVED', 'DENIED')"),
        sqlite_strict=True,
    )
    op.create_index("campaign_creator", "campaign", ["creator_id", "ends_at", "id"])
    op.create_index("campaign_ends", "campaign", ["ends_at", "id"])


def pieces() -> None:
    op.create_table(
        "campaign_order",
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), primary_key=True, nullable=False),
        sa.Column("campaign_id", TEXT, sa.ForeignKey("campaign.id"), nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("placed_at", INTEGER, nullable=False),
        sa.CheckConstraint("number > 0", name="campaign_order_number"),
        sa.UniqueConstraint("campaign_id", "number", name="campaign_order_once"),
        sqlite_strict=True,
    )


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
