"""Who sees which object and which of its fields; what a viewer may not see cannot be told from what is not there."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType
from tests.api import ledgers
from tests.api.cast import VIEWERS, Cast
from tests.api.deployment import absent_of, graph
from tests.api.doors import INPUTS, door_of

from shoutgraph.api.graphql.rooms import ROOMS

STRANGERS: Final = ("anonymous", "other_fan", "other_creator")
"""They are no side of anything that the fan and the creator have."""

NODES: Final = """
of            anonymous  fan    other_fan  creator  other_creator  moderator  finance  service  admin

user          -          yes    -          -        -              -          -        -        yes
creator       yes        yes    yes        yes      yes            yes        yes      yes      yes
offer         yes        yes    yes        yes      yes            yes        yes      yes      yes
offer_off     -          -      -          yes      -              -          -        -        yes
package       yes        yes    yes        yes      yes            yes        yes      yes      yes
order         -          yes    -          yes      -              yes        yes      yes      yes
order_draft   -          yes    -          -        -              yes        yes      yes      yes
video         -          -      -          yes      -              yes        -        -        yes
topup         -          yes    -          -        -              -          yes      -        yes
wallet        -          yes    -          -        -              -          yes      -        yes
payout        -          -      -          yes      -              -          yes      -        yes
recipient     -          -      -          yes      -              -          yes      -        yes
batch         -          -      -          -        -              -          yes      -        yes
bankfile      -          -      -          -        -              -          yes      -        yes
refund        -          -      -          -        -              -          yes      -        yes
resolution    -          -      -          -        -              -          yes      -        yes
giftcard      -          yes    -          -        -              -          yes      -        yes
promotion     -          -      -          -        -              -          yes      -        yes
sticker       yes        yes    yes        yes      yes            yes        yes      yes      yes
gift          -          yes    -          yes      -              yes        yes      -        yes
rating        yes        yes    yes        yes      yes            yes        yes      yes      yes
campaign      yes        yes    yes        yes      yes            yes        yes      yes      yes
campaign_proposed -      -      -          yes      -              -          yes      -        yes
waitlist      -          yes    -          yes      -              yes        yes      yes      yes
sample        yes        yes    yes        yes      yes            yes        yes      yes      yes
attachment    -          yes    -          yes      -              yes        -        -        yes
rating_hidden -          yes    -          yes      -              yes        yes      yes      yes
report        -          yes    -          yes      -              yes        -        -        yes
export        -          yes    -          -        -              -          -        -        -
erasure       -          yes    -          -        -              -          -        -        yes
endpoint      -          -      -          -        -              -          -        -        yes
delivery      -          -      -          -        -              -          -        -        yes
audit         -          -      -          -        -              -          -        -        yes
"""
"""Things of the fan and the creator, by the prefix of their ids. The fan finds a video through its order."""

FIELDS: Final = """
of                          anonymous  fan    other_fan  creator  other_creator  moderator  finance  service  admin

