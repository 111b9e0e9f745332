"""One use of every root field: what is asked, and with which things of the cast."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tests.api import giving, hooks, ledgers, shops
from tests.api.cast import CERTIFIED, PAYOUT, PURCHASE, STEPS, Cast
from tests.api.deployment import mutation_of

Given = Callable[[Cast], dict[str, object]]
MARKET: Final = 'country: "DE", currency: "EUR"'
FROM_SHELF: Final = "IN_PRODUCTION"


@dataclass(frozen=True)
class Door:
    """A document and its variables, made for one attempt."""

    document: str
    variables: Given = lambda _cast: {}


def _of(name: str) -> Given:
    return lambda cast: {"id": cast.ids[name]}


def _one(field: str) -> str:
    return f"query ($id: ID!) {{ {field} {{ __typename }} }}"


def _page(field: str) -> str:
    return f"{{ {field} {{ nodes {{ __typename }} }} }}"


QUERIES: Final[Mapping[str, Door]] = MappingProxyType(
    {
        "node": Door(_one("node(id: $id)"), _of("creator_profile")),
        "nodes": Door(_one("nodes(ids: [$id])"), _of("creator_profile")),
        "viewer": Door("{ viewer { isAuthenticated } }"),
        "creators": Door(_page("creators(first: 1)")),
        "verifyVideo": Door('{ verifyVideo(sha256: "' + "0" * 64 + '") { verdict } }'),
        "creator": Door('{ creator(by: {handle: "creator"}) { id } }'),
        "offer": Door(_one("offer(id: $id)"), _of("creator_offer")),
        "offer off sale": Door(_one("offer(id: $id)"), _of("creator_spare_offer")),
        "quote": Door(_one(f"quote(offerId: $id, {MARKET})"), _of("creator_offer")),
        "quote off sale": Door(_one(f"quote(offerId: $id, {MARKET})"), _of("creator_spare_offer")),
        "coinPackages": Door(f"{{ coinPackages({MARKET}) {{ id }} }}"),
        "coinPrice": Door(f'{{ coinPrice(coins: "70", {MARKET}) {{ coins }} }}'),
        "order": Door(_one("order(id: $id)"), _of("IN_PRODUCTION")),
        "order draft": Door(_one("order(id: $id)"), _of("DRAFT")),
        "orders": Door(_page("orders(first: 1)")),
        "orders received": Door(_page("orders(first: 1, role: CREATOR)")),
        "orders anyone's": Door(_page("orders(first: 1, role: ANYONE)")),
        "moderationQueue": Door(_page("moderationQueue(queue: SCREENING, first: 1)")),
        "orderEvents": Door(_page("orderEvents(first: 1)")),
        "ratings": Door(_one("ratings(of: {id: $id}, first: 1)"), _of("creator_profile")),
        "ratings hidden": Door(_one("ratings(of: {id: $id}, first: 1, hidden: true)"), _of("creator_profile")),
        "ratingEvents": Door(_page("ratingEvents(first: 1)")),
        "waitlist": Door(_page("waitlist(first: 1)")),
        "waitlist of the creator": Door(_one("waitlist(creatorId: $id, first: 1)"), _of("creator_profile")),
        "campaigns": Door(_page("campaigns(first: 1)")),
        "campaignEvents": Door(_page("campaignEvents(first: 1)")),
        "waitlistEvents": Door(_page("waitlistEvents(first: 1)")),
        "topUpProviders": Door(f'{{ topUpProviders(coins: "7000", {MARKET}) {{ code }} }}'),
        "topUpEvents": Door(_page("topUpEvents(first: 1)")),
        "topUps": Door(_page("topUps(first: 1)")),
        "topUps everyone's": Door(_page("topUps(first: 1, everyone: true)")),
        "topUpWithdrawalQuote": Door(_one("topUpWithdrawalQuote(topUpId: $id)"), _of("fan_large_topup")),
        "topUpRefunds": Door(_page("topUpRefunds(first: 1)")),
        "orderAdjustments": Door("{ orderAdjustments(first: 1, status: PROPOSED) { nodes { id } } }"),
        "closures": Door("{ closures(first: 1) { nodes { userId } } }"),
        "debts": Door("{ debts(first: 1) { nodes { userId } } }"),
        "giftCardIssues": Door(_page("giftCardIssues(first: 1)")),
        "giftCardsOfIssue": Door(
            "query ($id: ID!) { giftCardsOfIssue(giftCardIssueId: $id, first: 1) { nodes { id } } }",
            lambda cast: {"id": giving.proposed_issue(cast)["giftCardIssueId"]},
        ),
        "suspenseLines": Door("{ suspenseLines(first: 1) { nodes { id } } }"),
        "ledgerAdjustments": Door("{ ledgerAdjustments(first: 1) { nodes { id } } }"),
        "moneyUnresolved": Door("{ moneyUnresolved(first: 1) { nodes { subjectId } } }"),
        "walletStatementExport": Door("{ walletStatementExport { url } }"),
        "walletStatementExport of the fan": Door(_one("walletStatementExport(userId: $id)"), _of("fan")),
        "earningsStatementExport": Door("{ earningsStatementExport { url } }"),
        "earningsStatementExport of the creator": Door(
            _one("earningsStatementExport(creatorId: $id)"), _of("creator_profile")
        ),
        "wallet": Door("{ wallet { id } }"),
        "wallet of the fan": Door(_one("wallet(userId: $id)"), _of("fan")),
        "earnings": Door("{ earnings { paid { coins } } }"),
        "earnings of the creator": Door(_one("earnings(creatorId: $id)"), _of("creator_profile")),
        "payoutProviders": Door("{ payoutProviders { code } }"),
        "payoutRecipients": Door("{ payoutRecipients { id } }"),
        "payouts": Door(_page("payouts(first: 1)")),
        "payouts everyone's": Door(_page("payouts(first: 1, everyone: true)")),
        "payoutEvents": Door(_page("payoutEvents(first: 1)")),
        "payoutBatches": Door(_page("payoutBatches(first: 1)")),
        "payoutBatch": Door(_one("payoutBatch(id: $id)"), _of("batch")),
        "bankFiles": Door(_page("bankFiles(first: 1)")),
        "payoutRecipientRequirements": Door(
            f'{{ payoutRecipientRequirements(providerCode: "sandbox-payouts", {MARKET}) {{ name }} }}'
        ),
        "payoutQuote": Door(_one('payoutQuote(coins: "1000", recipientId: $id)'), _of("creator_recipient")),
        "taxProfile": Door("{ taxProfile { version } }"),
        "taxProfile of the creator": Door(
            "query ($id: ID!) { taxProfile(creatorId: $id) { version } }", _of("creator_profile")
        ),
        "sellerReport": Door("{ sellerReport(year: 2026, first: 1) { nodes { creatorId } } }"),
        "providerHealth": Door("{ providerHealth { code } }"),
        "payoutQueue": Door(_page("payoutQueue(first: 1)")),
        "spendingGuard": Door("{ spendingGuard { revision } }"),
        "spendingReviews": Door("{ spendingReviews { userId } }"),
        "userEvents": Door(_page("userEvents(first: 1)")),
        "giftCatalogue": Door("{ giftCatalogue { feeBasisPoints } }"),
        "giftEvents": Door(_page("giftEvents(first: 1)")),
        "giftRanking": Door(
            "query ($id: ID!) { giftRanking(creatorId: $id, first: 1) { nodes { rank } } }", _of("creator_profile")
        ),
        "giftCards": Door(_page("giftCards(first: 1)")),
        "exchangeRate": Door('{ exchangeRate(currency: "USD", at: "2999-01-01T00:00:00Z") { version } }'),
        "exchangeRates": Door(_page('exchangeRates(currency: "USD", first: 1)')),
        "promotions": Door(_page("promotions(first: 1)")),
        "priceLists": Door(_page("priceLists(first: 1)")),
        "priceListMarket": Door(f"{{ priceListMarket(version: 1, {MARKET}) {{ packages {{ coins }} }} }}"),
        "policy": Door("{ policy { version } }"),
        "policyValues": Door("{ policyValues { name } }"),
        "policies": Door("{ policies(first: 1) { nodes { reason } } }"),
        "explainRefund": Door(_one("explainRefund(orderId: $id)"), _of("IN_PRODUCTION")),
        "explainDeadline": Door(_one("explainDeadline(orderId: $id)"), _of("IN_PRODUCTION")),
        "explainPayoutHold": Door("{ explainPayoutHold { rule } }"),
        "explainPayoutHold of the creator": Door(_one("explainPayoutHold(creatorId: $id)"), _of("creator_profile")),
        "explainPayoutHold of a payout": Door(_one("explainPayoutHold(payoutId: $id)"), _of("payout")),
        "explainDormancy": Door("{ explainDormancy { rule words } }"),
        "lapseTotals": Door("{ lapseTotals { outcome coins } }"),
        "explainPrice": Door(_one(f"explainPrice(offerId: $id, {MARKET})"), _of("creator_offer")),
        "featureRules": Door("{ featureRules { version } }"),
        "featureChanges": Door(_page("featureChanges(first: 1)").replace("id", "reason")),
        "featureEvents": Door(_page("featureEvents(first: 1)")),
        "webhookEventTypes": Door("{ webhookEventTypes }"),
        "webhookEndpoints": Door(_page("webhookEndpoints(first: 1)")),
        "webhookDeliveries": Door(_page("webhookDeliveries(first: 1)")),
        "webhookEndpointEvents": Door(_page("webhookEndpointEvents(first: 1)")),
        "apiKeys": Door("{ apiKeys { id } }"),
        "reportEvents": Door(_page("reportEvents(first: 1)")),
        "reports": Door(_page("reports(first: 1)")),
        "reports everyone's": Door(_page("reports(first: 1, everyone: true)")),
        "auditTrail": Door(_page("auditTrail(first: 1)")),
        "serverTime": Door("{ serverTime }"),
    }
)
"""Reads. What follows the field's name says which use of it."""


