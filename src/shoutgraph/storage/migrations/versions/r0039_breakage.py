"""Coins that lapse: notices, what lapsed of each lot and in all, days of looking; unclaimed value that is handed over."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ADJUSTABLE = " AND ".join(
    f"({side} = 'mint' OR {side} LIKE 'user:%debt' OR {side} LIKE 'recv:users:%' OR {side} LIKE 'rev:%'"
    f" OR {side} LIKE 'liab:unclaimed:%' OR {side} LIKE 'exp:%' OR {side} LIKE 'cash:%' OR {side} LIKE 'fx:%'"
    f" OR {side} LIKE 'suspense:%')"
    for side in ("debit", "credit")
)
OUTCOMES = "outcome IN ('INCOME', 'UNCLAIMED')"
LEG = "ledger_adjustment_leg"


def upgrade() -> None:
    notices()
    lapses()
    op.create_table(
        "dormancy_day",
        sa.Column("day", TEXT, primary_key=True, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("noticed", "stopped", "at")),
        sa.CheckConstraint("noticed >= 0 AND stopped >= 0", name="dormancy_day_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        rewrite_legs()
    else:
        op.drop_constraint(f"{LEG}_adjustable", LEG)
        op.create_check_constraint(f"{LEG}_adjustable", LEG, ADJUSTABLE)
    for statement in migrations.read_sql(f"r0039_breakage.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def notices() -> None:
    op.create_table(
        "dormancy",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("user_id", TEXT, sa.ForeignKey("users.id"), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("country", "outcome")),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("months", "notice_days")),
        sa.Column("policy_version", INTEGER, sa.ForeignKey("policy.version"), nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("inactive_since", "noticed_at", "lapses_at", "coins")),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("cause", TEXT),
        sa.Column("ended_at", INTEGER),
        sa.CheckConstraint(OUTCOMES),
        sa.CheckConstraint("state IN ('NOTICED', 'STOPPED', 'LAPSED')"),
        sa.CheckConstraint("cause IN ('ACTIVE', 'KEPT', 'RULE_CHANGED', 'BLOCKED', 'NOTHING_LEFT')"),
        sa.CheckConstraint("months BETWEEN 6 AND 600", name="dormancy_months"),
        sa.CheckConstraint(
            "lapses_at - noticed_at >= notice_days * 86400000000 AND notice_days BETWEEN 14 AND 366",
            name="dormancy_notice",
        ),
        sa.CheckConstraint("coins > 0 AND inactive_since < noticed_at", name="dormancy_given"),
        sa.CheckConstraint(
            "(state = 'NOTICED') = (ended_at IS NULL) AND (state = 'STOPPED') = (cause IS NOT NULL)"
            " AND (state <> 'LAPSED' OR ended_at >= lapses_at)",
            name="dormancy_ended",
        ),
        sqlite_strict=True,
    )
    noticed = sa.text("state = 'NOTICED'")
    op.create_index(
        "dormancy_one", "dormancy", ["user_id"], unique=True, sqlite_where=noticed, postgresql_where=noticed
    )
    op.create_index("dormancy_user", "dormancy", ["user_id", "id"])
    op.create_index("dormancy_due", "dormancy", ["lapses_at"], sqlite_where=noticed, postgresql_where=noticed)


def lapses() -> None:
    op.create_table(
        "lapse",
        sa.Column("lot_id", TEXT, sa.ForeignKey("lot.id"), primary_key=True, nullable=False),
        sa.Column("dormancy_id", TEXT, sa.ForeignKey("dormancy.id"), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("user_id", "outcome")),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("coins", "at")),
        sa.Column("returned_at", INTEGER),
        sa.Column("fresh_lot_id", TEXT, unique=True),
        sa.Column("booked", TEXT, nullable=False),
        sa.Column("returned", TEXT),
        sa.CheckConstraint(OUTCOMES),
        sa.CheckConstraint("coins > 0", name="lapse_coins"),
        sa.CheckConstraint("booked = 'breakage'", name="lapse_booked"),
        sa.CheckConstraint(
            "(returned IS NULL) = (returned_at IS NULL) AND (returned IS NULL) = (fresh_lot_id IS NULL)"
            " AND returned = 'breakage.returned'",
            name="lapse_returned",
        ),
        *(
            sa.ForeignKeyConstraint(
                [column, "lot_id"],
                ["transfer.kind", "transfer.ref"],
                name=name,
                deferrable=True,
                initially="DEFERRED",
            )
            for column, name in (("booked", "lapse_in_books"), ("returned", "lapse_back_in_books"))
        ),
        sqlite_strict=True,
    )
    op.create_index("lapse_user", "lapse", ["user_id", "lot_id"])
    op.create_table(
        "lapse_total",
        sa.Column("outcome", TEXT, primary_key=True, nullable=False),
        *(sa.Column(name, INTEGER, nullable=False) for name in ("lots", "coins", "returned_coins")),
        sa.CheckConstraint(OUTCOMES),
        sa.CheckConstraint(
            "lots > 0 AND coins >= lots AND returned_coins BETWEEN 0 AND coins", name="lapse_total_counts"
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def rewrite_legs() -> None:
    """An embedded database cannot change a condition of a table: it is written anew; its guards follow."""
    for name in ("new", "update", "delete"):
        op.execute(f"DROP TRIGGER {LEG}_{name}")
    op.execute("DROP TRIGGER ledger_adjustment_balanced")
    op.rename_table(LEG, f"{LEG}_before")
    op.create_table(
        LEG,
        sa.Column("adjustment_id", TEXT, sa.ForeignKey("ledger_adjustment.id"), primary_key=True, nullable=False),
        sa.Column("place", INTEGER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("debit", TEXT, nullable=False),
        sa.Column("credit", TEXT, nullable=False),
        sa.Column("amount", INTEGER, nullable=False),
        sa.CheckConstraint("amount BETWEEN 1 AND 1000000000000000", name=f"{LEG}_amount"),
        sa.CheckConstraint("debit <> credit", name=f"{LEG}_two_sides"),
        sa.CheckConstraint(ADJUSTABLE, name=f"{LEG}_adjustable"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO {LEG} SELECT adjustment_id, place, debit, credit, amount FROM {LEG}_before")  # noqa: S608
    op.drop_table(f"{LEG}_before")
    for statement in migrations.read_sql("r0027_adjustments.sqlite.sql"):
        if f"TRIGGER {LEG}_" in statement or "TRIGGER ledger_adjustment_balanced" in statement:
            op.execute(statement)
