"""What a platform tells the tax office of a seller and a year, quarter by quarter, and the laws that say when.

Years and quarters are of UTC. Consideration is what fans gave, fee included; compensations by the platform have none.
Units: coins; `amount_minor` minor units of the law's own currency.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import clock, errors, ids, money, statements
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.tax import TaxProfile

YEAR_MIN: Final = 2000
YEAR_MAX: Final = 2999
QUARTERS: Final = 4


class Basis(StrEnum):
    """Which amount a law compares."""

    GROSS = "GROSS"
    NET = "NET"


class Outcome(StrEnum):
    """Why a seller is reportable, or not."""

    NO_LAW = "NO_LAW"
    BELOW = "BELOW"
    SALES = "SALES"
    AMOUNT = "AMOUNT"
    SALES_AND_AMOUNT = "SALES_AND_AMOUNT"
    NOT_COMPARED = "NOT_COMPARED"


@dataclass(frozen=True, slots=True)
class Law:
    """From how many sales on, and above which amount in a year, a seller of these countries is reported.

    `both` says that neither suffices alone.
    """

    name: str
    countries: frozenset[str]
    since: int
    currency: str
    both: bool
    basis: Basis
    source: str
    sales_from: int = 1
    amount_minor: int = 0


EU: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
LAWS: Final = (
    Law(
        name="DAC7",
        countries=EU,
        since=2023,
        currency="EUR",
        both=False,
        basis=Basis.NET,
        source="Council Directive (EU) 2021/514, Annex V, Section I, B(1) and B(4)(d)",
    ),
    Law(
        name="UK_RRDP",
        countries=frozenset({"GB"}),
        since=2024,
        currency="EUR",
        both=False,
        basis=Basis.NET,
        source="The Platform Operators (Due Diligence and Reporting Requirements) Regulations 2023, SI 2023/817",
    ),
    Law(
        name="1099-K",
        countries=frozenset({"US"}),
        since=2011,
        currency="USD",
        both=True,
        basis=Basis.GROSS,
        source="26 U.S.C. 6050W(e), as restored by Public Law 119-21, section 70432",
    ),
)
"""What decides by country and year; the thresholds themselves are `Policy.seller_thresholds`.

A made-to-order video is a personal service. DAC7 and the United Kingdom spare sellers of fewer than 30 sales and at
most EUR 2,000 only where all that they sell is goods, so every seller with any activity is reported. The United
States want more than 200 transactions and more than USD 20,000, both.

Source: the directive's Annex V; HMRC, International Exchange of Information Manual, IEIM901630 (Excluded Sellers); IRS,
Fact Sheet 2025-08 (Form 1099-K after Public Law 119-21).
"""

CURRENCIES: Final = tuple(sorted({law.currency for law in LAWS}))
"""Those in which the laws count."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """What happened in a quarter. `net_coins` is what the creator earned of it; refunds are of what was earned before.

    `returned_coins` are of payouts whose money came back.
    """

    number: int
    orders: int = 0
    gifts: int = 0
    gross_coins: int = 0
    fee_coins: int = 0
    compensation_coins: int = 0
    refunded_coins: int = 0
    refunded_fee_coins: int = 0
    payouts: int = 0
    paid_out_coins: int = 0
    returned_coins: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a seller is reported, by which law, and what decided."""

    reportable: bool
    law: Law | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """A seller and a year. `country` is where they paid taxes at its end, or of their profile while none was certified.

    `profile` is the newest of that country, so that a correction is told.
    """

    creator_id: ids.CreatorId
    year: int
    country: str
    quarters: tuple[Quarter, ...]
    policy: Policy = field(repr=False)
    profile: TaxProfile | None
    verdict: Verdict

    @property
    def total(self) -> Quarter:
        """All four quarters."""
        return total(self.quarters)


def check_year(year: int) -> None:
    """Refuses what is no year.

    Raises:
        ValidationError: it is none.
    """
    if not YEAR_MIN <= year <= YEAR_MAX:
        msg = f"A year is between {YEAR_MIN} and {YEAR_MAX}."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=("year",))


def bounds(year: int) -> tuple[datetime, ...]:
    """When each quarter begins, and the first of the next year."""
    starts = [datetime(year, 3 * quarter + 1, 1, tzinfo=UTC) for quarter in range(QUARTERS)]
    return (*starts, datetime(year + 1, 1, 1, tzinfo=UTC))