def _moved(mutation: str) -> Given:
    def given(cast: Cast) -> dict[str, object]:
        return cast.given(mutation, cast.shelf(STEPS[mutation].source))

    return given


def _wish(cast: Cast) -> dict[str, object]:
    return cast.wish()


def _held_refund(cast: Cast) -> dict[str, object]:
    return {"refundId": ledgers.held_refund(cast.deployment, cast.ids["other_fan_topup"])}


def _payout(cast: Cast) -> dict[str, object]:
    return {"payoutId": cast.shelf("PAYOUT")["id"]}


def _ruled(cast: Cast) -> dict[str, object]:
    """A rule that is there, and changes nothing for anyone."""
    cast.deployment.do("admin", "featureRuleSet", "rule { version }", **_RULE)
    return dict(_RULE)


def _hook(cast: Cast, first: str) -> str:
    """The endpoint, once this was done to it."""
    of = _hooked(cast)
    cast.deployment.do("admin", f"webhookEndpoint{first}", "endpoint { id }", **of)
    return str(of["webhookEndpointId"])


def _hooked(cast: Cast) -> dict[str, object]:
    return {"webhookEndpointId": cast.ids["endpoint"]}


def _unpaid(cast: Cast) -> str:
    """A top-up of the fan's that nobody has paid."""
    made = cast.deployment.do("fan", "topUpCreate", "topUp { id }", buy={"coins": "70"}, **PURCHASE)
    return str(made["topUp"]["id"])


