"""Guards: what people spend at most, pauses, and when they were born; what keeps payouts back, and tax profiles."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    spending()
    births()
    holds()
    taxes()
    op.add_column("payout", sa.Column("rule", TEXT))
    reserves()
    of_rule = where("state = 'HELD' AND rule IS NOT NULL")
    op.create_index("payout_of_rule", "payout", ["not_before", "id"], **of_rule)
    op.create_index("orders_frozen", "orders", ["creator_id"], **where("frozen_at IS NOT NULL"))
    op.create_index("orders_bought", "orders", ["fan_id", "submitted_at"])
    op.create_index("topup_bought", "topup", ["user_id", "created_at"])
    for statement in migrations.read_sql(f"r0020_limits.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def spending() -> None:
    amounts = ("day_coins", "week_coins", "day_minor", "week_minor")
    op.create_table(
        "spending_guard",
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        *(sa.Column(name, INTEGER) for name in amounts),
        sa.Column("currency", TEXT),
        *(sa.Column(f"next_{name}", INTEGER) for name in amounts),
        sa.Column("next_currency", TEXT),
        sa.Column("next_at", INTEGER),
        sa.Column("paused_until", INTEGER),
        sa.Column("excluded_until", INTEGER),
        sa.Column("review_at", INTEGER),
        sa.Column("review_code", TEXT),
        sa.Column("cleared_at", INTEGER),
        sa.CheckConstraint("revision > 0", name="spending_guard_revision"),
        sa.CheckConstraint(
            "(currency IS NULL) = (day_minor IS NULL AND week_minor IS NULL)", name="spending_guard_currency"
        ),
        sa.CheckConstraint(
            "(next_currency IS NULL) = (next_day_minor IS NULL AND next_week_minor IS NULL)",
            name="spending_guard_next_currency",
        ),
        sa.CheckConstraint("(review_at IS NULL) = (review_code IS NULL)", name="spending_guard_review"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("spending_guard_waiting", "spending_guard", ["review_at"], **where("review_at IS NOT NULL"))


def births() -> None:
    op.create_table(
        "birth",
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), primary_key=True, nullable=False),
        sa.Column("born_on", TEXT, nullable=False),
        sa.Column("attested", TEXT, nullable=False),
        sa.Column("attested_by", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("length(born_on) = 10", name="birth_day"),
        sa.CheckConstraint("attested IN ('SELF', 'IDENTITY', 'STAFF')"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def holds() -> None:
    op.create_table(
        "payout_hold",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("payout_id", TEXT, sa.ForeignKey("payout.id")),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("until", INTEGER),
        sa.Column("placed_at", INTEGER, nullable=False),
        sa.Column("placed_by", TEXT, nullable=False),
        sa.Column("released_at", INTEGER),
        sa.Column("released_by", TEXT),
        sa.Column("release_reason", TEXT),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 1000", name="payout_hold_reason"),
        sa.CheckConstraint("length(release_reason) BETWEEN 1 AND 1000", name="payout_hold_release_reason"),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)",
            name="payout_hold_released",
        ),
        sqlite_strict=True,
    )
    op.create_index("payout_hold_open", "payout_hold", ["creator_id"], **where("released_at IS NULL"))


def reserves() -> None:
    op.add_column("earning", sa.Column("reserved_coins", INTEGER, server_default=sa.text("0"), nullable=False))
    op.add_column("earning", sa.Column("reserved_until", INTEGER))
    in_reserve = where("reserved_coins > 0")
    op.create_index("earning_reserved", "earning", ["reserved_until"], **in_reserve)
    op.create_index("earning_in_reserve", "earning", ["creator_id", "reserved_until"], **in_reserve)
    op.create_table(
        "creator_reserve",
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), primary_key=True, nullable=False),
        sa.Column("basis_points", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("basis_points BETWEEN 0 AND 10000", name="creator_reserve_share"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def taxes() -> None:
    op.create_table(
        "tax_profile",
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), primary_key=True, nullable=False),
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("legal_name", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("tax_id", TEXT, nullable=False),
        sa.Column("born_on", TEXT),
        sa.Column("registration", TEXT),
        sa.Column("certified_at", INTEGER, nullable=False),
        sa.Column("erased_at", INTEGER),
        sa.CheckConstraint("version > 0", name="tax_profile_version"),
        sa.CheckConstraint("length(country) = 2", name="tax_profile_country"),
        sa.CheckConstraint("kind IN ('PERSON', 'COMPANY')"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