def judged_at(year: int, *, now: datetime) -> datetime:
    """As of when a year is judged: its end, or now while it runs."""
    return min(now, bounds(year)[-1] - timedelta.resolution)


def total(quarters: tuple[Quarter, ...]) -> Quarter:
    """The sums of quarters, as a quarter without a number."""
    names = [name for name in Quarter.__slots__ if name != "number"]
    return Quarter(0, **{name: sum(getattr(quarter, name) for quarter in quarters) for name in names})


def law_of(country: str, year: int, *, policy: Policy) -> Law | None:
    """The law that a seller is reported by, with the policy's thresholds, or None where none is known.

    A threshold that the policy does not name spares nobody.
    """
    law = next((law for law in LAWS if country in law.countries and year >= law.since), None)
    if law is None:
        return None
    given = dict(policy.seller_thresholds)
    sales, amount = given.get(f"{law.name}.sales", 1), given.get(f"{law.name}.amount", 0)
    return replace(law, sales_from=sales, amount_minor=amount)


def judge(law: Law | None, whole: Quarter, *, policy: Policy, rate: Rate | None) -> Verdict:
    """Whether a seller is reported. Where the amount cannot be compared, it counts as too large.

    Args:
        rate: what the law's currency is worth; not needed where it is the currency of the books.
    """
    if law is None:
        return Verdict(reportable=False, law=None, outcome=Outcome.NO_LAW)
    many = whole.orders + whole.gifts >= law.sales_from
    large = _is_above(law, whole, policy, rate)
    sure = large is not None
    reportable = (many and large is not False) if law.both else (many or large is not False)
    if not reportable:
        return Verdict(reportable=False, law=law, outcome=Outcome.BELOW)
    if not sure and (law.both or not many):
        outcome = Outcome.NOT_COMPARED
    elif many and large:
        outcome = Outcome.SALES_AND_AMOUNT
    else:
        outcome = Outcome.SALES if many else Outcome.AMOUNT
    return Verdict(reportable=True, law=law, outcome=outcome)


def _is_above(law: Law, whole: Quarter, policy: Policy, rate: Rate | None) -> bool | None:
    coins = whole.gross_coins
    if law.basis is Basis.NET:
        coins -= whole.fee_coins + whole.refunded_coins - whole.refunded_fee_coins
    if coins <= 0:
        return False
    if law.currency == policy.book_currency:
        return coins * policy.par_units > law.amount_minor * money.BOOK_UNITS_PER_MINOR
    if rate is None:
        return None
    return coins * policy.par_units * rate.denominator > law.amount_minor * rate.numerator


HEAD: Final = (
    *("creator", "year", "quarter", "country", "reportable", "law", "outcome"),
    *("orders", "gifts", "gross_coins", "fee_coins", "compensation_coins", "refunded_coins", "refunded_fee_coins"),
    *("payouts", "paid_out_coins", "returned_coins", "currency", "gross_minor", "fee_minor", "paid_out_minor"),
    *("kind", "legal_name", "address", "tax_id", "born_on", "registration", "certified_at"),
)
"""The columns of the file: a row for each quarter, and quarter 0 for the year."""


def rows(report: Report) -> Iterator[dict[str, object]]:
    """The year and each quarter, by the names of the columns."""
    verdict, policy, seller = report.verdict, report.policy, report.profile
    for each in (report.total, *report.quarters):
        found: dict[str, object] = {name: getattr(each, name) for name in Quarter.__slots__ if name != "number"}
        found |= {"creator": report.creator_id, "year": report.year, "quarter": each.number}
        found |= {"country": report.country, "reportable": verdict.reportable}
        found |= {"law": None if verdict.law is None else verdict.law.name, "outcome": verdict.outcome.value}
        found["currency"] = policy.book_currency
        for name in ("gross", "fee", "paid_out"):
            found[f"{name}_minor"] = policy.par_minor(getattr(each, f"{name}_coins"))
        for name in ("kind", "legal_name", "address", "tax_id", "registration"):
            found[name] = None if seller is None else getattr(seller, name)
        born = None if seller is None else seller.born_on
        found["born_on"] = None if born is None else born.isoformat()
        found["certified_at"] = None if seller is None else clock.to_text(seller.certified_at)
        yield {name: found[name] for name in HEAD}


def csv_of(report: Report) -> str:
    """A report as rows of the file."""
    yes_or_no = {"reportable": str(report.verdict.reportable).lower()}
    return "".join(statements.row((each | yes_or_no).values()) for each in rows(report))