Order.brief                 -          yes    -          yes      -              yes        yes      yes      yes
Order.fanName               -          yes    -          yes      -              yes        yes      yes      yes
Order.offer                 -          -      -          yes      -              -          -        -        yes
Order.video                 -          yes    -          yes      -              yes        -        -        yes
Order.statements            -          yes    -          yes      -              yes        yes      yes      yes
Order.sample                -          yes    -          yes      -              yes        yes      yes      yes
Order.checklist             -          yes    -          yes      -              yes        yes      yes      yes
Order.deliveryNote          -          yes    -          yes      -              yes        -        -        yes
Order.licence               -          yes    -          yes      -              yes        yes      yes      yes
Order.redoItem              -          yes    -          yes      -              yes        yes      yes      yes
Order.voiceNote             -          yes    -          yes      -              yes        -        -        yes
DisputeStatement.missing    -          yes    -          yes      -              yes        yes      yes      yes
Order.evidence              -          yes    -          yes      -              yes        -        -        yes
Attachment.open             -          yes    -          yes      -              yes        -        -        yes
ChecklistItem.ticked        -          yes    -          yes      -              yes        -        -        yes
Order.availableTransitions  -          yes    -          -        -              -          -        -        yes
Order.rating                -          yes    -          yes      -              yes        yes      yes      yes
Order.adjustments           -          yes    -          yes      -              yes        yes      yes      yes
OrderAdjustment.note        -          -      -          -        -              -          yes      -        yes
OrderAdjustment.proposedBy  -          -      -          -        -              -          yes      -        yes
OrderAdjustment.decidedBy   -          -      -          -        -              -          yes      -        yes
Report.explanation          -          yes    -          -        -              yes        -        -        yes
Report.appeal               -          yes    -          -        -              yes        -        -        yes
Rating.orderId              -          yes    -          yes      -              yes        yes      yes      yes
Rating.decisions            -          yes    -          yes      -              yes        yes      yes      yes
Creator.offers              -          -      -          yes      -              -          -        -        yes
Video.watch                 -          yes    -          yes      -              yes        -        -        yes
Video.poster                -          yes    -          yes      -              yes        -        -        yes
TopUp.nextAction            -          yes    -          -        -              -          -        -        -
Wallet.lots                 -          yes    -          -        -              -          yes      -        yes
Wallet.statement            -          yes    -          -        -              -          yes      -        yes
StatementLine.order         -          yes    -          -        -              -          yes      -        yes
StatementLine.gift          -          yes    -          -        -              -          yes      -        yes
StatementLine.lots          -          yes    -          -        -              -          yes      -        yes
Earnings.statement          -          -      -          yes      -              -          yes      -        yes
Earnings.items              -          -      -          yes      -              -          yes      -        yes
Payout.recipient            -          -      -          yes      -              -          yes      -        yes
Viewer.user                 -          yes    yes        yes      yes            -          -        -        -
Viewer.creator              -          -      -          yes      yes            -          -        -        -
Viewer.wallet               -          yes    yes        yes      yes            -          -        -        -
Viewer.scopes               -          -      -          -        -              yes        yes      yes      yes
"""
"""Fields whose value depends on who asks: who gets one, for things of the fan and the creator. The offer is off sale,
the order is delivered, its video waits for the fan, and only its fan and an admin could move it now."""

ELSEWHERE: Final = frozenset(
    {
        "OrderStatusChangedEvent.order",
        "RatingChangedEvent.rating",
        "Video.manifest",
        "Video.watermarked",
        "BankFile.download",
        "GiftRank.giverName",
        "GiftRank.mine",
        "GiftCard.topUpId",
        "Quote.missingCoins",
        "Quote.topUpCoins",
        "Quote.missingMoney",
        "Viewer.isAuthenticated",
        "Viewer.waitlistEntries",
        "Viewer.features",
        "Viewer.dataExport",
        "Viewer.erasure",
        "Creator.payoutHolds",
        "Campaign.offers",
        "Creator.sellerReport",
        "Viewer.closure",
    }
)
"""Fields that depend on who asks and have tests of their own below, or where their events are tested."""

SAME_FOR_ALL: Final[Mapping[str, str]] = {
    "Attachment": "id purpose side usedRevision status medium mediaType sizeBytes durationMilliseconds rejection "
    "preview",
    "AttachmentTarget": "attachment url expiresAt",
    "ChecklistItem": "key kind text",
    "ApiKey": "id label scopes createdAt revokedAt",
    "AuditChange": "subjectId field before after",
    "AuditLine": "id actor action subjectId reason given changes words digest occurredAt",
    "AuditWord": "field text",
    "BankFile": "id providerCode direction status name mediaType sizeBytes sha256 madeAt madeBy summary",
    "BankFileLink": "url expiresAt",
    "BankFileSummary": "appliedCount repeatedCount foreignCount ignoredCount foreignEntries problem",
    "Campaign": "id revision name startsAt endsAt endedAt price discountBasisPoints acceptSeconds deliverySeconds "
    "feeBasisPoints ordersMax ordersCount countries createdAt decidedAt note state creator",
    "ReportChangedEvent": "id cursor occurredAt reportId kind status revision report",
    "CampaignChangedEvent": "id cursor occurredAt campaignId campaignRevision kind state campaign",
    "ClientAction": "secret publishableKey",
    "CoinLot": "id kind granted remaining price country topUpId grantedAt expiresAt",
    "CoinPackage": "id version coins bonusCoins price country platform rate storeCode",
    "CoinPrice": "coins price coinsMin coinsMax",
    "Count": "value precision",
    "Creator": "id revision handle name bio avatarUrl categories languages country open pausedUntil openOrdersMax "
    "featured priceFrom createdAt rating takesOrders takesGifts capacity reputation campaigns "
    "namedInProofs samples",
    "CreatorCapacity": "open max kept waiting free",
    "DataExport": "id status requestedAt readyAt expiresAt sizeBytes sha256 download",
    "DataExportLink": "url expiresAt",
    "Closure": "userId status requestedAt revocableUntil begunAt endedAt forfeitsPromo steps",
    "ClosureBlock": "code remedy message until",
    "ClosureStep": "key status since blockedBy",
    "CoinDormancy": "noticeSentAt inactiveSince lapsesAt coins outcome country policyVersion",
    "LapseTotals": "outcome lotCount coins returned worth",
    "Debt": "userId coins worth lock proposed",
    "DebtWriteOff": "id userId status coins evidence proposedBy proposedAt decidedBy decidedAt",
    "Deadline": "transition dueAt remainingSeconds returnsCoins",
    "DisputeStatement": "revision side text saidAt ground",
    "EarnedAmount": "coins money",
    "Earning": "id kind subjectId status price fee earned remaining earnedAt maturesAt reserved reservedUntil",
    "SellerReport": "creatorId year country reportable outcome rule total quarters taxProfile",
    "SellerReportQuarter": "number orderCount giftCount gross fee compensation refunded refundedFee payoutCount "
    "paidOut returned",
    "SellerReportRule": "name saleCount amountAbove bothNeeded basis source",
    "EarningsLine": "kind code words ref part coins balance at orderId giftId payoutId",
    "LotPart": "lotId topUpId coins worth",
    "Earnings": "pending available inPayout paid reserved nextReleaseAt heldUntil",
    "Erasure": "id status requestedAt dueAt blockers endedAt",
    "Explanation": "rule source policyVersion inputs outcome words",
    "ExplanationFact": "name value unit",
    "FeatureChange": "feature provider before after changedBy changedAt reason",
    "FeatureChangedEvent": "id cursor occurredAt feature provider version removed",
    "FeatureRule": "id version feature provider enabled shareBasisPoints countriesOn countriesOff "
    "allowUserIds denyUserIds startsAt endsAt changedBy changedAt reason",
    "FeatureState": "feature provider on reason",
    "ExchangeRate": "currency bookCurrency version numerator denominator spreadBasisPoints source observedAt "
    "effectiveAt",
    "Gift": "id quantity price fee earning message messageHidden liveSession sentAt thankedAt thanks creator sticker "
    "giverName",
    "GiftCatalogue": "stickers feeBasisPoints giftMax dayMax quantityMax messageCharsMax",
    "GiftChangedEvent": "id cursor occurredAt giftId kind quantity price gift",
    "GiftRank": "rank coins giftCount",
    "InstructionsAction": "lines qr",
    "Money": "minorUnits currency exponent",
    "SuspenseLine": "id revision status provider line reference amount madeAt foundAt ageSeconds place reason"
    " proposedBy proposedAt decidedBy endedAt alertedAt",
    "LedgerAdjustment": "id status reason caseReference legs proposedBy proposedAt decidedBy decidedAt",
    "LedgerLeg": "debit credit amount",
    "MoneyResolution": "id kind subjectId verdict evidence proposedBy proposedAt status decidedBy decidedAt",
    "Offer": "id revision occasion title price durationMaxSeconds deliveryDays expressSurcharge businessSurcharge "
    "active createdAt creator",
    "Order": "id revision status price express expressSurcharge businessSurcharge promoCoins refunded "
    "durationMaxSeconds createdAt updatedAt submittedAt acceptedAt uploadedAt deliveredAt closedAt closeReason reason "
    "note redo redoGround waitingFor frozen extensionSeconds extended creator deadlines policy split campaign",
    "OrderAdjustment": "id orderId kind status reason coins paidCoins promoCoins creatorCoins feeCoins proposedAt "
    "decidedAt",
    "OrderBrief": "occasion recipientName forSelf pronunciation instructions mustSay mustNotSay language usage "
    "visibility pronouns",
    "OrderCampaign": "listPrice price feeBasisPoints acceptSeconds deliverySeconds campaign number",
    "OrderStatusChangedEvent": "id cursor occurredAt orderId orderRevision transition actor previousStatus status",
    "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
    "Payout": "id revision status coins amount creatorId providerCode holdCode note failureCode review createdAt "
    "updatedAt paidAt holds exchange",
    "PayoutBatch": "id providerCode status ref attemptCount alarm createdAt exportedAt handedOverAt handedOverBy "
    "answeredAt parts files",
    "PayoutBatchPart": "status count total",
    "PayoutExchange": "gross spreadBasisPoints spread rate",
    "PayoutProvider": "code label",
    "PayoutQuote": "amount sent exchange exchangeHoldsUntil fee arrives expiresAt",
    "PayoutRecipient": "id providerCode label currency refEnding status code nextAction createdAt removedAt",
    "PayoutRecipientAction": "url expiresAt",
    "PayoutRequirement": "name label pattern secret required",
    "PayoutStatusChangedEvent": "id cursor occurredAt payoutId payoutRevision previousStatus status payout",
    "Policy": "version feeBasisPoints screeningSeconds acceptSeconds deliverySeconds expressSeconds reviewLateSeconds "
    "reviewSeconds confirmSeconds redoSeconds disputeSilenceSeconds disputeSeconds earningsHoldSeconds payoutMin "
    "payoutDayMax ratingSeconds ratingEditSeconds coinPar",
    "GiftCardIssue": "id status coins cardCount expiresAt reason caseReference proposedBy proposedAt decidedBy "
    "decidedAt",
    "GiftCard": "id coins status origin codeEnding message recipientName createdAt expiresAt endedAt redeemableSince",
    "Promotion": "id label kind amount amountMax startsAt endsAt endedAt usesMax codeUsesMax userUsesMax useCount "
    "countries firstPurchaseOnly coinsMin lifeSeconds createdAt createdBy reason",
    "PriceList": "version status effectiveAt endedAt publishedAt publishedBy reason packageCount warnings",
    "PriceListMarket": "packages unitPrice unitCoins",
    "PriceListPackage": "coins bonusCoins price storeCode",
    "PriceListWarning": "hole country currency platform coins message",
    "PolicyValue": "name value",
    "PolicyVersion": "policy changed publishedAt publishedBy reason",
    "PriceSplit": "fee earning earningMoney",
    "ProviderHealth": "code plugin kind label state detail openBreakers lastSuccessAt lastFailureAt lastWebhookAt "
    "openCount unresolvedCount",
    "Quote": "offer creator base express business licence total money acceptSeconds deliverySeconds split policy "
    "listPrice campaign",
    "Rating": "id revision stars opinion reply hidden ratedAt editedAt editableUntil repliedAt replyEditableUntil "
    "creator",
    "RatingBucket": "stars count",
    "RatingChangedEvent": "id cursor occurredAt ratingId ratingRevision transition actor stars hidden",
    "RatingDecision": "hidden reason note decidedAt",
    "RatingSummary": "averageHundredths sum count histogram",
    "Report": "id revision kind subjectId ground status filedAt dueAt appealedAt appealedBy decisions",
    "ReportDecision": "id action upheld basis rule facts automated redress decidedAt appealUntil",
    "Reputation": "countedSince new sampleMinCount responseTimeSeconds requestCount acceptance onTime completion redo "
    "badges",
    "ReputationRate": "shareBasisPoints count sampleCount",
    "RedirectAction": "url",
    "Sample": "id status publishedAt reason note durationMilliseconds width height watch poster",
    "StatementFile": "url expiresAt",
    "StatementLine": "kind code words ref coin coins balance at orderId giftId topUpId",
    "Sticker": "id key version name price tier asset active createdAt",
    "TopUp": "id revision status coins bonusCoins price discount providerCode nextActionExpiresAt refunded "
    "refundsFailed disputed declineCode review createdAt updatedAt package follows waiver withdrawals giftCard",
    "TopUpGiftCard": "status keptBecause message recipientName card",
    "TopUpProvider": "code label methods currency minAmount maxAmount refunds storeCode",
    "TopUpRefund": "id revision status topUpId amount coins reason requestedBy decidedBy failureCode needsReview "
    "createdAt updatedAt",
    "TopUpWaiver": "textVersion beginsAtOnceAt rightEndsAt",
    "TopUpWithdrawal": "id status topUpId amount coins bonusCoins failureCode createdAt updatedAt",
    "TopUpWithdrawalQuote": "available refusalCode withdrawable coins bonusCoins amount until",
    "TopUpStatusChangedEvent": "id cursor occurredAt topUpId topUpRevision previousStatus status topUp",
    "UnresolvedMoney": "kind subjectId providerCode amount coins status review providerRef startedAt verdicts proposed",
    "UploadTarget": "videoId url expiresAt",
    "PayoutStaffHold": "holdId creatorId payoutId reason until placedAt releasedAt",
    "PayoutWait": "code remedy message until reason holdId",
    "TaxProfile": "creatorId version kind legalName address country taxNumber birthDate registration certifiedAt",
    "SpendingGuard": "userId revision limits pending pausedUntil excludedUntil reviewSince",
    "SpendingLimits": "dayCoins weekCoins dayMoney weekMoney",
    "SpendingLimitsPending": "limits at",
    "User": "id revision displayName country locked createdAt birthDate birthDateAttested",
    "UserChangedEvent": "id cursor occurredAt userId kind by",
    "Video": "id status mediaType sizeBytes durationMilliseconds width height sha256 rejection",
    "VideoLink": "url expiresAt",
    "VideoManifest": "id text",
    "VideoRejection": "code message",
    "VideoVerification": "verdict compared variant deliveredAt creator",
    "Viewer": "",
    "WaitlistChangedEvent": "id cursor occurredAt waitlistEntryId entryRevision previousState state offeredUntil "
    "waitlistEntry",
    "WaitlistEntry": "id revision state joinedAt offeredAt offeredUntil position creator offer fanName",
    "Wallet": "id available promo held debt lock dormancy unclaimed",
    "WalletLock": "reason topUpId lockedAt",
    "WebhookAttempt": "number outcome status durationMilliseconds excerpt at",
    "WebhookDelivery": "id eventId eventType status attemptCount createdAt changedAt endpoint attempts",
    "WebhookEndpoint": "id revision url label eventTypes status disabledReason createdBy createdAt changedAt place "
    "secrets",
    "WebhookEndpointChangedEvent": "id cursor occurredAt endpointId status disabledReason revision endpoint",
    "WebhookHeader": "name value",
    "WebhookMessage": "url headers body",
    "WebhookPlace": "cursor behindCount failureCount failingSince nextAttemptAt",
    "WebhookSecret": "number createdAt expiresAt",
    "WatermarkedVideo": "status sha256 watch poster",
}
"""Fields that are the same for everybody who sees their object."""

_MADE_OF_THESE: Final = ("Payload", "Error", "Connection", "Edge")
"""Types that only carry the others."""

_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "Order.brief": ("DELIVERED", "... on Order { brief { recipientName instructions } }"),
    "Order.fanName": ("DELIVERED", "... on Order { fanName }"),
    "Order.offer": ("order_of_offer_off", "... on Order { offer { title } }"),
    "Order.video": ("DELIVERED", "... on Order { video { id } }"),
    "Order.statements": ("DISPUTED ANSWERED", "... on Order { statements { text } }"),
    "Order.sample": ("order_of_sample", "... on Order { sample { status } }"),
    "Order.checklist": ("order_told", "... on Order { checklist { text } }"),
    "Order.deliveryNote": ("order_told", "... on Order { deliveryNote }"),
    "Order.licence": ("order_told", "... on Order { licence }"),
    "Order.redoItem": ("order_told", "... on Order { redoItem { text } }"),
    "Order.voiceNote": ("order_told", "... on Order { voiceNote { mediaType } }"),
    "DisputeStatement.missing": ("order_told", "... on Order { statements { missing } }"),
    "Order.evidence": ("order_told", "... on Order { evidence { mediaType } }"),
    "Attachment.open": ("attachment", "... on Attachment { open { url } }"),
    "ChecklistItem.ticked": ("order_told", "... on Order { checklist { ticked } }"),
    "Order.availableTransitions": ("DELIVERED", "... on Order { availableTransitions }"),
    "Order.rating": ("order_rated_hidden", "... on Order { rating { stars } }"),
    "Order.adjustments": ("adjusted", "... on Order { adjustments { coins } }"),
    "OrderAdjustment.note": ("adjusted", "... on Order { adjustments { note } }"),
    "OrderAdjustment.proposedBy": ("adjusted", "... on Order { adjustments { proposedBy } }"),
    "OrderAdjustment.decidedBy": ("adjusted", "... on Order { adjustments { decidedBy } }"),
    "Report.explanation": ("report", "... on Report { explanation }"),
    "Report.appeal": ("report", "... on Report { appeal }"),
    "Rating.orderId": ("rating", "... on Rating { orderId }"),
    "Rating.decisions": ("rating_restored", "... on Rating { decisions { note } }"),
    "Video.watch": ("DELIVERED", "... on Order { video { watch { url } } }"),
    "Video.poster": ("DELIVERED", "... on Order { video { poster { url } } }"),
    "TopUp.nextAction": ("unpaid_topup", "... on TopUp { nextAction { __typename } }"),
    "Wallet.lots": ("wallet", "... on Wallet { lots(first: 1) { nodes { granted } } }"),
    "Wallet.statement": ("wallet", "... on Wallet { statement(first: 1) { nodes { coins } } }"),
    "StatementLine.gift": ("wallet", "... on Wallet { statement(last: 100) { nodes { gift { id } } } }"),
    "StatementLine.order": ("wallet", "... on Wallet { statement(last: 100) { nodes { order { id } } } }"),
    "StatementLine.lots": ("wallet", "... on Wallet { statement(first: 1) { nodes { lots { coins } } } }"),
    "Payout.recipient": ("payout", "... on Payout { recipient { label } }"),
}
"""Which thing, and what to ask of it."""

_QUESTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "Creator.offers": ("creator_profile", "creator(by: {id: $id}) { offers { active } }"),
    "Earnings.statement": ("creator_profile", "earnings(creatorId: $id) { statement(first: 1) { nodes { kind } } }"),
    "Earnings.items": ("creator_profile", "earnings(creatorId: $id) { items(first: 1) { nodes { kind } } }"),
    "Viewer.user": ("fan", "node(id: $id) { id } viewer { user { id } }"),
    "Viewer.creator": ("fan", "node(id: $id) { id } viewer { creator { id } }"),
    "Viewer.wallet": ("fan", "node(id: $id) { id } viewer { wallet { id } }"),
    "Viewer.scopes": ("fan", "node(id: $id) { id } viewer { scopes }"),
}
"""Whole questions, where a node is not the way."""


def read_table(table: str) -> dict[str, dict[str, str]]:
    """A table by its first column, by viewer."""
    header, *lines = [line.split() for line in table.splitlines() if line]
    assert tuple(header[1:]) == VIEWERS
    return {name: dict(zip(VIEWERS, columns, strict=True)) for name, *columns in lines}


_THINGS: Final[Mapping[str, str]] = {
    "user": "fan",
    "creator": "creator_profile",
    "offer": "creator_offer",
    "offer_off": "creator_spare_offer",
    "order": "IN_PRODUCTION",
    "order_draft": "DRAFT",
    "topup": "fan_topup",
    "recipient": "creator_recipient",
}
"""What the cast calls the things of NODES."""

NODE: Final = "query ($id: ID!) { node(id: $id) { id } }"
NODE_ROWS: Final = read_table(NODES)
FIELD_ROWS: Final = read_table(FIELDS)


def thing_of(cast: Cast, row: str) -> str:
    """The id of a thing of NODES."""
    return cast.ids[_THINGS.get(row, row)]


BATCH: Final = "INSERT INTO writer AS w"
"""The mark of a batch of somebody else's, which may be written meanwhile."""
PLANNED: Final = 3
"""A document that was asked so often is compiled; what raises is then run once more, by graphql-core."""


