"""Buckets of points that several processes share, so that a rate limit holds for all of them together."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rate_bucket",
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("full_at", INTEGER, nullable=False),
        sa.CheckConstraint("length(key) BETWEEN 16 AND 64", name="rate_bucket_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE rate_bucket SET UNLOGGED")  # after a crash everybody begins anew
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rate_bucket TO shoutgraph_app")
        op.execute("GRANT SELECT ON rate_bucket TO shoutgraph_report")
