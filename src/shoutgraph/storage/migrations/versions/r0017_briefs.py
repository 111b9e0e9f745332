"""What orders know more: kinds of orders, what was ticked off, which item a redo is about."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0017"
down_revision = "0023"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
GROUNDS = "'WRONG_NAME', 'WRONG_RECIPIENT', 'WRONG_OCCASION', 'MUST_SAY_MISSING', 'UNUSABLE_MEDIA'"


def upgrade() -> None:
    kinds()
    cuts()
    for statement in migrations.read_sql(f"r0017_briefs.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def kinds() -> None:
    costs = sa.CheckConstraint("business_coins >= 0")
    op.add_column("offer", sa.Column("business_coins", INTEGER, costs))
    costs = sa.CheckConstraint("business_coins >= 0")
    op.add_column("orders", sa.Column("business_coins", INTEGER, costs, server_default=sa.text("0"), nullable=False))
    op.add_column("orders", sa.Column("redo_item", TEXT))
    op.add_column("dispute_statement", sa.Column("ground", TEXT, sa.CheckConstraint(f"ground IN ({GROUNDS})")))
    op.add_column("dispute_statement", sa.Column("item", TEXT))


def cuts() -> None:
    op.create_table(
        "cut",
        sa.Column("video_id", TEXT, sa.ForeignKey("video.id"), primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("ticked", TEXT, nullable=False),
        sa.Column("note", TEXT),
        sa.CheckConstraint("length(note) BETWEEN 1 AND 1000", name="cut_note"),
        sqlite_strict=True,
    )
    op.create_index("ix_cut_order_id", "cut", ["order_id"])