def asked(cast: Cast, who: str, document: str, **variables: object) -> tuple[object, list[str]]:
    """An answer without what is new in each, and the statements behind it without their values."""
    to = cast.deployment
    for _ in range(PLANNED):
        to.clients[who].post(document, **variables)
    body, statements = to.quietly(who, lambda: to.clients[who].post(document, **variables).json())
    return _lasting(body), [sql for sql in statements if not sql.startswith(BATCH)]


def refused(cast: Cast, who: str, document: str, given: Mapping[str, object]) -> Any:
    """The answer to one attempt, without what is new in each."""
    return _lasting(cast.deployment.clients[who].post(document, input=given).json())


def _lasting(body: dict[str, Any]) -> dict[str, Any]:
    """An answer without its request's id, and without what it cost and what is left."""
    body.pop("extensions", None)
    for error in body.get("errors", []):
        del error["extensions"]["requestId"]
    return body


def some(value: Any, wanted: Any = None) -> bool:
    """Whether there is a leaf that is not null, or the wanted one."""
    if isinstance(value, dict):
        return any(some(each, wanted) for each in value.values())
    if isinstance(value, list):
        return any(some(each, wanted) for each in value)
    return value is not None if wanted is None else value == wanted


def test_every_kind_of_node_is_in_the_table() -> None:
    assert {name.split("_")[0] for name in NODE_ROWS} == {prefix for room in ROOMS for prefix in room.nodes}


