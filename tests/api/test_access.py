"""Who may use which root field: every one of them, by everybody who can ask, over every transport.

On PostgreSQL the suite asks a third; the long form asks for all: `pytest -m soak tests/api/test_access.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from tests.api.cast import VIEWERS, Cast
from tests.api.deployment import Answer, answer_of, graph
from tests.api.doors import INPUTS, QUERIES, Door, door_of
from tests.api.harness import Socket
from tests.soak import Extent
from tests.storage.databases import Kind

from shoutgraph.api.graphql.directives import RequiresScope
from shoutgraph.domain.users import Scope
from shoutgraph.storage import ledger_proof

OUTCOMES: Final = {
    "yes": "it is done, or read",
    "401": "UNAUTHENTICATED in errors[]",
    "403": "FORBIDDEN in errors[]",
    "404": "NOT_FOUND in errors[]",
    "(403)": "a ForbiddenError as data",
    "(404)": "a NotFoundError as data",
    "(422)": "let in, and refused as data by another rule",
}

TABLE: Final = """
Query                     anonymous  fan    other_fan  creator  other_creator  moderator  finance  service  admin

node                      yes        yes    yes        yes      yes            yes        yes      yes      yes
nodes                     yes        yes    yes        yes      yes            yes        yes      yes      yes
viewer                    yes        yes    yes        yes      yes            yes        yes      yes      yes
creators                  yes        yes    yes        yes      yes            yes        yes      yes      yes
creator                   yes        yes    yes        yes      yes            yes        yes      yes      yes
offer                     yes        yes    yes        yes      yes            yes        yes      yes      yes
offer off sale            404        404    404        yes      404            404        404      404      yes
verifyVideo               yes        yes    yes        yes      yes            yes        yes      yes      yes
quote                     yes        yes    yes        yes      yes            yes        yes      yes      yes
quote off sale            404        404    404        yes      404            404        404      404      yes
coinPackages              yes        yes    yes        yes      yes            yes        yes      yes      yes
coinPrice                 yes        yes    yes        yes      yes            yes        yes      yes      yes
ratings                   yes        yes    yes        yes      yes            yes        yes      yes      yes
ratings hidden            401        403    403        403      403            yes        403      403      yes
ratingEvents              401        yes    yes        yes      yes            yes        yes      yes      yes
waitlist                  401        403    403        yes      yes            403        403      403      403
waitlist of the creator   401        403    403        yes      403            yes        yes      yes      yes
campaigns                 yes        yes    yes        yes      yes            yes        yes      yes      yes
campaignEvents            401        yes    yes        yes      yes            403        yes      yes      yes
waitlistEvents            401        yes    yes        yes      yes            yes        yes      yes      yes
topUpProviders            401        yes    yes        yes      yes            403        403      403      403
topUpWithdrawalQuote      401        yes    404        404      404            403        403      403      403
topUps                    401        yes    yes        yes      yes            403        403      403      403
topUps everyone's         401        403    403        403      403            403        yes      403      yes
topUpEvents               401        yes    yes        yes      yes            403        yes      403      yes
topUpRefunds              401        403    403        403      403            403        yes      403      yes
orderAdjustments          401        403    403        403      403            403        yes      403      yes
debts                     401        403    403        403      403            403        yes      403      yes
closures                  401        403    403        403      403            403        yes      403      yes
suspenseLines             401        403    403        403      403            403        yes      403      yes
ledgerAdjustments         401        403    403        403      403            403        yes      403      yes
giftCardIssues            401        403    403        403      403            403        yes      403      yes
giftCardsOfIssue          401        403    403        403      403            403        yes      403      yes
moneyUnresolved           401        403    403        403      403            403        yes      403      yes
walletStatementExport     401        yes    yes        yes      yes            403        403      403      403
walletStatementExport of the fan 401  yes    403        403      403            403        yes      403      yes
earningsStatementExport   401        403    403        yes      yes            403        403      403      403
earningsStatementExport of the creator 401 403 403      yes      403            403        yes      403      yes
wallet                    401        yes    yes        yes      yes            403        403      403      403
wallet of the fan         401        yes    403        403      403            403        yes      403      yes
order                     404        yes    404        yes      404            yes        yes      yes      yes
order draft               404        yes    404        404      404            yes        yes      yes      yes
orders                    401        yes    yes        yes      yes            403        403      403      403
orders received           401        403    403        yes      yes            403        403      403      403
orders anyone's           401        403    403        403      403            yes        yes      yes      yes
moderationQueue           401        403    403        403      403            yes        403      403      yes
orderEvents               401        yes    yes        yes      yes            yes        yes      yes      yes
earnings                  401        403    403        yes      yes            403        403      403      403
earnings of the creator   401        403    403        yes      403            403        yes      403      yes
payoutProviders           401        403    403        yes      yes            403        403      403      403
payoutRecipients          401        403    403        yes      yes            403        403      403      403
payouts                   401        403    403        yes      yes            403        403      403      403
payouts everyone's        401        403    403        403      403            403        yes      403      yes
payoutEvents              401        yes    yes        yes      yes            403        yes      403      yes
payoutBatches             401        403    403        403      403            403        yes      403      yes
payoutBatch               401        403    403        403      403            403        yes      403      yes
bankFiles                 401        403    403        403      403            403        yes      403      yes
taxProfile                401        403    403        yes      yes            403        403      403      403
taxProfile of the creator 401        403    403        yes      403            yes        yes      403      yes
sellerReport              401        403    403        403      403            403        yes      403      yes
providerHealth            401        403    403        403      403            403        yes      403      yes
payoutRecipientRequirements 401        403    403        yes      yes            403        403      403      403
payoutQuote               401        403    403        yes      404            403        403      403      403
payoutQueue               401        403    403        403      403            403        yes      403      yes
giftCatalogue             yes        yes    yes        yes      yes            yes        yes      yes      yes
giftEvents                401        yes    yes        yes      yes            yes        yes      403      yes
giftRanking               yes        yes    yes        yes      yes            yes        yes      yes      yes
giftCards                 401        yes    yes        yes      yes            403        403      403      403
exchangeRate              401        403    403        403      403            403        yes      403      yes
exchangeRates             401        403    403        403      403            403        yes      403      yes
promotions                401        403    403        403      403            403        yes      403      yes
priceLists                401        403    403        403      403            403        yes      403      yes
priceListMarket           401        403    403        403      403            403        yes      403      yes
policy                    yes        yes    yes        yes      yes            yes        yes      yes      yes
policyValues              yes        yes    yes        yes      yes            yes        yes      yes      yes
policies                  401        403    403        403      403            403        yes      403      yes
explainRefund             404        yes    404        yes      404            yes        yes      yes      yes
explainDeadline           404        yes    404        yes      404            yes        yes      yes      yes
explainPayoutHold         401        403    403        yes      yes            403        403      403      403
explainPayoutHold of the creator 401        403    403        yes      403            403        yes      403      yes
explainPayoutHold of a payout 404        404    404        yes      404            404        yes      404      yes
explainPrice              yes        yes    yes        yes      yes            yes        yes      yes      yes
explainDormancy           401        yes    yes        yes      yes            403        403      403      403
lapseTotals               401        403    403        403      403            403        yes      403      yes
featureRules              401        403    403        403      403            403        403      403      yes
featureChanges            401        403    403        403      403            403        403      403      yes
featureEvents             401        yes    yes        yes      yes            403        403      yes      yes
spendingGuard             401        yes    yes        yes      yes            403        403      403      403
spendingReviews           401        403    403        403      403            403        yes      403      yes
userEvents             401        yes    yes        yes      yes            403        yes      403      yes
webhookEventTypes         yes        yes    yes        yes      yes            yes        yes      yes      yes
webhookEndpoints          401        403    403        403      403            403        403      403      yes
webhookDeliveries         401        403    403        403      403            403        403      403      yes
webhookEndpointEvents     401        403    403        403      403            403        403      403      yes
apiKeys                   401        403    403        403      403            403        403      403      yes
reports                   401        yes    yes        yes      yes            403        403      403      403
reportEvents              401        yes    yes        yes      yes            yes        403      403      yes
reports everyone's        401        403    403        403      403            yes        403      403      yes
auditTrail                401        403    403        403      403            403        403      403      yes
serverTime                yes        yes    yes        yes      yes            yes        yes      yes      yes

