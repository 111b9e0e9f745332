"""What a seller earned, gave back and was paid in a year is read by indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("earning_year", "earning", ["creator_id", "earned_at"])
    op.create_index("adjustment_year", "adjustment", ["creator_id", "decided_at"])
    paid, returned = sa.text("paid_at IS NOT NULL"), sa.text("state = 'RETURNED'")
    op.create_index("payout_year", "payout", ["creator_id", "paid_at"], sqlite_where=paid, postgresql_where=paid)
    op.create_index(
        "payout_returned", "payout", ["creator_id", "closed_at"], sqlite_where=returned, postgresql_where=returned
    )