@pytest.mark.parametrize("row", NODE_ROWS)
def test_a_node_is_seen_by_whom_the_table_says(cast: Cast, row: str) -> None:
    thing = thing_of(cast, row)
    absent = absent_of(thing)
    for who, seen in NODE_ROWS[row].items():
        body, statements = asked(cast, who, NODE, id=thing)
        assert body == {"data": {"node": {"id": thing} if seen == "yes" else None}}, who
        both = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        nodes = cast.deployment.ask(who, both, ids=[absent, thing])["nodes"]
        assert nodes == [None, {"id": thing} if seen == "yes" else None], who
        if seen == "-":
            assert asked(cast, who, NODE, id=absent) == (body, statements), who


@pytest.mark.parametrize("prefix", ["event", "lot", "apikey", "earning", "dispute", "call", "nothing"])
def test_what_is_no_node_is_refused_whether_it_exists_or_not(cast: Cast, prefix: str) -> None:
    existing = cast.ids["api_key"] if prefix == "apikey" else absent_of(f"{prefix}_{'0' * 26}")
    for thing in (existing, absent_of(existing)):
        answer = cast.deployment.answer("admin", NODE, id=thing)
        assert (answer.code, answer.message) == ("BAD_USER_INPUT", "This is not the id of a node.")


@pytest.mark.parametrize("use", ["order", "order draft", "offer off sale", "quote off sale"])
def test_a_hidden_thing_is_answered_like_one_that_is_not_there(cast: Cast, use: str) -> None:
    door = door_of(use)
    thing = str(door.variables(cast)["id"])
    for who in STRANGERS:
        hidden = asked(cast, who, door.document, id=thing)
        absent = asked(cast, who, door.document, id=absent_of(thing))
        assert hidden == absent, who


