"""Capacity: the lines of those who wait for a place with a creator."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IN_LINE = "state IN ('WAITING', 'OFFERED')"


def upgrade() -> None:
    waitlist()
    for statement in migrations.read_sql(f"r0018_capacity.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def waitlist() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("offer_id", TEXT, sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("fan_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("joined_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("offered_at", INTEGER),
        sa.Column("offered_until", INTEGER),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), unique=True),
        sa.CheckConstraint("revision > 0 AND number > 0", name="waitlist_counts"),
        sa.CheckConstraint("state IN ('WAITING', 'OFFERED', 'ORDERED', 'DECLINED', 'LAPSED', 'LEFT')"),
        sa.CheckConstraint("(offered_at IS NULL) = (offered_until IS NULL)", name="waitlist_window"),
        sa.CheckConstraint(
            "state NOT IN ('OFFERED', 'DECLINED', 'LAPSED') OR offered_until > offered_at", name="waitlist_offered"
        ),
        sa.CheckConstraint("(state = 'ORDERED') = (order_id IS NOT NULL)", name="waitlist_ordered"),
        sa.UniqueConstraint("creator_id", "number", name="waitlist_number"),
        sqlite_strict=True,
    )
    op.create_index("waitlist_once", "waitlist_entry", ["creator_id", "fan_id"], unique=True, **where(IN_LINE))
    op.create_index("waitlist_line", "waitlist_entry", ["creator_id", "state", "number"], **where(IN_LINE))
    op.create_index("waitlist_fan", "waitlist_entry", ["fan_id", "state"])


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
