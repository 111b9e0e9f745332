"""What the conventions of the graph do not ask of, each with its reason."""

from collections.abc import Mapping
from typing import Final

NO_KEY: Final[Mapping[str, str]] = {
    "userUpdate": "changes words; a repeat changes them to the same",
    "creatorRegister": "the same registration again gives the same profile",
    "creatorUpdate": "changes words; a repeat changes them to the same",
    "creatorOpen": "a repeat finds it open",
    "creatorPause": "a repeat finds it paused",
    "creatorFeature": "a repeat finds it so",
    "offerCreate": "nothing is paid; a second one is taken off sale",
    "offerUpdate": "changes terms of what is not ordered yet; a repeat changes them to the same",
    "offerActivate": "a repeat finds it on sale",
    "offerDeactivate": "a repeat finds it off sale",
    "giftThank": "a repeat finds them thanked for, and keeps the words of then",
    "campaignUpdate": "changes what is not ordered yet; a repeat changes it to the same",
    "campaignEnd": "a repeat finds it ended",
    "campaignApprove": "a repeat finds it approved",
    "campaignDeny": "a repeat finds it denied",
    "waitlistJoin": "nothing is paid; a repeat finds the fan in line",
    "waitlistLeave": "a repeat finds the fan out of the line",
    "userBirthDateCorrect": "a repeat finds it so",
    "erasureCancel": "a repeat finds it taken back",
    "userRegister": "nothing is paid; administrators register",
    "apiKeyCreate": "its secret is shown once, so a repeat could not show it again",
    "apiKeyRevoke": "a repeat finds it ended",
    "testClockAdvance": "moves a test's time, never money",
}
"""Mutations that move no coins and no money and call no provider, and why a repeat does no harm."""

NO_REVISION: Final[Mapping[str, str]] = {
    "videoTakeDown": "a video has one way on from each state; one that was taken down is refused",
    "orderSubmit": "expectedPrice guards what the fan agrees to",
    "spendingPause": "a pause is only made longer, so none is lost",
    "spendingExclude": "as spendingPause",
    "spendingReviewClear": "what nobody waits for is refused",
    "userBirthDateCorrect": "who corrects saw the proof; the last one counts",
    "topUpCancel": "only its provider says whether it can still be ended; one that was paid meanwhile is credited",
    "payoutCancel": "a payout has one way on from each state; a decided one is refused",
    "payoutApprove": "as payoutCancel",
    "payoutHold": "as payoutCancel",
    "payoutDeny": "as payoutCancel",
    "topUpRefundApprove": "a refund that is held has two ways on; a decided one is refused",
    "campaignApprove": "a proposal has two ways on; a decided one is refused",
    "campaignDeny": "as campaignApprove",
    "waitlistLeave": "the entry is the caller's own, and a place that was taken meanwhile is no longer in line",
    "topUpRefundDeny": "as topUpRefundApprove",
    "topUpWithdraw": "what goes back is what is unspent now, and topUpWithdrawalQuote says it",
    "orderGoodwillApprove": "a proposal is decided once, and the database counts what is left",
    "orderGoodwillDeny": "as orderGoodwillApprove",
    "debtWriteOffPropose": "nothing moves",
    "debtWriteOffConfirm": "a proposal is decided once, and no more is written off than is owed",
    "debtWriteOffReject": "as debtWriteOffConfirm",
}
"""Mutations that change something with a revision and take none, and what guards it instead."""

LONE_IDS: Final[Mapping[str, str]] = {
    "AuditChange.subjectId": "whatever was acted upon; node reads it where it is one",
    "AuditLine.subjectId": "as AuditChange.subjectId",
    "CoinLot.topUpId": "provenance; node reads it",
    "Earning.subjectId": "an order or a gift",
    "Debt.userId": "whose; wallet and node read it",
    "DebtWriteOff.userId": "as Debt.userId",
    "OrderAdjustment.orderId": "mostly asked within its order; node reads it",
    "Payout.creatorId": "whose; node reads it",
    "MoneyResolution.subjectId": "a top-up, payout, refund or stray; node reads all but the last",
    "Rating.orderId": "for the two sides; the order's rating leads here, and node reads it",
    "EarningsLine.giftId": "node reads it",
    "EarningsLine.orderId": "node reads it",
    "EarningsLine.payoutId": "node reads it",
    "LotPart.lotId": "Wallet.lots has it",
    "LotPart.topUpId": "provenance; node reads it",
    "StatementLine.topUpId": "node reads it",
    "TopUpWithdrawal.topUpId": "mostly asked within its top-up; node reads it",
    "TopUpRefund.topUpId": "whose money; node reads it",
    "UnresolvedMoney.subjectId": "a top-up, payout, refund or stray; node reads all but the last",
    "SpendingGuard.userId": "the caller, or whom finance looks at; node reads it for administrators",
    "UserChangedEvent.userId": "as SpendingGuard.userId",
    "UploadTarget.videoId": "the video is not readable before its upload is complete",
    "WalletLock.topUpId": "provenance; node reads it",
}
"""Ids that stand without the object they name, and why."""
