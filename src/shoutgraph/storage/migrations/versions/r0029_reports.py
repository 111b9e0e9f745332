"""Whatever is reported can be removed, and put back by an appeal: messages of gifts, videos, attachments, samples."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0029"
down_revision = "0030"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    own = sa.CheckConstraint("hidden IN (0, 1)")
    op.add_column("gift", sa.Column("hidden", INTEGER, own, server_default=sa.text("0"), nullable=False))
    op.create_index("report_subject", "report", ["subject_id"])
    for statement in migrations.read_sql(f"r0029_reports.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
