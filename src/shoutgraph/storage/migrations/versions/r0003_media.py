"""Videos: one row for each uploaded file."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0003"
down_revision = "0002"
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
FACTS = (
    "(state = 'READY') <= (container IS NOT NULL AND video_codec IS NOT NULL AND width_px > 0 AND height_px > 0 "
    "AND duration_ms > 0 AND sha256 IS NOT NULL)"
)


def upgrade() -> None:
    op.create_table(
        "video",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("creator_id", TEXT, nullable=False),
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
        sa.CheckConstraint(f"state IN ({STATES})"),
        sa.CheckConstraint(f"rejection_code IN ({REJECTIONS})"),
        sa.CheckConstraint("stored IN (0, 1)"),
        sa.CheckConstraint("size_bytes BETWEEN 1 AND size_bytes_max", name="video_size"),
        sa.CheckConstraint("(state = 'REJECTED') = (rejection_code IS NOT NULL)", name="video_rejection"),
        sa.CheckConstraint(FACTS, name="video_facts"),
        sqlite_strict=True,
    )
    op.create_index("video_order", "video", ["order_id"])
    partial_index("video_open", ["state", "id"], "state IN ('UPLOADING', 'CHECKING')")
    partial_index("video_discard", ["id"], "state = 'REJECTED' AND stored = 1")
    for statement in migrations.read_sql(f"r0003_media.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def partial_index(name: str, names: list[str], condition: str) -> None:
    op.create_index(name, "video", names, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
