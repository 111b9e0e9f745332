"""When each provider last spoke is read by an index."""

from alembic import op

revision = "0024"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("notice_newest", "notice", ["instance", "received_at"])
