"""The ledger's tables. Their guards are triggers and live with the migration that made them.

Balances move only through postings and lots only through lot moves; both are kept by the database, against wrong
code too. Source: docs/adr/0003-ledger.md.
"""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import money
from shoutgraph.storage import columns

STRICT: dict[str, Any] = {"sqlite_strict": True}
STRICT_BY_KEY: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


class AssetRow(SQLModel, table=True):
    """What can be counted: coins of two kinds, caps, and currencies in book units."""

    __tablename__: ClassVar[str] = "asset"
    __table_args__ = (
        sa.CheckConstraint("class IN ('coin', 'promo', 'memo', 'fiat')", name="asset_class"),
        sa.CheckConstraint("(class = 'fiat' OR scale = 0) AND scale BETWEEN 0 AND 9", name="asset_scale"),
        STRICT_BY_KEY,
    )
    code: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    class_: str = Field(sa_column=sa.Column("class", columns.Text, nullable=False))
    scale: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))


class AccountRow(SQLModel, table=True):
    """A name with its running totals.

    `order_id` makes it escrow and `wallet` makes it lots: both are tied at COMMIT, through `order_ok` and `wallet_ok`.
    """

    __tablename__: ClassVar[str] = "account"
    __table_args__ = (
        sa.CheckConstraint("floor IN (-1, 0, 1)", name="account_floor"),
        sa.CheckConstraint("debits >= 0", name="account_debits"),
        sa.CheckConstraint("credits >= 0", name="account_credits"),
        sa.CheckConstraint("closed IN (0, 1)", name="account_closed"),
        sa.CheckConstraint("wallet IN (0, 1)", name="account_wallet"),
        sa.CheckConstraint("floor <> 1 OR credits >= debits", name="no_overdraft"),
        sa.CheckConstraint("floor <> -1 OR debits >= credits", name="no_overcredit"),
        sa.CheckConstraint("closed = 0 OR debits = credits", name="closed_is_zero"),
        sa.CheckConstraint(
            "(order_id IS NULL AND wallet = 0) OR (floor = 1 AND asset IN ('COIN', 'PROMO'))",
            name="tied_accounts_hold_coins",
        ),
        sa.UniqueConstraint("id", "asset", name="account_asset"),
        columns.partial_index("account_debt", "id", where="asset = 'COIN' AND floor = -1"),
        columns.partial_index("account_order", "order_id", where="order_id IS NOT NULL"),
        columns.partial_index("account_wallet_id", "wallet_id", where="wallet_id IS NOT NULL"),
        STRICT,
    )
    id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    code: str = Field(sa_column=sa.Column(columns.Text, unique=True, nullable=False))
    asset: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("asset.code"), nullable=False))
    floor: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    order_id: str | None = Field(
        sa_column=sa.Column(
            columns.Text, sa.ForeignKey("orders.id", deferrable=True, initially="DEFERRED"), nullable=True
        )
    )
    wallet: bool = Field(sa_column=sa.Column(columns.Truth, nullable=False))
    wallet_id: int | None = Field(
        sa_column=sa.Column(
            columns.Integer,
            sa.Computed("CASE WHEN wallet = 1 THEN id END", persisted=True),
            sa.ForeignKey("wallet_ok.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        )
    )
    debits: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    credits: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    version: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    last_posting: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    closed: bool = Field(sa_column=sa.Column(columns.Truth, server_default=sa.text("0"), nullable=False))


class TransferRow(SQLModel, table=True):
    """The moves of one event, named once and for ever."""

    __tablename__: ClassVar[str] = "transfer"
    __table_args__ = (
        sa.CheckConstraint("length(digest) = 32", name="transfer_digest"),
        sa.UniqueConstraint("kind", "ref", name="transfer_once"),
        STRICT,
    )
    id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    kind: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    ref: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    digest: bytes = Field(sa_column=sa.Column(columns.Blob, nullable=False))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))