_RULE: Final = {"feature": "TOPUPS", "provider": "sandbox", "reason": "a look at who may"}
_RECIPIENT: Final = {"providerCode": "sandbox-payouts", "label": "Another account", "ref": "DE00SANDBOX0002"}
_REASONS: Final = {"basis": "TERMS", "rule": "section 4", "facts": "It is as it is."}


def _filed(cast: Cast) -> dict[str, object]:
    said = {"ground": "SPAM", "explanation": "It is an advertisement.", "goodFaith": True}
    return {"subjectId": cast.ids["creator_profile"], **said}


_OFFER: Final = {"occasion": "BIRTHDAY", "title": "A poem", "price": "300", "durationMaxSeconds": 60, "deliveryDays": 7}
_PROFILE: Final = {"name": "X", "country": "DE", "categories": ["ACTOR"], "languages": ["en"]}

INPUTS: Final[Mapping[str, Given]] = MappingProxyType(
    {
        "userUpdate": lambda _cast: {"country": "DE"},
        "reportFile": _filed,
        "reportDecide": lambda cast: {"reportId": ledgers.report(cast, "OPEN"), "action": "NONE", **_REASONS},
        "reportAppeal": lambda cast: {"reportId": ledgers.report(cast, "OPEN"), "text": "It is wrong."},
        "reportAppealDecide": lambda cast: {"reportId": ledgers.report(cast, "APPEALED"), "upheld": True, **_REASONS},
        "dataExportRequest": lambda cast: ledgers.no_export(cast.deployment),
        "closureRequest": lambda _cast: {"confirm": False},
        "closureCancel": lambda _cast: {"confirm": True},
        "erasureRequest": lambda _cast: {"confirm": False},
        "erasureCancel": lambda cast: {"erasureId": ledgers.waiting_erasure(cast.deployment, cast.ids["fan"])},
        "creatorRegister": lambda _cast: {"handle": "no handle", **_PROFILE},
        "creatorUpdate": lambda _cast: {},
        "creatorOpen": lambda _cast: {},
        "creatorPause": lambda _cast: {"until": "2020-01-01T00:00:00Z"},
        "creatorFeature": lambda cast: {"creatorId": cast.ids["creator_profile"], "featured": False},
        "offerCreate": lambda _cast: dict(_OFFER),
        "offerUpdate": lambda cast: {"offerId": cast.ids["creator_offer"]},
        "offerActivate": lambda cast: {"offerId": cast.ids["creator_offer"]},
        "offerDeactivate": lambda cast: {"offerId": cast.ids["creator_spare_offer"]},
        "orderDraft": _wish,
        "orderPlace": _wish,
        "orderUploadCreate": lambda cast: {
            "orderId": cast.shelf(FROM_SHELF)["id"],
            "sizeBytes": "1000",
            "mediaType": "video/mp4",
        },
        "orderAttachmentCreate": lambda cast: {
            "orderId": cast.shelf("SCREENING")["id"],
            "purpose": "VOICE_NOTE",
            "sizeBytes": "1000",
            "mediaType": "audio/ogg",
        },
        **{mutation: _moved(mutation) for mutation in STEPS},
        "orderRate": lambda cast: {"orderId": cast.shelf("COMPLETED")["id"], "stars": 5},
        "samplePublish": lambda cast: {"orderId": cast.public()["id"]},
        "sampleWithdraw": lambda cast: {"sampleId": cast.sample()},
        "sampleTakeDown": lambda cast: {"sampleId": cast.sample(), "reason": "ABUSE", "note": "This is why."},
        "samplesArrange": lambda cast: {"sampleIds": [cast.ids["sample"]]},
        "ratingUpdate": lambda cast: {"ratingId": cast.ids["rating"], "stars": 5},
        "ratingReply": lambda cast: {"ratingId": cast.ids["rating"], "text": "Thank you."},
        "videoTakeDown": lambda cast: {
            "videoId": cast.video(cast.shelf("COMPLETED")["id"]),
            "reason": "LEGAL",
            "note": "This is why.",
        },
        "ratingHide": lambda cast: {
            "ratingId": cast.rated()["rating"]["id"],
            "reason": "ABUSE",
            "note": "This is why.",
        },
        "ratingRestore": lambda cast: {
            "ratingId": cast.hidden()["rating"]["id"],
            "reason": "APPEAL",
            "note": "This is why.",
        },
        "campaignCreate": lambda cast: cast.plan(creatorId=cast.ids["creator_profile"]),
        "campaignUpdate": lambda cast: {"campaignId": cast.ids["campaign"]},
        "campaignEnd": lambda cast: {"campaignId": cast.campaign()},
        "campaignApprove": lambda cast: {"campaignId": cast.campaign("PROPOSED")},
        "campaignDeny": lambda cast: {"campaignId": cast.campaign("PROPOSED"), "note": "Too little is left."},
        "waitlistJoin": lambda cast: {"offerId": cast.ids["resting_offer"]},
        "waitlistLeave": lambda cast: {"waitlistEntryId": cast.wait()},
        "topUpCreate": lambda _cast: {"buy": {"coins": "70"}, **PURCHASE},
        "topUpRedeem": lambda cast: {"providerCode": "sandbox", "packageId": cast.ids["package"], "proof": "receipt"},
        "topUpCancel": lambda cast: {"topUpId": _unpaid(cast)},
        "topUpWithdraw": lambda cast: {"topUpId": cast.ids["fan_large_topup"], "coins": "1"},
        "topUpRefund": lambda cast: {
            "topUpId": cast.ids["other_fan_topup"],
            "amount": {"minorUnits": "1"},
            "reason": "A kind word",
        },
        "topUpRefundApprove": _held_refund,
        "topUpRefundDeny": _held_refund,
        "moneyResolvePropose": lambda cast: {
            "subjectId": ledgers.stray(cast.deployment),
            "verdict": "CLOSED",
            "evidence": "line 7 of the statement",
        },
        "moneyResolveConfirm": lambda cast: {"resolutionId": ledgers.proposed(cast.deployment)},
        "moneyResolveReject": lambda cast: {"resolutionId": ledgers.proposed(cast.deployment)},
        "orderRefund": giving.refundable,
        "orderGoodwillPropose": giving.matured,
        "orderGoodwillApprove": giving.goodwill,
        "orderGoodwillDeny": giving.goodwill,
        "debtWriteOffPropose": giving.debt,
        "debtWriteOffConfirm": giving.write_off,
        "debtWriteOffReject": giving.write_off,
        "ledgerAdjustPropose": lambda _cast: giving.correction(),
        "ledgerAdjustConfirm": giving.proposed_correction,
        "ledgerAdjustReject": giving.proposed_correction,
        "giftCardIssuePropose": lambda cast: giving.issue(cast.deployment),
        "giftCardIssueConfirm": giving.proposed_issue,
        "giftCardIssueReject": giving.proposed_issue,
        "giftCardIssueVoid": lambda cast: {**giving.proposed_issue(cast), "reason": "They were lost."},
        "giftCardVoid": lambda cast: {"giftCardId": shops.card(cast.deployment)[0], "reason": "It was lost."},
        "suspensePropose": giving.placing,
        "suspenseConfirm": giving.placed,
        "suspenseReject": giving.placed,
        "giftSend": lambda cast: cast.present(),
        "giftThank": lambda cast: {"giftIds": [cast.ids["gift"]]},
        "walletUnlock": lambda cast: {"userId": cast.ids["fan"]},
        "payoutRecipientCreate": lambda _cast: dict(_RECIPIENT),
        "payoutRecipientRefresh": lambda cast: {"recipientId": cast.ids["creator_recipient"]},
        "payoutRecipientRemove": lambda cast: {"recipientId": cast.recipient("creator")},
        "payoutBatchHandOver": lambda cast: {"batchId": cast.batch()["batch"]},
        "payoutBatchDiscard": lambda cast: {"batchId": cast.batch()["batch"]},
        "payoutRequest": lambda cast: {"coins": str(PAYOUT), "recipientId": cast.ids["creator_recipient"]},
        "payoutCancel": _payout,
        "payoutApprove": _payout,
        "payoutHold": lambda cast: {**_payout(cast), "code": "RISK", "note": "A closer look."},
        "payoutDeny": lambda cast: {**_payout(cast), "note": "This is why."},
        "giftCardBuy": lambda _cast: {"coins": "70"},
        "walletKeep": lambda _cast: {},
        "walletReclaim": lambda _cast: {},
        "giftCardRedeem": lambda cast: {"code": shops.card(cast.deployment)[1]},
        "giftCardCode": lambda cast: {"giftCardId": shops.card(cast.deployment)[0]},
        "giftCardCancel": lambda cast: {"giftCardId": shops.card(cast.deployment)[0]},
        "priceRatePublish": lambda cast: shops.rated(cast.deployment),
        "promoCreate": lambda _cast: shops.promotion(codeCount=1),
        "promoEnd": lambda cast: {"promotionId": shops.coded(cast.deployment)[0]},
        "promoCodeRedeem": lambda cast: {"promoCode": shops.coded(cast.deployment)[1]},
        "pricePublish": lambda cast: shops.published(cast.deployment),
        "priceWithdraw": lambda cast: {"version": shops.scheduled(cast.deployment)},
        "policyPublish": lambda cast: {
            "expectedVersion": (seen := cast.rules())[0],
            "changes": [{"name": "upload_s", "value": seen[1]}],
            "reason": "We tried.",
        },
        "featureRuleSet": lambda _cast: dict(_RULE),
        "featureRuleRemove": _ruled,
        "webhookEndpointCreate": lambda _cast: dict(hooks.WISH),
        "webhookEndpointUpdate": lambda cast: {**_hooked(cast), "label": f"Nobody's, {cast.deployment.key()}"},
        "webhookEndpointPause": lambda cast: {"webhookEndpointId": _hook(cast, "Resume")},
        "webhookEndpointResume": lambda cast: {"webhookEndpointId": _hook(cast, "Pause")},
        "webhookEndpointDisable": lambda cast: {"webhookEndpointId": _hook(cast, "Pause")},
        "webhookSecretRotate": _hooked,
        "webhookReplay": lambda cast: hooks.replayed(cast.deployment, cast.ids["endpoint"]),
        "webhookTest": lambda cast: {**_hooked(cast), "dryRun": True},
        "taxProfileSet": lambda _cast: dict(CERTIFIED),
        "payoutHoldPlace": lambda cast: {
            "creatorId": cast.ids["other_creator_profile"],
            "reason": "A closer look.",
        },
        "payoutHoldRelease": lambda cast: {
            "holdId": ledgers.payout_hold(cast.deployment, cast.ids["other_creator_profile"]),
            "reason": "All is well.",
        },
        "creatorReserveSet": lambda cast: {
            "creatorId": cast.ids["other_creator_profile"],
            "reserveBasisPoints": ledgers.another_share(cast.deployment, cast.ids["other_creator_profile"]),
            "reason": "A closer look.",
        },
        "spendingLimitsSet": lambda _cast: {},
        "spendingPause": lambda _cast: {"days": 31},
        "spendingExclude": lambda _cast: {"days": 30},
        "spendingReviewClear": lambda cast: {
            "userId": ledgers.buying_too_fast(cast.deployment, cast.ids["hasty"]),
            "reason": "We called them.",
        },
        "userBirthDateCorrect": lambda cast: {"userId": cast.ids["fan"], "birthDate": "1990-01-01"},
        "userRegister": lambda _cast: {"displayName": "Someone", "country": "DE"},
        "apiKeyCreate": lambda _cast: {"label": "another", "scopes": ["ORDERS_READ"]},
        "apiKeyRevoke": lambda cast: {"apiKeyId": cast.ids["spare_api_key"]},
        "testClockAdvance": lambda _cast: {"seconds": 1},
    }
)
"""Writes: the input of one attempt, without its key."""


def door_of(name: str) -> Door:
    """The use of a root field."""
    if name in QUERIES:
        return QUERIES[name]
    given = INPUTS[name]

    def variables(cast: Cast) -> dict[str, object]:
        return {"input": cast.deployment.with_key(name, given(cast))}

    return Door(mutation_of(name, "__typename"), variables)
