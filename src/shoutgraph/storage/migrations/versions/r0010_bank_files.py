"""File rails and onboarding: files of banks, stations of batches, and how far a provider knows a recipient."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BLOB = sa.LargeBinary()


def upgrade() -> None:
    batches()
    files()
    onboarding()
    for statement in migrations.read_sql(f"r0010_bank_files.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def batches() -> None:
    for name in ("exported_at", "handed_over_at"):
        op.add_column("payout_batch", sa.Column(name, INTEGER))
    op.add_column("payout_batch", sa.Column("handed_over_by", TEXT))
    op.add_column("payout_batch", sa.Column("answered_at", INTEGER))
    op.add_column("payout_batch", sa.Column("alarm", TEXT))
    op.execute("UPDATE payout_batch SET answered_at = answer_due_at")
    op.create_index("payout_batch_instance", "payout_batch", ["instance", "id"])
    op.create_index("payout_batch_key", "payout_batch", ["instance", "key", "id"])
    op.create_index("payout_of_ref", "payout", ["instance", "ref", "id"], **where("ref IS NOT NULL"))


def files() -> None:
    op.create_table(
        "bank_file",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("instance", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("sha256", BLOB, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("size_bytes", INTEGER, nullable=False),
        sa.Column("batch_id", TEXT, sa.ForeignKey("payout_batch.id")),
        sa.Column("made_at", INTEGER, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("summary", TEXT),
        sa.Column("body", BLOB, nullable=False),
        sa.CheckConstraint("direction IN ('OUT', 'IN')"),
        sa.CheckConstraint("state IN ('MADE', 'RECEIVED', 'READ', 'UNREADABLE')"),
        sa.CheckConstraint("length(sha256) = 32", name="bank_file_sha256"),
        sa.CheckConstraint("size_bytes = length(body) AND size_bytes > 0", name="bank_file_size"),
        sa.CheckConstraint("(direction = 'OUT') = (state = 'MADE')", name="bank_file_made"),
        sa.CheckConstraint("(direction = 'OUT') = (batch_id IS NOT NULL)", name="bank_file_batch"),
        sa.UniqueConstraint("instance", "direction", "sha256", name="bank_file_once"),
        sqlite_strict=True,
    )
    op.create_index("bank_file_of_batch", "bank_file", ["batch_id"], **where("batch_id IS NOT NULL"))


def onboarding() -> None:
    op.create_table(
        "payout_onboarding",
        sa.Column("recipient_id", TEXT, sa.ForeignKey("payout_recipient.id"), primary_key=True, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("creator_id", "instance", "key", "country", "currency")),
        sa.Column("return_url", TEXT, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        *(sa.Column(name, TEXT) for name in ("ref", "code", "url")),
        sa.Column("expires_at", INTEGER),
        sa.Column("answers", TEXT),
        sa.Column("look_at", INTEGER),
        sa.Column("looks", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.CheckConstraint("state IN ('READY', 'NEEDS_ACTION', 'CHECKING', 'RESTRICTED', 'DECLINED')"),
        sa.CheckConstraint("revision > 0 AND looks >= 0", name="payout_onboarding_counts"),
        sa.CheckConstraint("state NOT IN ('READY', 'RESTRICTED') OR ref IS NOT NULL", name="payout_onboarding_ref"),
        sa.CheckConstraint("state = 'CHECKING' OR answers IS NULL", name="payout_onboarding_answers"),
        sa.UniqueConstraint("key", name="payout_onboarding_key"),
        sqlite_strict=True,
    )
    op.create_index("payout_onboarding_look", "payout_onboarding", ["look_at"], **where("look_at IS NOT NULL"))
    op.create_index("payout_onboarding_of_ref", "payout_onboarding", ["instance", "ref"], **where("ref IS NOT NULL"))


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
