"""Policies that staff publish."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0024"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("changed", "published_by", "reason"):
        op.add_column("policy", sa.Column(name, TEXT))