Mutation                  anonymous  fan    other_fan  creator  other_creator  moderator  finance  service  admin

userUpdate                401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
reportFile                401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
reportDecide              401        403    403        403      403            yes        403      403      yes
reportAppeal              401        (422)  (404)      (404)    (404)          (403)      (403)    (403)    (403)
reportAppealDecide        401        403    403        403      403            yes        403      403      yes
dataExportRequest         401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
closureRequest              401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
closureCancel        401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
erasureRequest            401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
erasureCancel             401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
creatorRegister           401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
creatorUpdate             401        (403)  (403)      yes      yes            (403)      (403)    (403)    (403)
creatorOpen               401        (403)  (403)      yes      yes            (403)      (403)    (403)    (403)
creatorPause              401        (403)  (403)      (422)    (422)          (403)      (403)    (403)    (403)
creatorFeature            401        403    403        403      403            403        403      403      yes
offerCreate               401        (403)  (403)      yes      yes            (403)      (403)    (403)    (403)
offerUpdate               401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
offerActivate             401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
offerDeactivate           401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
topUpCreate               401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
topUpRedeem               401        (404)  (404)      (404)    (404)          (403)      (403)    (403)    (403)
topUpCancel               401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
topUpWithdraw             401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
topUpRefund               401        403    403        403      403            403        yes      403      yes
topUpRefundApprove        401        403    403        403      403            403        yes      403      yes
topUpRefundDeny           401        403    403        403      403            403        yes      403      yes
moneyResolvePropose       401        403    403        403      403            403        yes      403      yes
moneyResolveConfirm       401        403    403        403      403            403        yes      403      yes
moneyResolveReject        401        403    403        403      403            403        yes      403      yes
orderRefund               401        403    403        403      403            403        yes      403      yes
orderGoodwillPropose      401        403    403        403      403            403        yes      403      yes
orderGoodwillApprove      401        403    403        403      403            403        yes      403      yes
orderGoodwillDeny         401        403    403        403      403            403        yes      403      yes
debtWriteOffPropose       401        403    403        403      403            403        yes      403      yes
debtWriteOffConfirm       401        403    403        403      403            403        yes      403      yes
debtWriteOffReject        401        403    403        403      403            403        yes      403      yes
suspensePropose           401        403    403        403      403            403        yes      403      yes
suspenseConfirm           401        403    403        403      403            403        yes      403      yes
suspenseReject            401        403    403        403      403            403        yes      403      yes
ledgerAdjustPropose       401        403    403        403      403            403        yes      403      yes
ledgerAdjustConfirm       401        403    403        403      403            403        yes      403      yes
ledgerAdjustReject        401        403    403        403      403            403        yes      403      yes
giftCardIssuePropose      401        403    403        403      403            403        yes      403      yes
giftCardIssueConfirm      401        403    403        403      403            403        yes      403      yes
giftCardIssueReject       401        403    403        403      403            403        yes      403      yes
giftCardIssueVoid         401        403    403        403      403            403        yes      403      yes
giftCardVoid              401        403    403        403      403            403        yes      403      yes
taxProfileSet             401        (403)  (403)      yes      yes            (403)      (403)    (403)    (403)
payoutHoldPlace           401        403    403        403      403            403        yes      403      yes
payoutHoldRelease         401        403    403        403      403            403        yes      403      yes
creatorReserveSet         401        403    403        403      403            403        yes      403      yes
spendingLimitsSet         401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
spendingPause             401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
spendingExclude           401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
spendingReviewClear       401        403    403        403      403            403        yes      403      yes
userBirthDateCorrect      401        403    403        403      403            403        403      403      yes
walletUnlock              401        403    403        403      403            403        yes      403      yes
orderDraft                401        yes    yes        (422)    yes            (403)      (403)    (403)    (403)
orderPlace                401        yes    yes        (422)    (422)          (403)      (403)    (403)    (403)
orderSubmit               401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
orderAbandon              401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
orderCancel               401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderAttachmentCreate     401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderVoiceNoteSet         401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderScreenPass           401        403    403        403      403            yes        403      403      yes
orderScreenReject         401        403    403        403      403            yes        403      403      yes
orderAccept               401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderDecline              401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderExtensionOffer       401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderExtensionAgree       401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderWithdraw             401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderUploadCreate         401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderDeliver              401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderReviewPass           401        403    403        403      403            yes        403      403      yes
orderReviewRequireChanges 401        403    403        403      403            yes        403      403      yes
orderReviewReject         401        403    403        403      403            yes        403      403      yes
orderReviewGiveUp         401        (422)  (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderVisibilitySet        401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
samplePublish             401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
sampleWithdraw            401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
sampleTakeDown            401        403    403        403      403            yes        403      403      yes
samplesArrange            401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderConfirm              401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderRate                 401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
ratingUpdate              401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
ratingReply               401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
videoTakeDown             401        403    403        403      403            yes        403      403      yes
ratingHide                401        403    403        403      403            yes        403      403      yes
ratingRestore             401        403    403        403      403            yes        403      403      yes
campaignCreate            401        (403)  (403)      yes      (403)          (403)      (403)    (403)    yes
campaignUpdate            401        (403)  (403)      yes      (404)          (403)      (403)    (403)    yes
campaignEnd               401        (403)  (403)      yes      (404)          (403)      (403)    (403)    yes
campaignApprove           401        403    403        403      403            403        yes      403      yes
campaignDeny              401        403    403        403      403            403        yes      403      yes
waitlistJoin              401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
waitlistLeave             401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
orderRedoRequest          401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderRedoContest          401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderRedoConcede          401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
orderRedoReject           401        403    403        403      403            yes        403      403      yes
orderDisputeOpen          401        yes    (404)      (403)    (404)          (403)      (403)    (403)    (403)
orderDisputeAnswer        401        yes    (404)      yes      (404)          (403)      (403)    (403)    (403)
orderDisputeRefund        401        403    403        403      403            yes        403      403      yes
orderDisputeRelease       401        403    403        403      403            yes        403      403      yes
orderDisputeSplit         401        403    403        403      403            yes        403      403      yes
orderDisputeRedo          401        403    403        403      403            yes        403      403      yes
orderPlatformCancel       401        403    403        403      403            403        403      403      yes
orderFreeze               401        403    403        403      403            403        403      403      yes
orderUnfreeze             401        403    403        403      403            403        403      403      yes
payoutRecipientCreate     401        (403)  (403)      yes      yes            (403)      (403)    (403)    (403)
payoutRecipientRefresh    401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
payoutRecipientRemove     401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
payoutBatchHandOver       401        403    403        403      403            403        yes      403      yes
payoutBatchDiscard        401        403    403        403      403            403        yes      403      yes
payoutRequest             401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
payoutCancel              401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
payoutApprove             401        403    403        403      403            403        yes      403      yes
payoutHold                401        403    403        403      403            403        yes      403      yes
payoutDeny                401        403    403        403      403            403        yes      403      yes
giftSend                  401        yes    yes        (422)    (422)          (403)      (403)    (403)    (403)
giftThank                 401        (403)  (403)      yes      (404)          (403)      (403)    (403)    (403)
giftCardBuy               401        yes    yes        (422)    (422)          (403)      (403)    (403)    (403)
giftCardRedeem            401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
walletKeep                401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
walletReclaim             401        (422)  (422)      (422)    (422)          (403)      (403)    (403)    (403)
giftCardCode              401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
giftCardCancel            401        yes    (404)      (404)    (404)          (403)      (403)    (403)    (403)
priceRatePublish          401        403    403        403      403            403        yes      403      yes
promoCreate               401        403    403        403      403            403        yes      403      yes
promoEnd                  401        403    403        403      403            403        yes      403      yes
promoCodeRedeem           401        yes    yes        yes      yes            (403)      (403)    (403)    (403)
pricePublish              401        403    403        403      403            403        403      403      yes
priceWithdraw             401        403    403        403      403            403        403      403      yes
policyPublish             401        403    403        403      403            403        403      403      yes
featureRuleSet            401        403    403        403      403            403        403      403      yes
featureRuleRemove         401        403    403        403      403            403        403      403      yes
webhookEndpointCreate     401        403    403        403      403            403        403      403      yes
webhookEndpointUpdate     401        403    403        403      403            403        403      403      yes
webhookEndpointPause      401        403    403        403      403            403        403      403      yes
webhookEndpointResume     401        403    403        403      403            403        403      403      yes
webhookEndpointDisable    401        403    403        403      403            403        403      403      yes
webhookSecretRotate       401        403    403        403      403            403        403      403      yes
webhookReplay             401        403    403        403      403            403        403      403      yes
webhookTest               401        403    403        403      403            403        403      403      yes
userRegister              401        403    403        403      403            403        403      403      yes
apiKeyCreate              401        403    403        403      403            403        403      403      yes
apiKeyRevoke              401        403    403        403      403            403        403      403      yes
testClockAdvance          401        403    403        403      403            403        403      403      yes

Subscription              anonymous  fan    other_fan  creator  other_creator  moderator  finance  service  admin

orderEvents               401        yes    yes        yes      yes            yes        yes      yes      yes
campaignEvents            401        yes    yes        yes      yes            403        yes      yes      yes
waitlistEvents            401        yes    yes        yes      yes            yes        yes      yes      yes
featureEvents             401        yes    yes        yes      yes            403        403      yes      yes
webhookEndpointEvents     401        403    403        403      403            403        403      403      yes
ratingEvents              401        yes    yes        yes      yes            yes        yes      yes      yes
topUpEvents               401        yes    yes        yes      yes            403        yes      403      yes
payoutEvents              401        yes    yes        yes      yes            403        yes      403      yes
reportEvents              401        yes    yes        yes      yes            yes        403      403      yes
giftEvents                401        yes    yes        yes      yes            yes        yes      403      yes
userEvents                401        yes    yes        yes      yes            403        yes      403      yes
"""
"""The fan and the creator are the two sides of every order here. After a field's name: which use of it, see doors."""

OVER_STREAMS: Final = (
    "viewer",
    "order",
    "orders received",
    "moderationQueue",
    "wallet of the fan",
    "payouts",
    "apiKeys",
)
"""Reads that are tried over WebSocket and SSE too; over HTTP all are."""

MOVES_OVER_STREAMS: Final = (
    "userUpdate",
    "creatorFeature",
    "offerUpdate",
    "orderAccept",
    "orderScreenPass",
    "topUpCreate",
)

TRAIL: Final = """query ($only: AuditFilterInput) { auditTrail(filter: $only, last: 100) {
  nodes { actor action subjectId reason changes { field before after } } } }"""
WITHOUT_A_ROW: Final = {
    "creatorReserveSet",
    "creatorFeature",
    "debtWriteOffPropose",
    "ledgerAdjustPropose",
    "giftCardIssueVoid",
    "walletUnlock",
    "payoutBatchHandOver",
    "testClockAdvance",
    "webhookTest",
}
"""Acts that change nothing here, or no row of the database: nothing was locked, and the creator was not featured."""
EVENTS: Final = "subscription ($after: String) { orderEvents(after: $after) { id } }"
STAFF: Final = frozenset({"moderator", "finance", "service", "admin"})
HAS: Final[Mapping[str, frozenset[Scope]]] = {
    "moderator": frozenset({Scope.ORDERS_READ, Scope.MODERATION}),
    "finance": frozenset({Scope.ORDERS_READ, Scope.FINANCE_READ, Scope.FINANCE_MANAGE}),
    "service": frozenset({Scope.ORDERS_READ, Scope.EVENTS_READ}),
    "admin": frozenset(Scope),
}
_OF_CODE: Final = {"UNAUTHENTICATED": "401", "FORBIDDEN": "403", "NOT_FOUND": "404"}
_OF_TYPE: Final = {"ForbiddenError": "(403)", "NotFoundError": "(404)"}


def read_table() -> dict[str, dict[str, dict[str, str]]]:
    """The table by root type, by use of a field, by viewer."""
    rows: dict[str, dict[str, dict[str, str]]] = {}
    for line in filter(None, TABLE.splitlines()):
        *name, columns = line.split()[: -len(VIEWERS)], line.split()[-len(VIEWERS) :]
        if tuple(columns) == VIEWERS:
            root = rows[name[0][0]] = {}
        else:
            root[" ".join(name[0])] = dict(zip(VIEWERS, columns, strict=True))
    return rows


ROWS: Final = read_table()
SECOND_SHARE: Final = 3
USES: Final = [*ROWS["Query"], *ROWS["Mutation"]]


def expected(use: str) -> dict[str, str]:
    """What the table says of one use."""
    return (ROWS["Query"] if use in QUERIES else ROWS["Mutation"])[use]


def outcome_of(answer: Answer) -> str:
    """An answer in the table's words."""
    if answer.code is not None:
        return _OF_CODE.get(answer.code, answer.code)
    refusals = answer.value.get("errors", []) if isinstance(answer.value, dict) else []
    kinds = {_OF_TYPE.get(refusal["__typename"], "(422)") for refusal in refusals}
    assert answer.value is not None, "what is null has an error that says why"
    return " ".join(sorted(kinds)) or "yes"


def share_of(cast: Cast, extent: Extent, everything: Sequence[str], at: int) -> Sequence[str]:
    """Everything, or one of so many on the second database: who is let in is decided before any database is asked."""
    share = extent.count("shares", suite=1 if cast.deployment.place.kind is Kind.SQLITE else SECOND_SHARE, soak=1)
    return everything[at % share :: share]


def scopes_of(root: str, field: str) -> frozenset[Scope]:
    """The scopes that the SDL asks for, any one of them; none if it asks for none."""
    definition = graph().type_map[root].fields[field].extensions["strawberry-definition"]
    return frozenset(
        scope for each in definition.directives if isinstance(each, RequiresScope) for scope in each.any_of
    )


def test_the_table_has_every_root_field_and_no_other() -> None:
    for root, rows in ROWS.items():
        assert {use.split()[0] for use in rows} == set(graph().type_map[root].fields), root
    assert set(ROWS) == {"Query", "Mutation", "Subscription"}
    assert set(QUERIES) | set(INPUTS) == set(USES), "each use of the table has a door"
    assert {word for rows in ROWS.values() for row in rows.values() for word in row.values()} == set(OUTCOMES)


@pytest.mark.parametrize("use", USES)
def test_a_root_field_lets_in_whom_the_table_says(cast: Cast, extent: Extent, use: str) -> None:
    door, asked = door_of(use), share_of(cast, extent, VIEWERS, USES.index(use))
    found = {who: outcome_of(cast.deployment.answer(who, door.document, **door.variables(cast))) for who in asked}
    assert found == {who: expected(use)[who] for who in asked}


def test_the_sdl_names_the_scopes_that_the_table_shows() -> None:
    for root, rows in ROWS.items():
        for field, row in rows.items():
            if " " in field:
                continue
            scopes = scopes_of(root, field)
            let_in = {who for who, outcome in row.items() if outcome in {"yes", "(404)", "(422)"}}
            assert bool(scopes) == (let_in <= STAFF), f"{field} is for staff only if it names a scope"
            for who in VIEWERS if scopes else ():
                wanted = "401" if who == "anonymous" else "yes" if scopes & HAS.get(who, frozenset()) else "403"
                assert row[who] == wanted, f"{field} by {who}"


def test_every_act_of_staff_writes_one_line_that_says_who_did_what_to_whom_and_why(cast: Cast) -> None:
    to, unchanged = cast.deployment, set[str]()
    desk = to.do("admin", "apiKeyCreate", "apiKey { id } token", label="a desk", scopes=["ADMIN"])
    to.let_in("desk", desk["token"])
    for field in ROWS["Mutation"]:
        if not scopes_of("Mutation", field):
            continue
        variables = door_of(field).variables(cast)
        given = variables["input"]
        assert isinstance(given, dict)
        if field == "apiKeyRevoke":  # the spare one may be revoked already
            made = to.do("admin", "apiKeyCreate", "apiKey { id }", label="another", scopes=["AUDIT"])
            given["apiKeyId"] = made["apiKey"]["id"]
        for _ in range(2 if "idempotencyKey" in given else 1):
            assert outcome_of(to.answer("desk", door_of(field).document, **variables)) == "yes", field
        [line] = to.ask("admin", TRAIL, only={"action": field, "actor": desk["apiKey"]["id"]})["auditTrail"]["nodes"]
        unchanged |= set() if line["changes"] else {field}
        for why in {"reason", "note", "evidence", "code"} & set(given):
            assert str(given[why]) in line["reason"], f"{field} says why"
        named = [value for name, value in given.items() if name.endswith("Id") and "/" not in str(value)]
        assert not named or line["subjectId"] == named[0], f"{field} says to what"
    assert unchanged <= WITHOUT_A_ROW
    to.settle_journal()
    assert to.read(ledger_proof.verify) == []


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_with_one_scope_opens_what_names_it_and_nothing_else(cast: Cast, extent: Extent, scope: Scope) -> None:
    to = cast.deployment
    to.let_in(scope.name, to.do("admin", "apiKeyCreate", "token", label=scope, scopes=[scope.name])["token"])
    for use in share_of(cast, extent, USES, list(Scope).index(scope)):
        scopes = scopes_of("Query" if use in QUERIES else "Mutation", use.split()[0])
        if scopes and use != "apiKeyRevoke":
            door = door_of(use)
            outcome = outcome_of(to.answer(scope.name, door.document, **door.variables(cast)))
            assert outcome == ("yes" if scope in {*scopes, Scope.ADMIN} else "403"), use


@pytest.mark.parametrize("who", VIEWERS)
def test_a_socket_lets_in_whom_the_table_says(cast: Cast, who: str) -> None:
    with cast.deployment.socket(who) as socket:
        for use in (*OVER_STREAMS, *MOVES_OVER_STREAMS):
            assert outcome_of(over_socket(socket, use, door_of(use), cast)) == expected(use)[who], use


@pytest.mark.parametrize("who", VIEWERS)
def test_a_stream_lets_in_whom_the_table_says(cast: Cast, who: str) -> None:
    for use in (*OVER_STREAMS, *MOVES_OVER_STREAMS):
        door = door_of(use)
        with cast.deployment.clients[who].events(door.document, **door.variables(cast)) as stream:
            first = stream.next()
        assert first is not None, use
        assert outcome_of(answer_of(first.data)) == expected(use)[who], use


def over_socket(socket: Socket, name: str, door: Door, cast: Cast) -> Answer:
    """The answer to one operation that ends by itself."""
    socket.subscribe(name, door.document, **door.variables(cast))
    message = socket.receive()
    assert message["id"] == name
    if message["type"] == "error":
        return answer_of({"errors": message["payload"]})
    assert socket.receive() == {"id": name, "type": "complete"}
    return answer_of(message["payload"])
