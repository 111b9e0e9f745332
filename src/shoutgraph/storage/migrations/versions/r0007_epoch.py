"""Restores: the epochs of the journal, and money that a provider has and the books do not know."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KINDS = "'TOPUP', 'PAYOUT'"


def upgrade() -> None:
    op.create_table(
        "epoch",
        sa.Column("number", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("after_seq", INTEGER, nullable=False),
        sa.Column("after_hash", sa.LargeBinary(), nullable=False),
        sa.Column("after_at", INTEGER, nullable=False),
        sa.Column("began_at", INTEGER, nullable=False),
        sa.Column("lost_seq", INTEGER),
        sa.CheckConstraint("length(after_hash) = 32", name="epoch_after_hash"),
        sa.CheckConstraint("lost_seq > after_seq", name="epoch_lost"),
        sqlite_strict=True,
    )
    op.create_table(
        "stray",
        sa.Column("instance", TEXT, primary_key=True, nullable=False),
        sa.Column("operation_id", TEXT, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("ref", TEXT),
        sa.Column("seen", TEXT, nullable=False),
        sa.Column("amount_minor", INTEGER),
        sa.Column("currency", TEXT),
        sa.Column("creator_id", TEXT),
        sa.Column("made_at", INTEGER, nullable=False),
        sa.Column("found_at", INTEGER, nullable=False),
        sa.Column("settled_at", INTEGER),
        sa.Column("note", TEXT),
        sa.CheckConstraint(f"kind IN ({KINDS})"),
        sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="stray_amount"),
        sa.CheckConstraint("(settled_at IS NULL) = (note IS NULL)", name="stray_settled"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    condition = sa.text("creator_id IS NOT NULL AND settled_at IS NULL")
    op.create_index("stray_creator", "stray", ["creator_id"], sqlite_where=condition, postgresql_where=condition)
    for statement in migrations.read_sql(f"r0007_epoch.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
