"""Reputation, day by day and over 60 days; how far the journal is counted; and the digests of what was delivered."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTS = (
    "accepted", "declined", "unanswered", "waited_s", "delivered", "late", "overdue", "withdrawn", "refused", "redone",
    "completed", "refunded",
)  # fmt: skip
SHAPE = " AND ".join(f"{name} >= 0" for name in COUNTS) + " AND late <= delivered"


def upgrade() -> None:
    creators()
    folds()
    days()
    windows()
    deliveries()
    for statement in migrations.read_sql(f"r0022_reputation.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def creators() -> None:
    named = sa.CheckConstraint("named_in_proofs IN (0, 1)")
    op.add_column("creator", sa.Column("named_in_proofs", INTEGER, named, server_default=sa.text("0"), nullable=False))
    positive, unknown = sa.CheckConstraint("response_sort_s >= 0"), sa.text("2147483647")
    op.add_column("creator", sa.Column("response_sort_s", INTEGER, positive, server_default=unknown, nullable=False))
    op.add_column("creator", sa.Column("badges", TEXT, server_default=sa.text("'|'"), nullable=False))
    listed = sa.text("price_from_coins IS NOT NULL")
    op.create_index(
        "creator_fastest", "creator", ["response_sort_s", "id"], sqlite_where=listed, postgresql_where=listed
    )


def folds() -> None:
    op.create_table(
        "fold",
        sa.Column("name", TEXT, primary_key=True, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.CheckConstraint("seq >= 0", name="fold_seq"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def days() -> None:
    op.create_table(
        "reputation_day",
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), primary_key=True, nullable=False),
        sa.Column("day", INTEGER, primary_key=True, nullable=False),
        *counts(),
        sa.CheckConstraint(SHAPE, name="reputation_day_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def windows() -> None:
    op.create_table(
        "reputation",
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), primary_key=True, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("until", INTEGER, nullable=False),
        sa.Column("policy_version", INTEGER, nullable=False),
        sa.Column("sample_min", INTEGER, nullable=False),
        *counts(),
        sa.Column("response_sort_s", INTEGER, nullable=False),
        sa.Column("badges", TEXT, nullable=False),
        sa.Column("changes_on", INTEGER),
        sa.CheckConstraint(SHAPE, name="reputation_counts"),
        sa.CheckConstraint("until - since = 59", name="reputation_window"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("reputation_changes", "reputation", ["changes_on"])
    op.create_index("reputation_policy", "reputation", ["policy_version"])


def deliveries() -> None:
    op.create_table(
        "delivered_video",
        sa.Column("video_id", TEXT, sa.ForeignKey("video.id"), primary_key=True, nullable=False),
        sa.Column("manifest_id", TEXT, nullable=False, unique=True),
        sa.Column("creator_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("duration_ms", INTEGER, nullable=False),
        sa.Column("day", INTEGER, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("marked_sha256", TEXT),
        sa.Column("marked_bytes", INTEGER),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("fault", TEXT),
        sa.CheckConstraint("length(sha256) = 64 AND duration_ms > 0 AND attempts >= 0", name="delivered_facts"),
        sa.CheckConstraint(
            "(mark = 'READY') = (marked_sha256 IS NOT NULL) AND (mark = 'READY') = (marked_bytes IS NOT NULL)",
            name="delivered_marked",
        ),
        sa.CheckConstraint("mark IN ('WAITING', 'READY', 'FAILED', 'OFF')"),
        sqlite_strict=True,
    )
    op.create_index("delivered_sha256", "delivered_video", ["sha256", "video_id"])
    for name, columns, where in (
        ("delivered_marked_sha256", ["marked_sha256"], "marked_sha256 IS NOT NULL"),
        ("delivered_waiting", ["due_at", "video_id"], "mark = 'WAITING'"),
    ):
        picked = sa.text(where)
        op.create_index(name, "delivered_video", columns, sqlite_where=picked, postgresql_where=picked)


def counts() -> list[sa.Column[int]]:
    return [sa.Column(name, INTEGER, nullable=False) for name in COUNTS]
