"""API keys of internal tools."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("revoked_at", INTEGER),
        sa.CheckConstraint("length(digest) = 32", name="api_key_digest"),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 100", name="api_key_label"),
        sa.CheckConstraint("length(scopes) > 0", name="api_key_scopes"),
        sqlite_strict=True,
    )
    for statement in migrations.read_sql(f"r0005_api_keys.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)
