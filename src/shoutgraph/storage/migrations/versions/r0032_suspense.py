"""Suspense: lines of providers that no transfer explains."""

import sqlalchemy as sa
from alembic import op

from shoutgraph.storage import migrations

revision = "0032"
down_revision = "0035"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    lines()
    for statement in migrations.read_sql(f"r0032_suspense.{op.get_bind().dialect.name}.sql"):
        op.execute(statement)


def lines() -> None:
    op.create_table(
        "suspense_line",
        sa.Column("id", TEXT, primary_key=True, nullable=False),
        sa.Column("instance", TEXT, nullable=False),
        sa.Column("line_id", TEXT, nullable=False),
        sa.Column("operation_id", TEXT, nullable=False),
        sa.Column("ref", TEXT),
        sa.Column("amount_minor", INTEGER, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("made_at", INTEGER, nullable=False),
        sa.Column("found_at", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("account", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("proposed_by", TEXT),
        sa.Column("proposed_at", INTEGER),
        sa.Column("decided_by", TEXT),
        sa.Column("ended_at", INTEGER),
        sa.Column("alerted_at", INTEGER),
        sa.Column("opened", TEXT, nullable=False),
        sa.Column("closed", TEXT),
        *checks(),
        sa.UniqueConstraint("instance", "line_id", name="suspense_line_once"),
        *(
            sa.ForeignKeyConstraint(
                [column, "id"],
                ["transfer.kind", "transfer.ref"],
                name=name,
                deferrable=True,
                initially="DEFERRED",
            )
            for column, name in (("opened", "suspense_line_in_books"), ("closed", "suspense_line_out_of_books"))
        ),
        sqlite_strict=True,
    )
    op.create_index("suspense_line_state", "suspense_line", ["state", "id"])
    op.create_index("suspense_line_operation", "suspense_line", ["instance", "operation_id"])
    for name, columns, where in (
        ("suspense_line_ref", ["instance", "ref"], sa.text("ref IS NOT NULL")),
        ("suspense_line_unexplained", ["found_at"], sa.text("ended_at IS NULL AND alerted_at IS NULL")),
    ):
        op.create_index(name, "suspense_line", columns, sqlite_where=where, postgresql_where=where)


def checks() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint("state IN ('OPEN', 'PROPOSED', 'PLACED', 'CLEARED')"),
        sa.CheckConstraint(
            "amount_minor <> 0 AND amount_minor BETWEEN -1000000000000000 AND 1000000000000000",
            name="suspense_line_amount",
        ),
        sa.CheckConstraint("revision > 0", name="suspense_line_revision"),
        sa.CheckConstraint("opened = 'recon.suspense'", name="suspense_line_opened"),
        sa.CheckConstraint(
            "(state = 'PLACED') = (account IS NOT NULL AND decided_by IS NOT NULL)"
            " AND (state IN ('PROPOSED', 'PLACED')) = (account IS NOT NULL)"
            " AND (account IS NULL) = (reason IS NULL) AND (account IS NULL) = (proposed_by IS NULL)"
            " AND (account IS NULL) = (proposed_at IS NULL)",
            name="suspense_line_proposed",
        ),
        sa.CheckConstraint("length(account) BETWEEN 1 AND 200", name="suspense_line_account"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 1000", name="suspense_line_reason"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="suspense_line_two_people"),
        sa.CheckConstraint(
            "(state = 'PLACED') = (coalesce(closed, '') = 'recon.placed')"
            " AND (state = 'CLEARED') = (coalesce(closed, '') = 'recon.cleared')"
            " AND (closed IS NULL) = (ended_at IS NULL)",
            name="suspense_line_closed",
        ),
    ]
