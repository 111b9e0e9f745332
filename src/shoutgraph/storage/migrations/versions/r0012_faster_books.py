"""Postings in fewer statements on PostgreSQL; an embedded database runs as many as it needs at no cost."""

from alembic import op

from shoutgraph.storage import migrations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in migrations.read_sql("r0012_faster_books.postgresql.sql"):
            op.execute(statement)
