"""Connected accounts: creators whom Stripe has to know before money can be sent to them.

Accounts are made with `controller` properties: Stripe asks what it has to know, on a page of its own, and we pay its
fees and answer for losses. Source: https://docs.stripe.com/connect/design-an-integration
"""

from collections.abc import Sequence
from typing import Final

import stripe
from stripe.params import AccountCreateParams, AccountLinkCreateParams, AccountListParams

from shoutgraph.sdk import (
    Call,
    Declined,
    Host,
    NeedsAction,
    NotExecuted,
    OnboardRequest,
    Ready,
    RecipientOutcome,
    Redirect,
    Requirement,
    Restricted,
    Unknown,
)
from shoutgraph_stripe import door, wire, words
from shoutgraph_stripe.shapes import AccountShape, AccountsShape, LinkShape
from shoutgraph_stripe.wire import Refused, moment

PAGE: Final = 100
PAGES_MAX: Final = 5
"""The most pages of accounts that are looked through for one that was begun before."""

EMAIL: Final = Requirement(
    "email", "E-mail address, which Stripe fills in for you", pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+", required=False
)
COUNTRIES: Final = frozenset(
    {"AE", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR"}
    | {"HK", "HR", "HU", "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "MX", "MY", "NL", "NO", "NZ", "PL", "PT", "RO"}
    | {"SE", "SG", "SI", "SK", "TH", "US"}
)
"""Where Stripe has accounts. Which of them a platform may pay depends on its own country: Stripe refuses the others.

Source: https://stripe.com/global
"""

ACTIVE: Final = "active"
INCOMPLETE: Final = "onboarding_incomplete"
DUE: Final = "requirements_due"
PENDING: Final = "pending_verification"
UNKNOWN_ACCOUNT: Final = "unknown_account"

_REJECTED: Final = "rejected."


class Recipients:
    """Makes creators known to Stripe."""

    def __init__(self, client: stripe.StripeClient, host: Host) -> None:
        self._client = client
        self._accounts = client.v1.accounts
        self._links = client.v1.account_links
        self._instance = host.instance

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """Next to nothing, because Stripe asks on its own page; nothing at all where Stripe pays nobody."""
        del currency
        return (EMAIL,) if country in COUNTRIES else ()

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Makes an account, or goes on with the one that is there, and leads to Stripe's page if it has to be done."""
        account = await self._begun(request) or await self._made(request)
        if not isinstance(account, AccountShape):
            return NotExecuted(account.code) if isinstance(account, Refused) else account
        known = status_of(account)
        if isinstance(known, Ready | Declined) or known.code == PENDING:
            return known
        return await self._led(account.id, request.return_url, request.refresh_url)

    async def status(self, ref: str, call: Call) -> RecipientOutcome:
        """Looks at an account."""
        del call
        account = await wire.ask(self._accounts.retrieve_async(ref), AccountShape)
        match account:
            case AccountShape():
                return await self._shown(account) if account.id == ref else Unknown(wire.OTHER_OBJECT)
            case Refused():
                # Stripe says the same of an account that is not there and of one that has left us.
                gone = account.is_missing or account.code == "account_invalid"
                return Declined(ref, UNKNOWN_ACCOUNT) if gone else Unknown(account.code)
            case NotExecuted():
                return Unknown(account.code)
            case Unknown():
                return account

    async def _shown(self, account: AccountShape) -> RecipientOutcome:
        """What an account is; who was never done with Stripe's page is led there again."""
        known = status_of(account)
        back, again = (account.metadata.get(name) for name in (words.RETURN_URL, words.REFRESH_URL))
        if isinstance(known, Restricted) and known.code == INCOMPLETE and back is not None and again is not None:
            return await self._led(account.id, back, again)
        return known

    async def _led(self, ref: str, return_url: str, refresh_url: str) -> RecipientOutcome:
        # No key of ours: a page is good once and for minutes, so that each time needs a new one, and it moves nothing.
        wanted: AccountLinkCreateParams = {
            "account": ref,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        }
        link = await wire.ask(self._links.create_async(wanted), LinkShape)
        if isinstance(link, LinkShape):
            return NeedsAction(ref, Redirect(link.url), moment(link.expires_at))
        # The account is there all the same.
        return link if isinstance(link, Unknown) else Unknown(link.code, ref=ref)

    async def _begun(self, request: OnboardRequest) -> AccountShape | NotExecuted | Unknown | None:
        """The account that was begun for this recipient, longer ago perhaps than Stripe remembers a key."""
        after: str | None = None
        for _ in range(PAGES_MAX):
            wanted: AccountListParams = {"limit": PAGE}
            if after is not None:
                wanted["starting_after"] = after
            page = await wire.ask(door.listed(self._client, "/v1/accounts", wanted), AccountsShape)
            if not isinstance(page, AccountsShape):
                code = page.reason if isinstance(page, Unknown) else page.code
                return wire.not_done(Refused(code), request.call)
            for account in page.data:
                carried = (account.metadata.get(words.OPERATION), account.metadata.get(words.INSTANCE))
                if carried == (request.recipient_id, self._instance):
                    return account
            if not page.has_more or not page.data:
                return None
            after = page.data[-1].id
        return None

    async def _made(self, request: OnboardRequest) -> AccountShape | Refused | NotExecuted | Unknown:
        pages = {words.RETURN_URL: request.return_url, words.REFRESH_URL: request.refresh_url}
        wanted: AccountCreateParams = {
            "country": request.country,
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "metadata": words.metadata(request.recipient_id, request.call.idempotency_key, self._instance, pages),
        }
        email = request.values.get(EMAIL.name) or request.email
        if email:
            wanted["email"] = email
        work = self._accounts.create_async(wanted, {"idempotency_key": request.call.idempotency_key})
        return await wire.ask(work, AccountShape)


def status_of(account: AccountShape) -> Ready | Declined | Restricted:
    """What an account is in the words of the SDK: ready when money can be sent to it, and from there to its bank."""
    if account.capabilities.get("transfers") == ACTIVE and account.payouts_enabled:
        return Ready(account.id)
    needed = account.requirements
    reason = None if needed is None else needed.disabled_reason
    if reason is not None and reason.startswith(_REJECTED):
        return Declined(account.id, reason)
    if not account.details_submitted:
        return Restricted(account.id, INCOMPLETE)
    if needed is not None and (needed.past_due or needed.currently_due):
        return Restricted(account.id, DUE)
    return Restricted(account.id, PENDING)
