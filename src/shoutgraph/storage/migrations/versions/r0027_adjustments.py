"""Corrections of the books by two people, leg by leg."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ADJUSTABLE = " AND ".join(
    f"({side} = 'mint' OR {side} LIKE 'user:%debt' OR {side} LIKE 'recv:users:%' OR {side} LIKE 'rev:%'"
    f" OR {side} LIKE 'exp:%' OR {side} LIKE 'cash:%' OR {side} LIKE 'fx:%' OR {side} LIKE 'suspense:%')"
    for side in ("debit", "credit")
)


def upgrade() -> None:
    adjustments()
    legs()
    for statement in migrations.read_sql(f"r0027_adjustments.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def adjustments() -> None:
    op.create_table(
        "ledger_adjustment",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("case_reference", TEXT, nullable=False),
        sa.Column("par_units", INTEGER, nullable=False),
        sa.Column("leg_count", INTEGER, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("proposed_at", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT),
        sa.Column("decided_at", INTEGER),
        sa.Column("booked", TEXT),
        sa.CheckConstraint("state IN ('PROPOSED', 'DONE', 'REJECTED')"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 1000", name="ledger_adjustment_reason"),
        sa.CheckConstraint("length(case_reference) BETWEEN 1 AND 100", name="ledger_adjustment_case"),
        sa.CheckConstraint("par_units > 0", name="ledger_adjustment_par"),
        sa.CheckConstraint("leg_count BETWEEN 1 AND 20", name="ledger_adjustment_legs"),
        sa.CheckConstraint("length(proposed_by) > 0 AND length(decided_by) > 0", name="ledger_adjustment_named"),
        sa.CheckConstraint("state <> 'DONE' OR decided_by <> proposed_by", name="ledger_adjustment_two_people"),
        sa.CheckConstraint(
            "(state = 'PROPOSED') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="ledger_adjustment_decided",
        ),
        sa.CheckConstraint(
            "(state = 'DONE') = (booked IS NOT NULL) AND booked = 'ledger.adjusted'", name="ledger_adjustment_booked"
        ),
        sa.ForeignKeyConstraint(
            ["booked", "id"],
            ["transfer.kind", "transfer.ref"],
            name="ledger_adjustment_in_books",
            deferrable=True,
            initially="DEFERRED",
        ),
        sqlite_strict=True,
    )
    op.create_index("ledger_adjustment_state", "ledger_adjustment", ["state", "id"])


def legs() -> None:
    op.create_table(
        "ledger_adjustment_leg",
        sa.Column("adjustment_id", TEXT, sa.ForeignKey("ledger_adjustment.id"), primary_key=True, nullable=False),
        sa.Column("place", INTEGER, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("debit", TEXT, nullable=False),
        sa.Column("credit", TEXT, nullable=False),
        sa.Column("amount", INTEGER, nullable=False),
        sa.CheckConstraint("amount BETWEEN 1 AND 1000000000000000", name="ledger_adjustment_leg_amount"),
        sa.CheckConstraint("debit <> credit", name="ledger_adjustment_leg_two_sides"),
        sa.CheckConstraint(ADJUSTABLE, name="ledger_adjustment_leg_adjustable"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
