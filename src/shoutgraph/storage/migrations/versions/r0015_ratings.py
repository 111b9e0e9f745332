"""Ratings: stars and words of fans, what creators reply and moderators decide, and how many each creator has."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTS = ("stars_1", "stars_2", "stars_3", "stars_4", "stars_5")


def upgrade() -> None:
    ratings()
    words()
    decisions()
    tallies()
    for statement in migrations.read_sql(f"r0015_ratings.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def ratings() -> None:
    op.create_table(
        "rating",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("order_id", TEXT, sa.ForeignKey("orders.id"), nullable=False, unique=True),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("fan_id", TEXT, nullable=False),
        sa.Column("stars", INTEGER, nullable=False),
        sa.Column("hidden", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("updated_at", INTEGER, nullable=False),
        sa.Column("editable_until", INTEGER, nullable=False),
        sa.Column("edited_at", INTEGER),
        sa.Column("replied_at", INTEGER),
        sa.Column("reply_editable_until", INTEGER),
        sa.CheckConstraint("revision > 0 AND stars BETWEEN 1 AND 5", name="rating_stars"),
        sa.CheckConstraint("(replied_at IS NULL) = (reply_editable_until IS NULL)", name="rating_replied"),
        sa.CheckConstraint("hidden IN (0, 1)"),
        sqlite_strict=True,
    )
    op.create_index("rating_newest", "rating", ["creator_id", "hidden", "id"])
    op.create_index("rating_best", "rating", ["creator_id", "hidden", "stars", "id"])
    op.create_index("rating_fan", "rating", ["fan_id"])


def words() -> None:
    op.create_table(
        "rating_words",
        sa.Column("rating_id", TEXT, sa.ForeignKey("rating.id"), primary_key=True, nullable=False),
        sa.Column("opinion", TEXT),
        sa.Column("reply", TEXT),
        sa.CheckConstraint("length(opinion) BETWEEN 1 AND 1000", name="rating_opinion"),
        sa.CheckConstraint("length(reply) BETWEEN 1 AND 1000", name="rating_reply"),
        sqlite_strict=True,
    )


def decisions() -> None:
    op.create_table(
        "rating_decision",
        sa.Column("rating_id", TEXT, sa.ForeignKey("rating.id"), primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, primary_key=True, nullable=False),
        sa.Column("hidden", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 64", name="rating_decision_reason"),
        sa.CheckConstraint("length(note) BETWEEN 1 AND 1000", name="rating_decision_note"),
        sa.CheckConstraint("hidden IN (0, 1)"),
        sqlite_strict=True,
    )


def tallies() -> None:
    op.create_table(
        "rating_tally",
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), primary_key=True, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in COUNTS),
        sa.CheckConstraint(" AND ".join(f"{name} >= 0" for name in COUNTS), name="rating_tally_counts"),
        sqlite_strict=True,
    )