@pytest.mark.parametrize("use", ["wallet of the fan", "earnings of the creator"])
def test_what_belongs_to_another_is_forbidden_before_it_is_looked_for(cast: Cast, use: str) -> None:
    door = door_of(use)
    thing = str(door.variables(cast)["id"])
    for who in ("anonymous", "other_fan", "other_creator", "moderator", "service"):
        hidden = asked(cast, who, door.document, id=thing)
        assert hidden == asked(cast, who, door.document, id=absent_of(thing)), who


PUBLIC: Final = {"orderDraft", "orderPlace", "giftSend", "waitlistJoin", "reportFile"}
"""Mutations of what everybody sees."""


@pytest.mark.parametrize("mutation", [name for name in INPUTS if name not in PUBLIC])
def test_a_mutation_tells_strangers_nothing_of_hidden_things(cast: Cast, mutation: str) -> None:
    door = door_of(mutation)
    for who in STRANGERS:
        given: Any = door.variables(cast)["input"]
        for name in (name for name in given if name.endswith("Id") and name != "packageId"):
            to = cast.deployment
            hidden = refused(cast, who, door.document, to.with_key(mutation, _fresh(given)))
            other = _fresh(given) | {name: absent_of(given[name])}
            absent = refused(cast, who, door.document, to.with_key(mutation, other))
            assert hidden == absent, f"{who} {name}"
            assert set(hidden["data"]) == {mutation}, "it was refused by the mutation"


