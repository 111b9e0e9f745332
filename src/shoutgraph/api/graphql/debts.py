"""Debts after charge-backs, as the API shows them to finance, and what two people write off of them."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.api.graphql.wallets import WalletLockType
from shoutgraph.domain import money, pages
from shoutgraph.domain.debts import WriteOff, WriteOffState
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope
from shoutgraph.services.money import debts
from shoutgraph.services.money.debts import Owed, Wish

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)

enums.describe(
    WriteOffState,
    name="DebtWriteOffStatus",
    description="Where a write-off stands.",
    values={
        WriteOffState.PROPOSED: "One person proposed it; nothing moved.",
        WriteOffState.DONE: "Another person confirmed it; the platform bears it.",
        WriteOffState.DENIED: "Somebody rejected it; nothing moved.",
    },
)


@strawberry.type(name="DebtWriteOff", description="Coins of a debt that the platform bears, when two people agree.")
class DebtWriteOffType:
    id: strawberry.ID = strawberry.field(description="Names the write-off; it is not a node.")
    user_id: strawberry.ID = strawberry.field(description="Who owes.")
    status: WriteOffState = strawberry.field(description="Where it stands.")
    coins: Coins = strawberry.field(description="How many coins.")
    evidence: str | None = strawberry.field(description="Why, and where that is written; null once erased.")
    proposed_by: str = strawberry.field(description="Who proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    decided_by: str | None = strawberry.field(description="Who confirmed or rejected it.")
    decided_at: datetime | None = strawberry.field(description="When.")

    @classmethod
    def of(cls, write_off: WriteOff) -> "DebtWriteOffType":
        """The graph's view of a write-off."""
        return cls(
            id=strawberry.ID(write_off.id),
            user_id=strawberry.ID(write_off.user_id),
            status=write_off.state,
            coins=Coins(write_off.coins),
            evidence=write_off.evidence,
            proposed_by=write_off.proposed_by,
            proposed_at=write_off.proposed_at,
            decided_by=write_off.decided_by,
            decided_at=write_off.decided_at,
        )


@strawberry.type(name="Debt", description="What a user owes after charge-backs; the next coins that they get pay it.")
class DebtType:
    user_id: strawberry.ID = strawberry.field(description="Who owes.")
    coins: Coins = strawberry.field(description="How many coins.")
    worth: MoneyType = strawberry.field(description="What they are worth at par, in the currency of the books.")
    lock: WalletLockType | None = strawberry.field(description="What locked the wallet; null if it is not locked.")
    proposed: DebtWriteOffType | None = strawberry.field(description="What somebody proposed to write off.")

    @classmethod
    def of(cls, owed: Owed) -> "DebtType":
        """The graph's view of a debt."""
        debt, policy = owed.debt, owed.policy
        return cls(
            user_id=strawberry.ID(debt.user_id),
            coins=Coins(debt.coins),
            worth=MoneyType.of(money.Money(policy.par_minor(debt.coins), policy.book_currency)),
            lock=None if debt.lock is None else WalletLockType.of(debt.lock),
            proposed=None if owed.proposed is None else DebtWriteOffType.of(owed.proposed),
        )


_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
DebtWriteOffProposeError = Annotated[_Decided, failures_of("debtWriteOffPropose")]
DebtWriteOffConfirmError = Annotated[_Decided, failures_of("debtWriteOffConfirm")]
DebtWriteOffRejectError = Annotated[_Decided, failures_of("debtWriteOffReject")]


@strawberry.input(description="Input of debtWriteOffPropose.")
class DebtWriteOffProposeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended proposal.")
    user_id: strawberry.ID = strawberry.field(description="Who owes.")
    coins: Coins | None = strawberry.field(default=None, description="How many coins; the whole debt if not given.")
    evidence: str = strawberry.field(description="Why, and where that is written.")


@strawberry.type(description="Result of debtWriteOffPropose.")
class DebtWriteOffProposePayload:
    write_off: DebtWriteOffType | None = mutations.outcome("What was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[DebtWriteOffProposeError] = mutations.refusals()


@strawberry.input(description="Input of debtWriteOffConfirm.")
class DebtWriteOffConfirmInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    write_off_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of debtWriteOffConfirm.")
class DebtWriteOffConfirmPayload:
    write_off: DebtWriteOffType | None = mutations.outcome("What was confirmed; the books followed.")
    replayed: bool = mutations.replayed()
    errors: list[DebtWriteOffConfirmError] = mutations.refusals()


@strawberry.input(description="Input of debtWriteOffReject.")
class DebtWriteOffRejectInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    write_off_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of debtWriteOffReject.")
class DebtWriteOffRejectPayload:
    write_off: DebtWriteOffType | None = mutations.outcome("What was rejected.")
    replayed: bool = mutations.replayed()
    errors: list[DebtWriteOffRejectError] = mutations.refusals()


Proposed = Annotated[DebtWriteOffProposeInput, strawberry.argument(description="Whose debt, how much, and why.")]
Confirmed = Annotated[DebtWriteOffConfirmInput, strawberry.argument(description="Which proposal.")]
Rejected = Annotated[DebtWriteOffRejectInput, strawberry.argument(description="Which proposal.")]


@strawberry.type
class DebtQuery:
    @fields.resolver(
        description="Who owes coins after charge-backs, the newest debtors first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def debts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[DebtType] | None:
        args = pages.read_args(scope=debts.SCOPE, first=first, after=after, last=last, before=before, kinds=(int,))
        page = await debts.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, DebtType.of)


@strawberry.type
class DebtMutation:
    @mutations.mutation(
        description="Proposes that the platform bears what a user owes; nothing moves yet.", directives=_DECIDES
    )
    async def debt_write_off_propose(self, info: Info, input: Proposed) -> DebtWriteOffProposePayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "debtWriteOffPropose", input)
        wish = Wish(input.user_id, input.evidence, input.coins)
        done = await debts.propose(info.context.tools, viewer, asked, wish)
        return DebtWriteOffProposePayload(write_off=DebtWriteOffType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Confirms a write-off that another person proposed. The wallet's lock stays.", directives=_DECIDES
    )
    async def debt_write_off_confirm(self, info: Info, input: Confirmed) -> DebtWriteOffConfirmPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "debtWriteOffConfirm", input)
        done = await debts.confirm(info.context.tools, viewer, asked, input.write_off_id)
        return DebtWriteOffConfirmPayload(write_off=DebtWriteOffType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Rejects a write-off that was proposed, or takes it back; nothing moves.", directives=_DECIDES
    )
    async def debt_write_off_reject(self, info: Info, input: Rejected) -> DebtWriteOffRejectPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "debtWriteOffReject", input)
        done = await debts.reject(info.context.tools, viewer, asked, input.write_off_id)
        return DebtWriteOffRejectPayload(write_off=DebtWriteOffType.of(done.value), replayed=done.replayed)


ROOM: Final = Room(query=DebtQuery, mutation=DebtMutation)
