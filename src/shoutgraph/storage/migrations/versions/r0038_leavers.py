"""Creators who were erased before take no gifts any more, like those who are erased now."""

from alembic import op

revision = "0038"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE creator SET takes_gifts = 0, revision = revision + 1 WHERE takes_gifts = 1"
        " AND user_id IN (SELECT id FROM users WHERE erased_at IS NOT NULL)"
    )
