"""Creators remove where their money goes: nothing is on its way there, and nothing is sent there any more."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("payout_recipient", sa.Column("removed_at", INTEGER))
    for statement in migrations.read_sql(f"r0040_removed.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
