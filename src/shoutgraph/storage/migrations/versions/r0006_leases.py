"""Leases: a delivery of a webhook that was left behind is taken up by one worker at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("leased_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
