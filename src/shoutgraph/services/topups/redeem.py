"""Redeeming what was bought in the store of a phone: the device has paid, and its receipt is turned into coins.

The intent and the receipt are stored first, then the store is asked, then its answer is booked as any other. The
store's own number of the purchase is unique among all top-ups of the instance, so a receipt credits once for ever,
whoever presents it. Source: docs/adr/0019-routing.md.
"""

from dataclasses import dataclass, field
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, ids
from shoutgraph.domain.features import Feature
from shoutgraph.domain.packages import ANYWHERE, Market, Package
from shoutgraph.domain.requests import Request
from shoutgraph.domain.topups.topup import Payload, Source, Status, Submission, Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.services.topups import apply, receipts, sights, terms, ways
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.submit import ANSWER_DUE
from shoutgraph.storage import features, packages as package_rows, policies, receipts as receipt_rows, topups, users
from shoutgraph.storage.receipts import Receipt
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

PROOF_CHARS_MAX: Final = 20_000
"""The longest receipt. A signed transaction with its certificates has 5 to 10 thousand characters."""

PROVIDER_PATH: Final = ("input", "providerCode")
PACKAGE_PATH: Final = ("input", "packageId")


@dataclass(frozen=True, slots=True)
class Claim:
    """A receipt for a package, and the store that it is of."""

    provider_code: str
    package_id: str
    proof: str = field(repr=False)
    country: str | None = None


async def redeem(
    tools: Tools, viewer: Viewer, request: Request, claim: Claim, *, reverse_orders: ReverseOrders
) -> Done[Topup]:
    """Turns a receipt into coins; the same receipt does it once, however often and by whom it is presented.

    A locked account can redeem, too, and so can somebody for whom buying is off: what they paid for is their own.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        ValidationError: the text is no package's id, the country does not fit, or the receipt is empty, too long or not
            plain text.
        NotFoundError: there is no such package in the stores of the caller's country.
        FeatureUnavailableError: this store is off for the caller by a rule of its own; the receipt stays good.
        ProviderUnavailableError: the store cannot be asked now; the receipt is good for another attempt.
        ProviderDeclinedError: the store does not know the receipt, or it was redeemed before.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    user_id = viewer.require_user()
    ids.parse(ids.PACKAGE, claim.package_id, path=PACKAGE_PATH)
    _check_proof(claim.proof)

    def work(tx: Tx) -> Topup:
        topup, receipt = _new(tools, tx, user_id, claim)
        topups.insert(tx, topup, look_at=topup.answer_due_at)
        receipt_rows.insert(tx, topup.id, receipt)
        apply.tell(tools, tx, topup, None)
        return topup

    done = await once(tools, request, work, topups.get)
    if done.replayed:
        return Done(_accepted(done.value, replayed=True), replayed=True)
    receipt = await tools.store.read(lambda tx: receipt_rows.find(tx, done.value.id))
    if receipt is None:  # this process stood still for so long that a look asked with it, and was answered
        return Done(_accepted(await tools.store.read(lambda tx: topups.get(tx, done.value.id)), replayed=False))
    outcome = await receipts.present(tools, done.value, receipt)

    def answer(tx: Tx) -> Topup:
        desk = apply.open_desk(tools, tx, reverse_orders)
        observation = sights.observation_of(outcome, at=tx.now)
        after = apply.observed(desk, topups.get(tx, done.value.id), observation, Source.ANSWER)
        receipts.forget_if_answered(tx, after)
        apply.look_again(tx, after, looks=0)
        return after

    return Done(_accepted(await tools.store.write(answer), replayed=False))


def _accepted(topup: Topup, *, replayed: bool) -> Topup:
    """The top-up, or the refusal that the store answered with."""
    if topup.status is not Status.FAILED or topup.declined_code is None:
        return topup
    refusal: errors.ShoutgraphError
    if topup.submission is Submission.NOT_EXECUTED:
        msg = f"The store cannot be asked now ({topup.declined_code}). Present the receipt again."
        refusal = errors.ProviderUnavailableError(msg, path=PROVIDER_PATH)
    else:
        refusal = errors.ProviderDeclinedError(decline_code=topup.declined_code, retryable=topup.retryable)
    refusal.replayed = replayed
    raise refusal


def _new(tools: Tools, tx: Tx, user_id: ids.UserId, claim: Claim) -> tuple[Topup, Receipt]:
    features.require_provider(tx, Feature.TOPUPS, user_id, claim.provider_code, path=PROVIDER_PATH)
    user = users.get(tx, user_id)
    package, market = _package(tx, claim, terms.country_of(claim.country, user.country))
    price = sdk.Money(package.price.minor, package.price.currency)
    way = tools.providers.topups.get(claim.provider_code)
    if way is None or package.product is None or not ways.redeems(way.caps, market, price):
        msg = "This provider does not redeem receipts for this package; ask topUpProviders which do."
        raise errors.ProviderUnavailableError(msg, path=PROVIDER_PATH)
    topup = Topup(
        id=ids.TopupId(tools.new_id(ids.TOPUP)),
        revision=1,
        user_id=user_id,
        instance=claim.provider_code,
        terms=terms.of_package(tx, package, market, policies.current(tx)),
        payload=Payload("", "", "", "", ""),
        created_at=tx.now,
        updated_at=tx.now,
        first_sent_at=tx.now,
        answer_due_at=tx.now + ANSWER_DUE,
    )
    return topup, Receipt(package.product, claim.proof)


def _package(tx: Tx, claim: Claim, country: str) -> tuple[Package, Market]:
    """What the receipt is for. Of a package that went off sale since, what is sold as the same product now.

    So nobody can choose the better of two versions; another price than the receipt's is a person's to look at.
    """
    missing = errors.NotFoundError("There is no such package in the stores of your country.", path=PACKAGE_PATH)
    (named,) = package_rows.list_of(tx, [claim.package_id])
    if named is None or named.product is None:
        raise missing
    market = Market(country, named.market.currency, named.market.platform)
    on_sale = package_rows.list_of_market(tx, market)
    found = next((each for each in on_sale if each.product == named.product), None)
    if found is None and named.market.country in {country, ANYWHERE}:
        found = named  # not sold any more: what was paid for it is owed
    if found is None:
        raise missing
    return found, market


def _check_proof(proof: str) -> None:
    path = ("input", "proof")
    if not proof:
        raise errors.ValidationError("proof is the receipt of the store.", code="EMPTY", path=path)
    if len(proof) > PROOF_CHARS_MAX:
        msg = f"proof has at most {PROOF_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="TOO_LONG", path=path)
    if not proof.isascii() or not proof.isprintable():
        msg = "proof is what the store gave: plain characters without control characters."
        raise errors.ValidationError(msg, code="INVALID_TEXT", path=path)
