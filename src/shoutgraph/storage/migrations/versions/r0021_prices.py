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
    price_lists()
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


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
