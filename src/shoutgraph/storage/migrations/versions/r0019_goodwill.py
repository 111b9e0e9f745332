"""Giving back: what is given back of orders after their end, and what is written off of debts."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0019"
down_revision = "0022"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
REASONS = "'QUALITY', 'NOT_AS_ORDERED', 'LATE', 'TECHNICAL', 'DUPLICATE', 'UNAUTHORISED', 'COURTESY', 'OTHER'"
OPEN = sa.text("state = 'PROPOSED'")


def upgrade() -> None:
    adjustments()
    write_offs()
    withdrawals()
    debts = sa.text("asset = 'COIN' AND floor = -1")
    op.create_index("account_debt", "account", ["id"], sqlite_where=debts, postgresql_where=debts)
    for statement in migrations.read_sql(f"r0019_goodwill.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def adjustments() -> None:
    op.create_table(
        "adjustment",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("fan_id", TEXT, nullable=False),
        sa.Column("creator_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("note", TEXT),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("proposed_at", INTEGER, nullable=False),
        *(sa.Column(f"{name}_coins", INTEGER, nullable=False) for name in ("paid", "promo", "creator", "fee")),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.CheckConstraint("kind IN ('REFUND', 'GOODWILL')"),
        sa.CheckConstraint("state IN ('PROPOSED', 'DONE', 'DENIED')"),
        sa.CheckConstraint(f"reason IN ({REASONS})"),
        sa.CheckConstraint("length(note) BETWEEN 1 AND 500", name="adjustment_note"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="adjustment_named"),
        sa.CheckConstraint("coins BETWEEN 1 AND 1000000000000000", name="adjustment_coins"),
        sa.CheckConstraint(
            "paid_coins >= 0 AND promo_coins >= 0 AND creator_coins >= 0 AND fee_coins >= 0", name="adjustment_counts"
        ),
        sa.CheckConstraint(
            "paid_coins + promo_coins = CASE WHEN state = 'DONE' THEN coins ELSE 0 END"
            " AND creator_coins + fee_coins = CASE WHEN kind = 'REFUND' THEN coins ELSE 0 END",
            name="adjustment_parts",
        ),
        sa.CheckConstraint("kind = 'GOODWILL' OR (state = 'DONE' AND decided_by IS NULL)", name="adjustment_refund"),
        sa.CheckConstraint(
            "kind = 'REFUND' OR state <> 'DONE' OR decided_by <> proposed_by", name="adjustment_two_people"
        ),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_at IS NULL)"
            " AND (kind = 'REFUND' OR (decided_by IS NULL) = (decided_at IS NULL))",
            name="adjustment_decided",
        ),
        sqlite_strict=True,
    )
    op.create_index("adjustment_fan", "adjustment", ["fan_id", "id"])
    op.create_index("adjustment_order", "adjustment", ["order_id", "id"])
    op.create_index("adjustment_state", "adjustment", ["state", "id"])
    op.create_index(
        "adjustment_open", "adjustment", ["order_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )


def write_offs() -> None:
    op.create_table(
        "write_off",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("evidence", TEXT),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("proposed_at", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.CheckConstraint("state IN ('PROPOSED', 'DONE', 'DENIED')"),
        sa.CheckConstraint("length(evidence) BETWEEN 1 AND 1000", name="write_off_evidence"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="write_off_named"),
        sa.CheckConstraint("coins BETWEEN 1 AND 1000000000000000", name="write_off_coins"),
        sa.CheckConstraint("state <> 'DONE' OR decided_by <> proposed_by", name="write_off_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="write_off_decided",
        ),
        sqlite_strict=True,
    )
    op.create_index("write_off_user", "write_off", ["user_id", "id"])
    op.create_index("write_off_state", "write_off", ["state", "id"])
    op.create_index("write_off_open", "write_off", ["user_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)


def withdrawals() -> None:
    op.add_column("refund", sa.Column("bonus", TEXT, server_default="[]", nullable=False))
    own = sa.CheckConstraint("withdrawal IN (0, 1)")
    op.add_column("refund", sa.Column("withdrawal", INTEGER, own, server_default=sa.text("0"), nullable=False))
    op.create_table(
        "topup_waiver",
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("text_version", TEXT, nullable=False),
        sa.Column("policy_version", INTEGER, nullable=False),
        sa.Column("begins_at", INTEGER, nullable=False),
        sa.Column("loses_at", INTEGER, nullable=False),
        sa.CheckConstraint("length(text_version) BETWEEN 1 AND 100", name="topup_waiver_text_version"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("topup_waiver_user", "topup_waiver", ["user_id"])
