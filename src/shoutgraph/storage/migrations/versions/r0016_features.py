"""The rollout: rules that say for whom a feature is on, in versions, with the users whom they name."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0016"
down_revision = "0019"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    rules()
    users()
    for statement in migrations.read_sql(f"r0016_features.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def rules() -> None:
    op.create_table(
        "feature_rule",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("feature", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("enabled", INTEGER, nullable=False),
        sa.Column("share_bps", INTEGER, nullable=False),
        sa.Column("countries_on", TEXT),
        sa.Column("countries_off", TEXT, nullable=False),
        sa.Column("starts_at", INTEGER),
        sa.Column("ends_at", INTEGER),
        sa.Column("listed_count", INTEGER, nullable=False),
        sa.Column("changed_by", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.Column("removed", INTEGER, nullable=False),
        sa.Column("current", INTEGER, nullable=False),
        sa.CheckConstraint("version > 0 AND share_bps BETWEEN 0 AND 10000", name="feature_share"),
        sa.CheckConstraint("provider = '' OR feature = 'TOPUPS'", name="feature_provider"),
        sa.CheckConstraint("starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at", name="feature_schedule"),
        sa.CheckConstraint("listed_count BETWEEN 0 AND 1000", name="feature_listed"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name="feature_reason"),
        sa.CheckConstraint("removed = 0 OR current = 0", name="feature_removed"),
        sa.CheckConstraint("feature IN ('SHOUTOUTS', 'GIFTS', 'TOPUPS', 'PAYOUTS')"),
        sa.CheckConstraint("enabled IN (0, 1)"),
        sa.CheckConstraint("removed IN (0, 1)"),
        sa.CheckConstraint("current IN (0, 1)"),
        sa.UniqueConstraint("feature", "provider", "version", name="feature_version"),
        sqlite_strict=True,
    )
    current = sa.text("current = 1")
    names = ["feature", "provider"]
    op.create_index(
        "feature_current", "feature_rule", names, unique=True, sqlite_where=current, postgresql_where=current
    )
    op.create_index("feature_changes", "feature_rule", ["changed_at", "id", "version"])


def users() -> None:
    op.create_table(
        "feature_user",
        sa.Column("rule_id", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), primary_key=True, nullable=False),
        sa.Column("allowed", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["rule_id", "version"], ["feature_rule.id", "feature_rule.version"]),
        sa.CheckConstraint("allowed IN (0, 1)"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("feature_user_of", "feature_user", ["user_id"])
