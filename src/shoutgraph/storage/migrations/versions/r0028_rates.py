"""Rates that take effect later, and what was held in each currency when the exchange accounts were valued anew."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("fx_rate", sa.Column("effective_from", INTEGER))
    op.create_table(
        "fx_revaluation",
        sa.Column("day", TEXT, primary_key=True, nullable=False),
        sa.Column("currency", TEXT, primary_key=True, nullable=False),
        sa.Column("book_currency", TEXT, nullable=False),
        sa.Column("rate_version", INTEGER),
        sa.Column("held_units", INTEGER, nullable=False),
        sa.Column("worth_units", INTEGER, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("(currency = book_currency) = (rate_version IS NULL)", name="fx_revaluation_rate"),
        sa.CheckConstraint("currency <> book_currency OR worth_units = held_units", name="fx_revaluation_own"),
        sa.ForeignKeyConstraint(
            ["currency", "book_currency", "rate_version"],
            [f"fx_rate.{name}" for name in ("currency", "book_currency", "version")],
            name="fx_revaluation_known",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    for statement in migrations.read_sql(f"r0028_rates.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
