"""Wallets as the API shows them: coins by what can be done with them, where they came from, and every move of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.dormancy import CoinDormancyType
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.gifts.gift import GiftType, fetch_gifts
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.orders.order import OrderType, fetch_orders
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.api.graphql.statements import read_place
from shoutgraph.domain import ids, money, pages
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.money import Coins
from shoutgraph.domain.statements import Line, Part, Told
from shoutgraph.domain.users import Scope
from shoutgraph.domain.wallets import Coin, Lock, LockReason, Wallet, user_of
from shoutgraph.services import dormancy, statements, wallets
from shoutgraph.services.statements import Source

enums.describe(
    Coin,
    name="CoinKind",
    description="The kinds of coins in a wallet.",
    values={
        Coin.PAID: "Bought with money; refundable while unspent.",
        Coin.PROMO: "Granted; spent first, and they lapse.",
        Coin.DEBT: "Owed after a payment was reversed; its balance is negative.",
    },
)
enums.describe(
    LockReason,
    name="WalletLockReason",
    description="Why a wallet is locked.",
    values={
        LockReason.DISPUTE: "The buyer's bank took a payment back.",
        LockReason.REFUND_OF_SPENT_COINS: "A payment was refunded although its coins were spent.",
    },
)


@strawberry.type(name="WalletLock", description="What locked a wallet; support can unlock it.")
class WalletLockType:
    reason: LockReason = strawberry.field(description="Why.")
    top_up_id: strawberry.ID = strawberry.field(description="The top-up whose payment was reversed.")
    locked_at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, lock: Lock) -> "WalletLockType":
        """The graph's view of a lock."""
        return cls(reason=lock.reason, top_up_id=strawberry.ID(lock.topup_id), locked_at=lock.at)


@strawberry.type(
    name="CoinLot", description="Coins of one origin in one wallet; refunds return to where they came from."
)
class CoinLotType:
    id: strawberry.ID = strawberry.field(description="Names the lot; it is not a node.")
    kind: Coin = strawberry.field(description="Paid or granted.")
    granted: Coins = strawberry.field(description="Coins that it began with.")
    remaining: Coins = strawberry.field(description="Coins that are left to spend.")
    price: MoneyType | None = strawberry.field(description="What the coins cost together; null for granted ones.")
    country: str | None = strawberry.field(description="ISO 3166-1 code of where they were bought.")
    top_up_id: strawberry.ID | None = strawberry.field(description="The purchase that they came with.")
    granted_at: datetime = strawberry.field(description="When they came in.")
    expires_at: datetime | None = strawberry.field(description="When what is left lapses; null for never.")

    @classmethod
    def of(cls, lot: Lot) -> "CoinLotType":
        """The graph's view of a lot."""
        paid = lot.account.endswith(":paid")
        priced = paid and lot.currency is not None
        return cls(
            id=strawberry.ID(lot.id),
            kind=Coin.PAID if paid else Coin.PROMO,
            granted=Coins(lot.granted),
            remaining=Coins(lot.remaining),
            price=MoneyType.of(money.Money(lot.price_minor, lot.currency)) if priced and lot.currency else None,
            country=lot.country,
            top_up_id=None if lot.topup_id is None else strawberry.ID(lot.topup_id),
            granted_at=lot.granted_at,
            expires_at=lot.expires_at,
        )


@strawberry.type(name="LotPart", description="Coins of one lot that a line of a statement moved.")
class LotPartType:
    lot_id: strawberry.ID = strawberry.field(description="Which lot.")
    top_up_id: strawberry.ID | None = strawberry.field(description="The purchase that it came with.")
    coins: BigInt = strawberry.field(description="Coins that came in; negative for those that went out.")
    worth: MoneyType | None = strawberry.field(
        description="What they cost, rounded towards nothing; null for granted ones."
    )

    @classmethod
    def of(cls, part: Part) -> "LotPartType":
        """The graph's view of a part."""
        return cls(
            lot_id=strawberry.ID(part.lot_id),
            top_up_id=None if part.topup_id is None else strawberry.ID(part.topup_id),
            coins=BigInt(part.coins),
            worth=None if part.worth is None else MoneyType.of(part.worth),
        )


