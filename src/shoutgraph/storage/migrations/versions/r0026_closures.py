"""Closures of accounts, and the steps in which what is owned is settled."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0026"
down_revision = "0031"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "closure",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("forfeit_promo", INTEGER, nullable=False),
        sa.Column("shop", TEXT, nullable=False),
        sa.Column("requested_at", INTEGER, nullable=False),
        sa.Column("revocable_until", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER),
        sa.Column("begun_at", INTEGER),
        sa.Column("ended_at", INTEGER),
        sa.Column("signed_out_at", INTEGER),
        sa.CheckConstraint("state IN ('CLOSING', 'CLOSED', 'CANCELLED')"),
        sa.CheckConstraint("forfeit_promo IN (0, 1)"),
        sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('CLOSED', 'CANCELLED'))", name="closure_ended_at"),
        sa.CheckConstraint("(state = 'CANCELLED') <= (begun_at IS NULL)", name="closure_cancelled"),
        sa.CheckConstraint("(state = 'CLOSED') <= (begun_at IS NOT NULL)", name="closure_begun"),
        sa.CheckConstraint("(state = 'CANCELLED') <= (due_at IS NULL)", name="closure_due_at"),
        sqlite_strict=True,
    )
    op.create_index("closure_user", "closure", ["user_id", "id"])
    op.create_index("closure_state", "closure", ["state", "id"])
    kept = sa.text("state <> 'CANCELLED'")
    op.create_index("closure_one", "closure", ["user_id"], unique=True, sqlite_where=kept, postgresql_where=kept)
    due = sa.text("due_at IS NOT NULL")
    op.create_index("closure_due", "closure", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "closure_step",
        sa.Column("closure_id", TEXT, sa.ForeignKey("closure.id"), primary_key=True, nullable=False),
        sa.Column("step", TEXT, primary_key=True, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("blocks", TEXT, nullable=False),
        sa.CheckConstraint("step IN ('ORDERS', 'TOPUPS', 'DEBT', 'COINS', 'PROMO', 'EARNINGS', 'PAYOUT')"),
        sa.CheckConstraint("state IN ('WAITING', 'BLOCKED', 'CLAIM', 'DONE')"),
        sqlite_strict=True,
    )
    for statement in migrations.read_sql(f"r0026_closures.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
