"""Connect: the accounts of creators, and transfers to them."""

from typing import Final

from shoutgraph_stripe.simulator import checkout, forms
from shoutgraph_stripe.simulator.forms import Params
from shoutgraph_stripe.simulator.refusals import RefusedError
from shoutgraph_stripe.simulator.state import Thing, World

ACCOUNT: Final = "account"
TRANSFER: Final = "transfer"
LINK_S: Final = 5 * 60


def create_account(world: World, params: Params) -> Thing:
    """Makes an account of which nothing is known yet.

    Raises:
        RefusedError: it is asked for in another way than by `controller`.
    """
    forms.only(params, "country", "email", "controller", "capabilities", "metadata", "expand")
    controller = params.get("controller", {})
    if controller.get("losses", {}).get("payments") == "application" != controller.get("fees", {}).get("payer"):
        raise RefusedError("Who answers for losses pays the fees.", param="controller")
    account = world.make(
        "acct",
        ACCOUNT,
        capabilities=dict.fromkeys(params.get("capabilities", {}), "inactive"),
        charges_enabled=False,
        controller=controller,
        country=params.get("country", "US"),
        details_submitted=False,
        email=params.get("email"),
        metadata=checkout.metadata_of(params),
        payouts_enabled=False,
        requirements={"currently_due": ["external_account"], "past_due": [], "disabled_reason": None},
    )
    world.tell("account.updated", account, account=account["id"])
    return account


def link(world: World, params: Params) -> Thing:
    """A page on which an account is completed.

    Raises:
        RefusedError: there is no such account.
    """
    forms.only(params, "account", "type", "return_url", "refresh_url", "expand")
    account = world.get(params.get("account"), ACCOUNT, param="account")
    url = f"{world.base_url}/setup/{account['id']}"
    account["_return_url"] = params.get("return_url")
    return {"object": "account_link", "created": world.now(), "expires_at": world.now() + LINK_S, "url": url}


def complete(world: World, account: Thing) -> None:
    """The creator has told everything."""
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
    account.update(details_submitted=True, payouts_enabled=True)
    account["requirements"] = {"currently_due": [], "past_due": [], "disabled_reason": None}
    world.tell("account.updated", account, account=account["id"])


def restrict(world: World, account: Thing, reason: str) -> None:
    """Stripe wants to know more, or is done with this creator."""
    account["capabilities"] = dict.fromkeys(account["capabilities"], "inactive")
    account["payouts_enabled"] = False
    account["requirements"] = {"currently_due": ["document"], "past_due": ["document"], "disabled_reason": reason}
    world.tell("account.updated", account, account=account["id"])


def create_transfer(world: World, params: Params) -> Thing:
    """Sends money to an account.

    Raises:
        RefusedError: there is no such account, or it may not be paid, or there is not enough.
    """
    forms.only(params, "amount", "currency", "destination", "description", "metadata", "transfer_group", "expand")
    amount, currency = forms.whole(params, "amount"), str(params.get("currency", ""))
    checkout.require_amount(currency, amount)
    account = world.things.get(str(params.get("destination")))
    if account is None or account["object"] != ACCOUNT:
        raise RefusedError("No such destination.", code="resource_missing", param="destination")
    if account["capabilities"].get("transfers") != "active":
        raise RefusedError(
            "Your destination account needs to have the transfers capability enabled.",
            code="insufficient_capabilities_for_transfer",
        )
    if world.balance is not None and world.balance.get(currency, 0) < amount:
        raise RefusedError("You have insufficient available funds.", code="balance_insufficient")
    transfer = world.make(
        "tr",
        TRANSFER,
        amount=amount,
        amount_reversed=0,
        currency=currency,
        description=params.get("description"),
        destination=account["id"],
        livemode=False,
        metadata=checkout.metadata_of(params),
        reversals={"object": "list", "data": [], "has_more": False},
        reversed=False,
        transfer_group=params.get("transfer_group"),
    )
    if world.hidden_for is not None:
        transfer["_hidden_until"] = world.clock() + world.hidden_for
    if world.balance is not None:
        world.balance[currency] -= amount
    world.tell("transfer.created", transfer)
    return transfer


def reverse(world: World, transfer: Thing, amount: int | None = None) -> None:
    """Takes a transfer back, or a part of it."""
    back = transfer["amount"] - transfer["amount_reversed"] if amount is None else amount
    made = world.make("trr", "transfer_reversal", amount=back, currency=transfer["currency"], transfer=transfer["id"])
    transfer["amount_reversed"] += back
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, made)
    world.tell("transfer.reversed", transfer)