@strawberry.type(name="StatementLine", description="One move of the coins in a wallet, as it stands in the books.")
class StatementLineType:
    place: strawberry.Private[tuple[Source, Line]]
    kind: str = strawberry.field(description="What happened, such as topup.succeeded or order.placed.")
    code: str = strawberry.field(description="What to call it in the reader's language, such as PAID_ORDER_PLACED.")
    words: str = strawberry.field(description="What it is called in English.")
    ref: str = strawberry.field(description="Which one: with kind, its name in the books for ever.")
    coin: Coin = strawberry.field(description="The kind of coins that moved.")
    coins: BigInt = strawberry.field(description="Coins that came in; negative for those that went out.")
    balance: BigInt = strawberry.field(description="Coins of this kind after it; negative for a debt.")
    at: datetime = strawberry.field(description="When.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that it is about.")
    gift_id: strawberry.ID | None = strawberry.field(description="The gift that it is about.")
    top_up_id: strawberry.ID | None = strawberry.field(description="The purchase that it is about.")

    @classmethod
    def of(cls, source: Source, told: Told) -> "StatementLineType":
        """The graph's view of a line."""
        line, about = told.line, told.about
        return cls(
            place=(source, line),
            kind=line.kind,
            code=told.code,
            words=told.words,
            ref=line.ref,
            coin=Coin(told.account),
            coins=BigInt(line.coins),
            balance=BigInt(line.balance_coins),
            at=line.at,
            order_id=None if about.order_id is None else strawberry.ID(about.order_id),
            gift_id=None if about.gift_id is None else strawberry.ID(about.gift_id),
            top_up_id=None if about.topup_id is None else strawberry.ID(about.topup_id),
        )

    @loaders.batch(description="Which lots moved, and what their coins cost.", directives=[ListSize(assumed_size=5)])
    @staticmethod
    async def lots(parents: "list[StatementLineType]", context: Context) -> list[list[LotPartType]]:
        found = await statements.lots_of(context.tools, [parent.place for parent in parents])
        return [[LotPartType.of(part) for part in parts] for parts in found]

    @loaders.batch(description="The order that it is about; null where there is none, or none that the caller may see.")
    @staticmethod
    async def order(parents: "list[StatementLineType]", context: Context) -> list[OrderType | None]:
        wanted = list({parent.order_id for parent in parents if parent.order_id is not None})
        found = dict(zip(wanted, await fetch_orders(context, wanted), strict=True))
        return [None if parent.order_id is None else found[parent.order_id] for parent in parents]

    @loaders.batch(description="The gift that it is about; null where there is none, or none that the caller may see.")
    @staticmethod
    async def gift(parents: "list[StatementLineType]", context: Context) -> list[GiftType | None]:
        wanted = list({parent.gift_id for parent in parents if parent.gift_id is not None})
        found = dict(zip(wanted, await fetch_gifts(context, wanted), strict=True))
        return [None if parent.gift_id is None else found[parent.gift_id] for parent in parents]


