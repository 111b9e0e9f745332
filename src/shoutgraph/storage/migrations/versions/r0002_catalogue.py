"""Users, creators with what they sell and how they are found, and the prices of coins."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COINS_MAX = 10_000_000
RATIO_MAX = 1_000_000_000
OCCASIONS = "'BIRTHDAY', 'WEDDING', 'GRADUATION', 'PEP_TALK', 'THANK_YOU', 'HOLIDAY', 'QUESTION', 'OTHER'"
AVERAGE = "CASE WHEN rating_count = 0 THEN 0 ELSE (200 * rating_sum + rating_count) / (2 * rating_count) END"


def upgrade() -> None:
    users()
    creators()
    offers()
    rates()
    packages()
    unit_prices()
    for statement in migrations.read_sql(f"r0002_catalogue.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def users() -> None:
    op.create_table(
        "users",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("locked", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("subject", TEXT, unique=True),
        sa.CheckConstraint("revision > 0 AND length(country) = 2", name="user_shape"),
        sa.CheckConstraint("length(subject) <= 500", name="user_subject"),
        sa.CheckConstraint("locked IN (0, 1)"),
        sqlite_strict=True,
    )


def creators() -> None:
    op.create_table(
        "creator",
        sa.Column("number", INTEGER, primary_key=True, nullable=False),
        sa.Column("id", TEXT, nullable=False, unique=True),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False, unique=True),
        sa.Column("handle", TEXT, nullable=False, unique=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("categories", TEXT, nullable=False),
        sa.Column("languages", TEXT, nullable=False),
        sa.Column("bio", TEXT, nullable=False),
        sa.Column("avatar_url", TEXT),
        sa.Column("open_orders_max", INTEGER),
        sa.Column("open", INTEGER, nullable=False),
        sa.Column("paused_until", INTEGER),
        sa.Column("featured", INTEGER, nullable=False),
        sa.Column("rating_sum", INTEGER, nullable=False),
        sa.Column("rating_count", INTEGER, nullable=False),
        sa.Column("price_from_coins", INTEGER),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("name_sort", TEXT, nullable=False),
        sa.Column("facets", TEXT, nullable=False),
        sa.Column("rating_hundredths", INTEGER, sa.Computed(AVERAGE, persisted=True), nullable=False),
        sa.CheckConstraint("revision > 0 AND length(country) = 2 AND open_orders_max > 0", name="creator_shape"),
        sa.CheckConstraint("rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count", name="rating"),
        sa.CheckConstraint("open IN (0, 1)"),
        sa.CheckConstraint("featured IN (0, 1)"),
        sqlite_strict=True,
    )
    sort_index("creator_featured_first", "featured", "rating_hundredths")
    sort_index("creator_cheapest", "price_from_coins")
    sort_index("creator_best", "rating_hundredths", "rating_count")
    sort_index("creator_newest", "created_at")
    sort_index("creator_by_name", "name_sort")


def offers() -> None:
    op.create_table(
        "offer",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("creator_id", TEXT, sa.ForeignKey("creator.id"), nullable=False),
        sa.Column("occasion", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("price_coins", INTEGER, nullable=False),
        sa.Column("duration_max_s", INTEGER, nullable=False),
        sa.Column("delivery_days", INTEGER, nullable=False),
        sa.Column("express_coins", INTEGER),
        sa.Column("active", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.CheckConstraint("revision > 0 AND price_coins > 0 AND express_coins > 0", name="offer_price"),
        sa.CheckConstraint("duration_max_s > 0 AND delivery_days > 0", name="offer_promise"),
        sa.CheckConstraint(f"occasion IN ({OCCASIONS})"),
        sa.CheckConstraint("active IN (0, 1)"),
        sqlite_strict=True,
    )
    op.create_index("offer_creator", "offer", ["creator_id", "active", "price_coins", "occasion"])


def rates() -> None:
    op.create_table(
        "fx_rate",
        sa.Column("currency", TEXT, primary_key=True, nullable=False),
        sa.Column("book_currency", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, primary_key=True, nullable=False),
        sa.Column("numerator", INTEGER, nullable=False),
        sa.Column("denominator", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.CheckConstraint(f"numerator BETWEEN 1 AND {RATIO_MAX}", name="fx_rate_numerator"),
        sa.CheckConstraint(f"denominator BETWEEN 1 AND {RATIO_MAX}", name="fx_rate_denominator"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def packages() -> None:
    op.create_table(
        "coin_package",
        *sold(
            sa.Column("coins", INTEGER, nullable=False),
            sa.Column("bonus_coins", INTEGER, nullable=False),
            sa.Column("price_minor", INTEGER, nullable=False),
        ),
        sa.CheckConstraint(f"coins BETWEEN 1 AND {COINS_MAX}", name="package_coins"),
        sa.CheckConstraint(f"bonus_coins BETWEEN 0 AND {COINS_MAX}", name="package_bonus"),
        sa.CheckConstraint("price_minor BETWEEN 1 AND 1000000000", name="package_price"),
        rate_key("package_rate"),
        sa.UniqueConstraint("country", "currency", "platform", "coins", "version", name="package_version"),
        sqlite_strict=True,
    )
    market = ["country", "currency", "platform", "coins"]
    op.create_index("package_current", "coin_package", market, unique=True, **where("current = 1"))


def unit_prices() -> None:
    op.create_table(
        "unit_price",
        *sold(
            sa.Column("price_minor", INTEGER, nullable=False),
            sa.Column("per_coins", INTEGER, nullable=False),
            sa.Column("coins_min", INTEGER, nullable=False),
            sa.Column("coins_max", INTEGER, nullable=False),
        ),
        sa.CheckConstraint(f"price_minor BETWEEN 1 AND {RATIO_MAX}", name="unit_price_minor"),
        sa.CheckConstraint(f"per_coins BETWEEN 1 AND {RATIO_MAX}", name="unit_price_per"),
        sa.CheckConstraint(f"coins_max <= {COINS_MAX} AND coins_min BETWEEN 1 AND coins_max", name="range"),
        rate_key("unit_price_rate"),
        sa.UniqueConstraint("country", "currency", "platform", "version", name="unit_price_version"),
        sqlite_strict=True,
    )
    market = ["country", "currency", "platform"]
    op.create_index("unit_price_current", "unit_price", market, unique=True, **where("current = 1"))


def sold(*price: sa.Column[int]) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("platform", TEXT, nullable=False),
        *price,
        sa.Column("book_currency", TEXT, nullable=False),
        sa.Column("rate_version", INTEGER, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("current", INTEGER, nullable=False),
        sa.CheckConstraint("platform IN ('WEB', 'IOS', 'ANDROID')"),
        sa.CheckConstraint("current IN (0, 1)"),
    ]


def rate_key(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["currency", "book_currency", "rate_version"],
        ["fx_rate.currency", "fx_rate.book_currency", "fx_rate.version"],
        name=name,
    )


def sort_index(name: str, *by: str) -> None:
    op.create_index(name, "creator", [*by, "id"], **where("price_from_coins IS NOT NULL"))


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
