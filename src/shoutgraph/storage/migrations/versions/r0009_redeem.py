"""Receipts of stores, the products that they are for, and top-ups that go on at another provider."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("coin_package", sa.Column("product", TEXT))
    op.add_column("topup", sa.Column("follows", TEXT))
    where = sa.text("follows IS NOT NULL")
    op.create_index("topup_follows", "topup", ["follows"], unique=True, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "topup_receipt",
        sa.Column("topup_id", TEXT, primary_key=True, nullable=False),
        sa.Column("product", TEXT, nullable=False),
        sa.Column("proof", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    for statement in migrations.read_sql(f"r0009_redeem.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