@strawberry.type(name="Wallet", description="A user's coins.")
class WalletType(NodeType):
    value: strawberry.Private[Wallet]
    available: Coins = strawberry.field(description="Paid coins that are free to spend.")
    promo: Coins = strawberry.field(description="Granted coins that are free to spend; they are spent first.")
    held: Coins = strawberry.field(description="Coins in the escrow of open orders.")
    debt: Coins = strawberry.field(description="Coins that are owed; the next top-up pays them first.")
    lock: WalletLockType | None = strawberry.field(description="What locked it; null if it is not locked.")

    @classmethod
    def of(cls, wallet: Wallet) -> "WalletType":
        """The graph's view of a wallet."""
        return cls(
            value=wallet,
            id=strawberry.ID(wallet.id),
            available=Coins(wallet.available_coins),
            promo=Coins(wallet.promo_coins),
            held=Coins(wallet.held_coins),
            debt=Coins(wallet.debt_coins),
            lock=None if wallet.lock is None else WalletLockType.of(wallet.lock),
        )

    @loaders.batch(description="The notice that its bought coins lapse; null where none stands.")
    @staticmethod
    async def dormancy(parents: "list[WalletType]", context: Context) -> list[CoinDormancyType | None]:
        found = await dormancy.list_of_notices(context.tools, [parent.value.user_id for parent in parents])
        return [None if each is None else CoinDormancyType.of(each) for each in found]

    @loaders.batch(description="Bought coins that lapsed and are kept for their owner: walletReclaim brings them back.")
    @staticmethod
    async def unclaimed(parents: "list[WalletType]", context: Context) -> list[Coins]:
        found = await dormancy.list_of_unclaimed(context.tools, [parent.value.user_id for parent in parents])
        return [Coins(each) for each in found]

    @fields.resolver(description="Where its coins came from, newest first.", directives=[PAGED])
    async def lots(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[CoinLotType]:
        owner, context = self.value.user_id, info.context
        scope = wallets.lots_scope(owner)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        return graph_pages.connect(await wallets.lots(context.tools, context.viewer, owner, args), CoinLotType.of)

    @fields.resolver(description="Every move of its coins, newest first.", directives=[PAGED])
    async def statement(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[StatementLineType]:
        context = info.context
        source = statements.of_wallet(context.viewer, self.value.user_id)
        page = await statements.page(context.tools, source, read_place(source, (first, after, last, before)))
        return graph_pages.connect(page, partial(StatementLineType.of, source))


WalletUnlockError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("walletUnlock"),
]


@strawberry.input(description="Input of walletUnlock.")
class WalletUnlockInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended unlocking.")
    user_id: strawberry.ID = strawberry.field(description="Whose wallet.")


@strawberry.type(description="Result of walletUnlock.")
class WalletUnlockPayload:
    wallet: WalletType | None = mutations.outcome("The wallet, unlocked.")
    replayed: bool = mutations.replayed()
    errors: list[WalletUnlockError] = mutations.refusals()


@strawberry.type
class WalletQuery:
    @fields.resolver(description="The caller's wallet, or anyone's with the scope FINANCE_READ.")
    async def wallet(
        self,
        info: Info,
        user_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
    ) -> WalletType | None:
        return WalletType.of(await wallets.get(info.context.tools, info.context.viewer, user_id))


@strawberry.type
class WalletMutation:
    @mutations.mutation(description="Lets a locked wallet move again.", directives=[requires(Scope.FINANCE_MANAGE)])
    async def wallet_unlock(
        self, info: Info, input: Annotated[WalletUnlockInput, strawberry.argument(description="Which wallet.")]
    ) -> WalletUnlockPayload | None:
        viewer = info.context.viewer
        request = request_of(viewer, "walletUnlock", input)
        done = await wallets.unlock(info.context.tools, viewer, request, input.user_id)
        return WalletUnlockPayload(wallet=WalletType.of(done.value), replayed=done.replayed)


async def fetch_wallets(context: Context, wallet_ids: Sequence[str]) -> list[WalletType | None]:
    """Wallets by id, null where the caller may not see them."""
    owners = [user_of(wallet_id, path=("id",)) for wallet_id in wallet_ids]
    found = await wallets.list_visible(context.tools, context.viewer, owners)
    return [None if wallet is None else WalletType.of(wallet) for wallet in found]


ROOM: Final = Room(query=WalletQuery, mutation=WalletMutation, nodes={ids.WALLET: fetch_wallets})
