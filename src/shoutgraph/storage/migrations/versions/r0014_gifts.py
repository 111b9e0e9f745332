"""Gifts: the catalogue of stickers, what was sent, who gave the most, and creators who take none."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    takes = sa.CheckConstraint("takes_gifts IN (0, 1)")
    op.add_column("creator", sa.Column("takes_gifts", INTEGER, takes, server_default=sa.text("1"), nullable=False))
    stickers()
    gifts()
    totals()
    for statement in migrations.read_sql(f"r0014_gifts.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def stickers() -> None:
    op.create_table(
        "sticker",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("tier", TEXT, nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("current", INTEGER, nullable=False),
        sa.CheckConstraint("coins BETWEEN 1 AND 44999", name="sticker_coins"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 40", name="sticker_name"),
        sa.CheckConstraint("length(asset) BETWEEN 1 AND 500", name="sticker_asset"),
        sa.CheckConstraint("tier IN ('SMALL', 'MEDIUM', 'LARGE', 'FULL_SCREEN')"),
        sa.CheckConstraint("current IN (0, 1)"),
        sa.UniqueConstraint("key", "version", name="sticker_version"),
        sqlite_strict=True,
    )
    op.create_index("sticker_current", "sticker", ["key"], unique=True, **where("current = 1"))


def gifts() -> None:
    op.create_table(
        "gift",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("sticker_id", TEXT, sa.ForeignKey("sticker.id"), nullable=False),
        sa.Column("earning_id", TEXT, sa.ForeignKey("earning.id"), unique=True, nullable=False),
        sa.Column("quantity", INTEGER, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("fee_coins", INTEGER, nullable=False),
        sa.Column("message", TEXT),
        sa.Column("live_session", TEXT),
        sa.Column("sent_at", INTEGER, nullable=False),
        sa.Column("thanked_at", INTEGER),
        sa.Column("thanks", TEXT),
        sa.CheckConstraint("quantity BETWEEN 1 AND 999", name="gift_quantity"),
        sa.CheckConstraint("coins >= quantity AND fee_coins BETWEEN 0 AND coins - 1", name="gift_coins"),
        sa.CheckConstraint("length(message) BETWEEN 1 AND 500", name="gift_message"),
        sa.CheckConstraint("length(thanks) BETWEEN 1 AND 500", name="gift_thanks"),
        sa.CheckConstraint("thanks IS NULL OR thanked_at IS NOT NULL", name="gift_thanked"),
        sqlite_strict=True,
    )
    op.create_index("gift_user", "gift", ["user_id", "sent_at", "coins"])


def totals() -> None:
    op.create_table(
        "gift_total",
        sa.Column("creator_id", TEXT, primary_key=True, nullable=False),
        sa.Column("span", TEXT, primary_key=True, nullable=False),
        sa.Column("number", INTEGER, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, primary_key=True, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("gifts", INTEGER, nullable=False),
        sa.CheckConstraint("coins >= gifts AND gifts > 0", name="gift_total_counts"),
        sa.CheckConstraint("span IN ('DAY', 'WEEK', 'ALL')"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("gift_total_rank", "gift_total", ["creator_id", "span", "number", "coins", "user_id"])


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
