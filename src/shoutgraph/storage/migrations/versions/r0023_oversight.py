"""Oversight: the audit trail of what members of staff did; exports and erasure of what is kept of people; reports."""

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
    people()
    reports()
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


def people() -> None:
    op.add_column("users", sa.Column("closed_at", INTEGER))
    op.add_column("users", sa.Column("erased_at", INTEGER))
    op.create_table(
        "erasure",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("requested_at", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("blockers", TEXT, nullable=False),
        sa.Column("ended_at", INTEGER),
        sa.CheckConstraint("state IN ('WAITING', 'ERASING', 'DONE', 'CANCELLED')"),
        sa.CheckConstraint("(ended_at IS NOT NULL) = (state IN ('DONE', 'CANCELLED'))", name="erasure_ended_at"),
        sqlite_strict=True,
    )
    op.create_index("erasure_user", "erasure", ["user_id", "id"])
    underway = sa.text("ended_at IS NULL")
    op.create_index(
        "erasure_open", "erasure", ["user_id"], unique=True, sqlite_where=underway, postgresql_where=underway
    )
    op.create_index("erasure_due", "erasure", ["due_at"], sqlite_where=underway, postgresql_where=underway)
    op.create_table(
        "data_export",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("requested_at", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER),
        sa.Column("ready_at", INTEGER),
        sa.Column("expires_at", INTEGER),
        sa.Column("size_bytes", INTEGER),
        sa.Column("sha256", TEXT),
        sa.CheckConstraint("state IN ('REQUESTED', 'READY', 'EXPIRED', 'FAILED')"),
        sa.CheckConstraint("(state = 'READY') <= (expires_at IS NOT NULL)", name="data_export_expires"),
        sqlite_strict=True,
    )
    op.create_index("data_export_user", "data_export", ["user_id", "id"])
    asked = sa.text("state = 'REQUESTED'")
    op.create_index(
        "data_export_open", "data_export", ["user_id"], unique=True, sqlite_where=asked, postgresql_where=asked
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("data_export_due", "data_export", ["due_at"], sqlite_where=due, postgresql_where=due)


def reports() -> None:
    grounds = "'ILLEGAL', 'HATE', 'HARASSMENT', 'SEXUAL', 'MINORS', 'VIOLENCE', 'PRIVACY', 'IMPERSONATION'"
    op.create_table(
        "report",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("reporter_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("affected_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("ground", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("filed_at", INTEGER, nullable=False),
        sa.Column("due_at", INTEGER, nullable=False),
        sa.Column("decided_at", INTEGER),
        sa.Column("appealed_at", INTEGER),
        sa.Column("appealed_by", TEXT),
        sa.CheckConstraint("kind IN ('CREATOR', 'VIDEO', 'RATING', 'GIFT', 'ORDER', 'SAMPLE', 'ATTACHMENT')"),
        sa.CheckConstraint(f"ground IN ({grounds}, 'COPYRIGHT', 'FRAUD', 'SPAM', 'OTHER')"),
        sa.CheckConstraint("state IN ('OPEN', 'DECIDED', 'APPEALED', 'FINAL')"),
        sa.CheckConstraint("appealed_by IN ('REPORTER', 'AFFECTED')"),
        sa.CheckConstraint("(state = 'OPEN') = (decided_at IS NULL)", name="report_decided_at"),
        sa.CheckConstraint("(appealed_at IS NULL) = (appealed_by IS NULL)", name="report_appealed"),
        sqlite_strict=True,
    )
    for name, column in (("reporter", "reporter_id"), ("affected", "affected_id"), ("state", "state")):
        op.create_index(f"report_{name}", "report", [column, "id"])
    op.create_table(
        "report_words",
        sa.Column("report_id", TEXT, sa.ForeignKey("report.id"), primary_key=True, nullable=False),
        sa.Column("explanation", TEXT),
        sa.Column("appeal", TEXT),
        sqlite_strict=True,
    )
    op.create_table(
        "report_decision",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("report_id", TEXT, sa.ForeignKey("report.id"), nullable=False),
        sa.Column("appeal", INTEGER, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("upheld", INTEGER, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("decided_at", INTEGER, nullable=False),
        sa.Column("appeal_until", INTEGER),
        sa.CheckConstraint("action IN ('NONE', 'CONTENT_REMOVED', 'USER_RESTRICTED', 'ORDER_CANCELLED')"),
        sa.CheckConstraint("basis IN ('LAW', 'TERMS')"),
        sa.CheckConstraint("appeal IN (0, 1)"),
        sa.CheckConstraint("upheld IN (0, 1)"),
        sa.CheckConstraint("length(rule) > 0 AND length(facts) > 0", name="report_decision_reasons"),
        sa.UniqueConstraint("report_id", "appeal", name="report_decision_once"),
        sqlite_strict=True,
    )
