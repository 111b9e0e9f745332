"""Oversight: the audit trail of what members of staff did."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    audit()
    for statement in migrations.read_sql(f"r0023_oversight.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject_id", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("given", TEXT, nullable=False),
        sa.Column("changes", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("length(actor) > 0 AND length(action) > 0", name="audit_named"),
        sqlite_strict=True,
    )
    op.create_index("audit_at", "audit", ["at", "id"])
    for name in ("actor", "action", "subject_id"):
        op.create_index(f"audit_{name.removesuffix('_id')}", "audit", [name, "at", "id"])
    op.create_table(
        "audit_words",
        sa.Column("audit_id", TEXT, sa.ForeignKey("audit.id"), primary_key=True, nullable=False),
        sa.Column("words", TEXT),
        sqlite_strict=True,
    )