@pytest.mark.parametrize("name", ["IN_PRODUCTION", "video", "gift", "rating_hidden"])
def test_a_report_tells_strangers_nothing_of_hidden_things(cast: Cast, name: str) -> None:
    door = door_of("reportFile")
    for who in STRANGERS:
        given: Any = _fresh(door.variables(cast)["input"])  # type: ignore[arg-type]
        for thing in (cast.ids[name], absent_of(cast.ids[name])):
            answer = refused(
                cast, who, door.document, cast.deployment.with_key("reportFile", given | {"subjectId": thing})
            )
            if who == "anonymous":
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
            else:
                [refusal] = answer["data"]["reportFile"]["errors"]
                assert (refusal["code"], refusal["path"]) == ("NOT_FOUND", ["input", "subjectId"]), who


@pytest.mark.parametrize("field", FIELD_ROWS)
def test_a_field_is_seen_by_whom_the_table_says(cast: Cast, field: str) -> None:
    if field in _LOOKS:
        name, shape = _LOOKS[field]
        document = f"query ($id: ID!) {{ node(id: $id) {{ {shape} }} }}"
    else:
        name, shape = _QUESTIONS[field]
        document = f"query ($id: ID!) {{ {shape} }}"
    found = {}
    for who in VIEWERS:
        data = cast.deployment.clients[who].post(document, id=cast.ids[name]).json()["data"]
        value = (data or {}).get("viewer", data)
        found[who] = "yes" if some(value, False if field == "Creator.offers" else None) else "-"
    assert found == FIELD_ROWS[field]


