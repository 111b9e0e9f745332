"""Payouts in the currency of the creator's account, and at what each was exchanged."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0033"
down_revision = "0034"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SPREAD = "(gross_minor * spread_bps + 9999) / 10000"


def upgrade() -> None:
    op.add_column("payout_recipient", sa.Column("currency", TEXT))
    op.create_table(
        "payout_exchange",
        sa.Column("payout_id", TEXT, sa.ForeignKey("payout.id"), primary_key=True, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("book_currency", TEXT, nullable=False),
        sa.Column("rate_version", INTEGER, nullable=False),
        sa.Column("gross_minor", INTEGER, nullable=False),
        sa.Column("spread_bps", INTEGER, nullable=False),
        sa.Column("spread_minor", INTEGER, nullable=False),
        sa.Column("amount_minor", INTEGER, nullable=False),
        sa.CheckConstraint("gross_minor BETWEEN 1 AND 90000000", name="payout_exchange_gross"),
        sa.CheckConstraint("spread_bps BETWEEN 0 AND 9999", name="payout_exchange_bps"),
        sa.CheckConstraint(f"spread_minor = {SPREAD}", name="payout_exchange_spread"),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 10000000000000", name="payout_exchange_amount"),
        sa.CheckConstraint("currency <> book_currency", name="payout_exchange_currency"),
        sa.ForeignKeyConstraint(
            ["currency", "book_currency", "rate_version"],
            [f"fx_rate.{name}" for name in ("currency", "book_currency", "version")],
            name="payout_exchange_rate",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    for statement in migrations.read_sql(f"r0033_exchanges.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
