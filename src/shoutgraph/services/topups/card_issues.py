"""Giving gift cards away: one person of finance proposes them, another one confirms, and is shown their codes once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import card_issues as rules, ids, journal, pages, promotions
from shoutgraph.domain.card_issues import Issue, IssueState, Wish
from shoutgraph.domain.cards import CardState
from shoutgraph.domain.checks import tidy
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.topups import cards
from shoutgraph.storage import (
    card_issues as rows,
    cards as card_rows,
    journal as journal_rows,
    ledger as ledger_rows,
    policies,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

TOLD: Final[Mapping[IssueState, str]] = {
    IssueState.PROPOSED: "gift_card_issue.proposed",
    IssueState.ISSUED: "gift_card_issue.confirmed",
    IssueState.REJECTED: "gift_card_issue.rejected",
}
"""What the journal tells of each state."""
VOIDED: Final = "gift_card_issue.voided"


@dataclass(frozen=True, slots=True)
class Issued:
    """A confirmed issue. `file` has the codes of its cards, where they were only now made: they are not kept."""

    issue: Issue
    file: str | None = None

    @property
    def id(self) -> str:
        """The issue's id."""
        return self.issue.id


async def propose(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Issue]:
    """Proposes gift cards that nobody pays for; none is made yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        ValidationError: a text, the coins, the number or the time is wrong (an `ExceptionGroup` where several are).
        LimitExceededError: together they hold more than one decision may give away.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def work(tx: Tx) -> Issue:
        rules.check(wish, policy=policies.current(tx), now=tx.now)
        proposed = Issue(
            id=tools.new_id(ids.CARD_ISSUE),
            state=IssueState.PROPOSED,
            coins=wish.coins,
            cards_count=wish.cards_count,
            expires_at=wish.expires_at,
            reason=tidy(wish.reason),
            case_reference=tidy(wish.case_reference),
            proposed_by=viewer.principal,
            proposed_at=tx.now,
        )
        rows.insert(tx, proposed)
        _tell(tools, tx, proposed)
        return proposed

    return await once(tools, asked, work, rows.get)


async def confirm(tools: Tools, viewer: Viewer, asked: Request, issue_id: str) -> Done[Issued]:
    """Confirms what another person proposed: the cards are made, and their codes shown now and never again.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or proposed it.
        NotFoundError: there is no such issue.
        ValidationError: the text is no issue's id, it is decided already, or its cards could not be redeemed any more.
        LimitExceededError: the budget of these days is used up, or a maximum was lowered since.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    _check_id(viewer, issue_id)
    secret = tools.new_secret()

    def work(tx: Tx) -> Issued:
        rows.hold_budget(tx)
        after = rules.decided(rows.get(tx, issue_id), IssueState.ISSUED, by=viewer.principal, now=tx.now)
        policy = policies.current(tx)
        rules.check_limits(after, policy=policy)
        rules.check_budget(after, issued_coins=rows.issued_coins(tx, tx.now - rules.BUDGET_SPAN), policy=policy)
        codes = [promotions.code_from(f"{secret} {at}") for at in range(after.cards_count)]
        made = rules.cards_of(after, codes, [tools.new_id(ids.GIFT_CARD) for _ in codes], now=tx.now)
        transfer = rules.issued(after)
        ledger_rows.post(tx, transfer)
        card_rows.insert_all(tx, made)
        rows.decide(tx, after)
        _tell(tools, tx, after, number=ledger_rows.number_of(tx, transfer.kind, transfer.ref))
        return Issued(after, rules.file_of(made, codes))

    return await once(tools, asked, work, lambda tx, of: Issued(rows.get(tx, of)))


async def reject(tools: Tools, viewer: Viewer, asked: Request, issue_id: str) -> Done[Issue]:
    """Rejects what was proposed, or takes it back; no card is made.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such issue.
        ValidationError: the text is no issue's id, or it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    _check_id(viewer, issue_id)

    def work(tx: Tx) -> Issue:
        rejected = rules.decided(rows.get(tx, issue_id), IssueState.REJECTED, by=viewer.principal, now=tx.now)
        rows.decide(tx, rejected)
        _tell(tools, tx, rejected)
        return rejected

    return await once(tools, asked, work, rows.get)


async def void(tools: Tools, viewer: Viewer, asked: Request, issue_id: str, *, reason: str) -> Done[Issue]:
    """Calls all open cards of an issue back, such as those whose codes were lost; their coins end.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such issue.
        ValidationError: the text is no issue's id, or the reason is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    _check_id(viewer, issue_id)
    rules.check_reason(reason)

    def work(tx: Tx) -> Issue:
        issue = rows.get(tx, issue_id)
        found = card_rows.list_of_open_issued(tx, issue_id)
        for card in found:
            cards.give_back(tools, tx, card, CardState.VOIDED)
        body: journal.Body = {"by": viewer.principal, "cards": len(found)}
        journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), issue.id, VOIDED, body))
        return issue

    return await once(tools, asked, work, rows.get)


async def page(tools: Tools, viewer: Viewer, args: PageArgs, state: IssueState | None) -> Page[Issue]:
    """A page of what was proposed and decided, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args, state))
    return pages.cut(found, args, scope=scope_of(state), key_of=lambda each: (each.id,))


def scope_of(state: IssueState | None) -> str:
    """Names a listing, so that a cursor of another one is refused."""
    return pages.scope_of("gift card issues", state)


def _check_id(viewer: Viewer, issue_id: str) -> None:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.CARD_ISSUE, issue_id, path=("input", "giftCardIssueId"))


def _tell(tools: Tools, tx: Tx, issue: Issue, number: int | None = None) -> None:
    body: journal.Body = {
        "status": issue.state.value,
        "cards": issue.cards_count,
        "coins": issue.total_coins,
    }
    journal_rows.append(tx, journal.NewEvent(tools.new_id(ids.EVENT), issue.id, TOLD[issue.state], body, number))