def test_why_money_waits_is_for_its_creator_and_those_who_read_finances(cast: Cast) -> None:
    document = "query ($id: ID!) { creator(by: {id: $id}) { payoutHolds { code } } }"
    held = cast.ids["other_creator_profile"]
    ledgers.payout_hold(cast.deployment, held)
    told = {who for who in VIEWERS if cast.deployment.ask(who, document, id=held)["creator"]["payoutHolds"]}
    assert told == {"other_creator", "finance", "admin"}


def test_every_field_is_the_same_for_all_or_in_the_table() -> None:
    listed = {f"{kind}.{field}" for kind, fields in SAME_FOR_ALL.items() for field in fields.split()}
    depends = set(FIELD_ROWS) | ELSEWHERE
    assert listed & depends == set()
    carried = {"Query", "Mutation", "Subscription"}
    kinds = {
        name: kind
        for name, kind in graph().type_map.items()
        if isinstance(kind, GraphQLObjectType)
        and not name.startswith("__")
        and not name.endswith(_MADE_OF_THESE)
        and name not in carried
    }
    assert {f"{name}.{field}" for name, kind in kinds.items() for field in kind.fields} == listed | depends
    assert set(SAME_FOR_ALL) == set(kinds)


def _fresh(given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if name != "idempotencyKey"}
