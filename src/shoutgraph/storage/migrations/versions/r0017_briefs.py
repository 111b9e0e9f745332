"""What orders know more: kinds of orders, what was ticked off, which item a redo is about, voice notes and evidence."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0017"
down_revision = "0023"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STATES = "'UPLOADING', 'CHECKING', 'READY', 'REJECTED'"
REJECTIONS = (
    "'NOT_A_VIDEO', 'CONTAINER_NOT_ACCEPTED', 'CODEC_NOT_ACCEPTED', 'RESOLUTION_NOT_ACCEPTED', 'TOO_SHORT', 'TOO_LONG', "
    "'TOO_LARGE', 'TRUNCATED', 'NOT_PLAYABLE', 'TOO_DEMANDING', 'CHECK_FAILED', 'UPLOAD_EXPIRED', 'UPLOAD_CANCELLED', "
    "'TAKEN_DOWN'"
)
GROUNDS = "'WRONG_NAME', 'WRONG_RECIPIENT', 'WRONG_OCCASION', 'MUST_SAY_MISSING', 'UNUSABLE_MEDIA'"


def upgrade() -> None:
    kinds()
    cuts()
    attachments()
    samples()
    for statement in migrations.read_sql(f"r0017_briefs.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def kinds() -> None:
    costs = sa.CheckConstraint("business_coins >= 0")
    op.add_column("offer", sa.Column("business_coins", INTEGER, costs))
    costs = sa.CheckConstraint("business_coins >= 0")
    op.add_column("orders", sa.Column("business_coins", INTEGER, costs, server_default=sa.text("0"), nullable=False))
    op.add_column("orders", sa.Column("redo_item", TEXT))
    op.add_column("dispute_statement", sa.Column("ground", TEXT, sa.CheckConstraint(f"ground IN ({GROUNDS})")))
    op.add_column("dispute_statement", sa.Column("item", TEXT))


def cuts() -> None:
    op.create_table(
        "cut",
        sa.Column("video_id", TEXT, sa.ForeignKey("video.id"), primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("ticked", TEXT, nullable=False),
        sa.Column("note", TEXT),
        sa.CheckConstraint("length(note) BETWEEN 1 AND 1000", name="cut_note"),
        sqlite_strict=True,
    )
    op.create_index("ix_cut_order_id", "cut", ["order_id"])


def attachments() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("uploader_id", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("used_revision", INTEGER),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size_bytes", INTEGER, nullable=False),
        sa.Column("duration_max_s", INTEGER, nullable=False),
        sa.Column("size_bytes_max", INTEGER, nullable=False),
        sa.Column("opened_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("checked_at", INTEGER),
        sa.Column("container", TEXT),
        sa.Column("video_codec", TEXT),
        sa.Column("audio_codec", TEXT),
        sa.Column("width_px", INTEGER),
        sa.Column("height_px", INTEGER),
        sa.Column("duration_ms", INTEGER),
        sa.Column("sha256", TEXT),
        sa.Column("rejection_code", TEXT),
        sa.Column("rejection_message", TEXT),
        sa.Column("stored", INTEGER, nullable=False),
        sa.Column("checks_count", INTEGER, nullable=False),
        sa.Column("leased_until", INTEGER),
        sa.CheckConstraint("purpose IN ('VOICE_NOTE', 'EVIDENCE')"),
        sa.CheckConstraint("side IN ('FAN', 'CREATOR')"),
        sa.CheckConstraint(f"state IN ({STATES})"),
        sa.CheckConstraint(f"rejection_code IN ({REJECTIONS})"),
        sa.CheckConstraint("stored IN (0, 1)"),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND size_bytes_max", name="attachment_size"),
        sa.CheckConstraint("(state = 'REJECTED') = (rejection_code IS NOT NULL)", name="attachment_rejection"),
        sa.CheckConstraint(
            "(state = 'READY') <= (container IS NOT NULL AND sha256 IS NOT NULL)", name="attachment_facts"
        ),
        sqlite_strict=True,
    )
    op.create_index("attachment_order", "attachment", ["order_id"])
    op.create_index("attachment_uploader", "attachment", ["uploader_id"])
    partial_index("attachment_open", ["state", "id"], "state IN ('UPLOADING', 'CHECKING')")
    partial_index("attachment_discard", ["id"], "state = 'REJECTED' AND stored = 1")


def samples() -> None:
    decided = "(state = 'TAKEN_DOWN') = (reason IS NOT NULL AND note IS NOT NULL AND decided_by IS NOT NULL)"
    op.create_table(
        "sample",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False, unique=True),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("video_id", TEXT, sa.ForeignKey("video.id"), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("published_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("note", TEXT),
        sa.Column("decided_by", TEXT),
        sa.CheckConstraint("state IN ('SHOWN', 'WITHDRAWN', 'TAKEN_DOWN')"),
        sa.CheckConstraint("position >= 0", name="sample_position"),
        sa.CheckConstraint(decided, name="sample_decided"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 64", name="sample_reason"),
        sa.CheckConstraint("length(note) BETWEEN 1 AND 1000", name="sample_note"),
        sqlite_strict=True,
    )
    partial_index("sample_shown", ["creator_id", "position", "id"], "state = 'SHOWN'", "sample")


def partial_index(name: str, names: list[str], condition: str, table: str = "attachment") -> None:
    where = sa.text(condition)
    op.create_index(name, table, names, sqlite_where=where, postgresql_where=where)