class PostingRow(SQLModel, table=True):
    """One debit-credit move of one asset. Writing it is what moves the two balances."""

    __tablename__: ClassVar[str] = "posting"
    __table_args__ = (
        sa.CheckConstraint(f"amount BETWEEN 1 AND {money.AMOUNT_MAX}", name="posting_amount"),
        sa.CheckConstraint("debit_id <> credit_id", name="posting_has_two_sides"),
        sa.ForeignKeyConstraint(["debit_id", "asset"], ["account.id", "account.asset"], name="posting_debit"),
        sa.ForeignKeyConstraint(["credit_id", "asset"], ["account.id", "account.asset"], name="posting_credit"),
        sa.Index("posting_transfer", "transfer_id"),
        STRICT,
    )
    id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    transfer_id: int = Field(sa_column=sa.Column(columns.Integer, sa.ForeignKey("transfer.id"), nullable=False))
    asset: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    debit_id: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    credit_id: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    amount: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    reason: str = Field(sa_column=sa.Column(columns.Text, nullable=False))


class EntryRow(SQLModel, table=True):
    """An account's totals after each of its postings, without a gap."""

    __tablename__: ClassVar[str] = "entry"
    __table_args__ = (sa.CheckConstraint("version > 0", name="entry_version"), STRICT_BY_KEY)
    account_id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    version: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    posting_id: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    debits: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    credits: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))


class LotRow(SQLModel, table=True):
    """Coins of one origin in one wallet. Born empty; its first move fills it."""

    __tablename__: ClassVar[str] = "lot"
    __table_args__ = (
        sa.CheckConstraint(f"granted BETWEEN 1 AND {money.AMOUNT_MAX}", name="lot_granted"),
        sa.CheckConstraint("remaining BETWEEN 0 AND granted", name="lot_remaining"),
        sa.CheckConstraint("price_minor >= 0", name="lot_price"),
        columns.partial_index("lot_open", "account_id", where="remaining > 0"),
        columns.partial_index("lot_expiring", "expires_at", where="remaining > 0 AND expires_at IS NOT NULL"),
        columns.partial_index("lot_topup", "topup_id", where="topup_id IS NOT NULL"),
        sa.Index("lot_user", "user_id"),
        STRICT,
    )
    id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True, nullable=False))
    account_id: int = Field(sa_column=sa.Column(columns.Integer, sa.ForeignKey("account.id"), nullable=False))
    user_id: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    topup_id: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    granted: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    remaining: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    last_move: int = Field(sa_column=sa.Column(columns.Integer, server_default=sa.text("0"), nullable=False))
    price_minor: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    currency: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    country: str | None = Field(sa_column=sa.Column(columns.Text, nullable=True))
    granted_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    expires_at: datetime | None = Field(sa_column=sa.Column(columns.Micros, nullable=True))


class LotMoveRow(SQLModel, table=True):
    """Coins taken from a lot or given to it. Writing it is what moves the lot."""

    __tablename__: ClassVar[str] = "lot_move"
    __table_args__ = (
        sa.CheckConstraint("coins <> 0", name="lot_move_coins"),
        sa.Index("lot_move_lot", "lot_id"),
        columns.partial_index("lot_move_order", "order_id", "lot_id", where="order_id IS NOT NULL"),
        sa.Index("lot_move_transfer", "transfer_id"),
        STRICT,
    )
    id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    lot_id: str = Field(sa_column=sa.Column(columns.Text, sa.ForeignKey("lot.id"), nullable=False))
    transfer_id: int = Field(sa_column=sa.Column(columns.Integer, sa.ForeignKey("transfer.id"), nullable=False))
    order_id: str | None = Field(
        sa_column=sa.Column(
            columns.Text, sa.ForeignKey("orders.id", deferrable=True, initially="DEFERRED"), nullable=True
        )
    )
    coins: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))


class OrderOkRow(SQLModel, table=True):
    """Orders whose state agrees with their escrow. An order without its line here cannot be committed."""

    __tablename__: ClassVar[str] = "order_ok"
    __table_args__ = (STRICT_BY_KEY,)
    id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))


class WalletOkRow(SQLModel, table=True):
    """Wallets whose balance is the sum of their lots. A wallet without its line here cannot be committed."""

    __tablename__: ClassVar[str] = "wallet_ok"
    __table_args__ = (STRICT,)
    id: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
