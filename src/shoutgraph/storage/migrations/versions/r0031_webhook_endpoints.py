"""Webhooks out: endpoints, what their secrets are made of, how far each was told, deliveries and attempts."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    endpoints()
    deliveries()
    for statement in migrations.read_sql(f"r0031_webhook_endpoints.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("event_types", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.CheckConstraint("length(url) BETWEEN 1 AND 2000", name="webhook_endpoint_url"),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 100", name="webhook_endpoint_label"),
        sa.CheckConstraint("(state = 'DISABLED') = (reason IS NOT NULL)", name="webhook_endpoint_reason"),
        sa.CheckConstraint("revision > 0", name="webhook_endpoint_revision"),
        sa.CheckConstraint("state IN ('ACTIVE', 'PAUSED', 'DISABLED')"),
        sa.CheckConstraint("reason IN ('STAFF', 'GONE', 'FAILING')"),
        sqlite_strict=True,
    )
    op.create_table(
        "webhook_secret",
        sa.Column("endpoint_id", TEXT, sa.ForeignKey("webhook_endpoint.id"), primary_key=True, nullable=False),
        sa.Column("number", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("salt", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER),
        sa.CheckConstraint("number > 0 AND length(salt) > 0 AND length(digest) = 32", name="webhook_secret_made"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "webhook_place",
        sa.Column("endpoint_id", TEXT, sa.ForeignKey("webhook_endpoint.id"), primary_key=True, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("replays", INTEGER, nullable=False),
        sa.Column("failures", INTEGER, nullable=False),
        sa.Column("failing_since", INTEGER),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.CheckConstraint("seq >= 0 AND replays >= 0 AND failures >= 0", name="webhook_place_counts"),
        sa.CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="webhook_place_failing"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("endpoint_id", TEXT, sa.ForeignKey("webhook_endpoint.id"), nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("event_type", TEXT, nullable=False),
        sa.Column("seq", INTEGER, sa.ForeignKey("event.seq")),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.CheckConstraint("attempts > 0", name="webhook_delivery_attempts"),
        sa.CheckConstraint("state IN ('DELIVERED', 'FAILED')"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="webhook_delivery_once"),
        sqlite_strict=True,
    )
    op.create_index("webhook_delivery_endpoint", "webhook_delivery", ["endpoint_id", "id"])
    op.create_index("webhook_delivery_state", "webhook_delivery", ["state", "id"])
    op.create_index("webhook_delivery_changed", "webhook_delivery", ["changed_at"])
    outcomes = "'DELIVERED', 'REFUSED', 'TIMED_OUT', 'UNREACHABLE', 'FORBIDDEN_ADDRESS'"
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery_id", TEXT, sa.ForeignKey("webhook_delivery.id"), primary_key=True, nullable=False),
        sa.Column("number", INTEGER, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("status", INTEGER),
        sa.Column("duration_ms", INTEGER, nullable=False),
        sa.Column("excerpt", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("number > 0 AND duration_ms >= 0", name="webhook_attempt_counts"),
        sa.CheckConstraint("length(excerpt) <= 200", name="webhook_attempt_excerpt"),
        sa.CheckConstraint(f"outcome IN ({outcomes})"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
