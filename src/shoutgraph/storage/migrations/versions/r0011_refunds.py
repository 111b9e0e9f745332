"""Refunds that finance asks for, what two people settle by hand, and where the jobs about money stand."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STATES = "'REQUESTED', 'HELD', 'SUBMITTING', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'DENIED'"


def upgrade() -> None:
    refunds()
    resolutions()
    jobs()
    for table, where in (("topup", "submission = 'UNKNOWN'"), ("payout", "state = 'UNKNOWN'")):
        condition = sa.text(f"review IS NOT NULL OR {where}")
        name = f"{table}_unresolved"
        op.create_index(name, table, ["id"], sqlite_where=condition, postgresql_where=condition)
    condition = sa.text("settled_at IS NULL")
    op.create_index("stray_open", "stray", ["made_at"], sqlite_where=condition, postgresql_where=condition)
    for statement in migrations.read_sql(f"r0011_refunds.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("topup_id", TEXT, sa.ForeignKey("topup.id"), nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("instance", TEXT, nullable=False),
        sa.Column("minor", INTEGER, nullable=False),
        sa.Column("coins", INTEGER, nullable=False),
        sa.Column("book_units", INTEGER, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("taken", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("requested_by", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("answer_due_at", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("first_sent_at", INTEGER),
        sa.Column("failure_code", TEXT),
        sa.Column("needs_review", INTEGER, nullable=False),
        sa.Column("closed_at", INTEGER),
        sa.Column("look_at", INTEGER),
        sa.Column("looks", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.CheckConstraint("revision > 0 AND attempts >= 0 AND looks >= 0", name="refund_counts"),
        sa.CheckConstraint("minor > 0 AND coins >= 0 AND book_units >= 0", name="refund_part"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name="refund_reason"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="refund_two_people"),
        sa.CheckConstraint(
            "(attempts > 0) OR state IN ('REQUESTED', 'HELD', 'DENIED')", name="refund_sent_before_it_ends"
        ),
        sa.CheckConstraint("attempts = 0 OR state <> 'DENIED'", name="refund_denied_unsent"),
        sa.CheckConstraint(
            "state = 'REQUESTED' OR (closed_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'DENIED'))",
            name="refund_closed",
        ),
        sa.CheckConstraint(f"state IN ({STATES})"),
        sa.CheckConstraint("needs_review IN (0, 1)"),
        sqlite_strict=True,
    )
    op.create_index("refund_topup", "refund", ["topup_id", "id"])
    op.create_index("refund_state", "refund", ["state", "id"])
    where = sa.text("look_at IS NOT NULL")
    op.create_index("refund_look", "refund", ["look_at"], sqlite_where=where, postgresql_where=where)


def resolutions() -> None:
    op.create_table(
        "resolution",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("subject_revision", INTEGER, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("proposed_at", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.CheckConstraint("kind IN ('TOPUP', 'PAYOUT', 'REFUND', 'STRAY')"),
        sa.CheckConstraint("verdict IN ('PAID', 'NOT_EXECUTED', 'CLOSED')"),
        sa.CheckConstraint("state IN ('PROPOSED', 'CONFIRMED', 'REJECTED')"),
        sa.CheckConstraint("length(evidence) BETWEEN 1 AND 1000", name="resolution_evidence"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="resolution_named"),
        sa.CheckConstraint("state <> 'CONFIRMED' OR decided_by <> proposed_by", name="resolution_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="resolution_decided",
        ),
        sqlite_strict=True,
    )
    where = sa.text("state = 'PROPOSED'")
    columns = ["kind", "subject_id"]
    op.create_index("resolution_open", "resolution", columns, unique=True, sqlite_where=where, postgresql_where=where)
    op.create_index("resolution_subject", "resolution", ["kind", "subject_id", "id"])


def jobs() -> None:
    op.create_table(
        "news_cursor",
        sa.Column("plugin", TEXT, primary_key=True, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("failures", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.CheckConstraint("seq >= 0 AND failures >= 0", name="news_cursor_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sweep",
        sa.Column("instance", TEXT, primary_key=True, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.Column("answered_at", INTEGER),
        sa.Column("failures", INTEGER, nullable=False),
        sa.CheckConstraint("failures >= 0", name="sweep_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "money_total",
        sa.Column("day", TEXT, primary_key=True, nullable=False),
        sa.Column("instance", TEXT, primary_key=True, nullable=False),
        sa.Column("currency", TEXT, primary_key=True, nullable=False),
        sa.Column("books_units", INTEGER, nullable=False),
        sa.Column("known_units", INTEGER, nullable=False),
        sa.Column("unbooked_minor", INTEGER, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
