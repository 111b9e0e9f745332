"""The scalars of the API: whole numbers as text, instants in UTC, currency codes and idempotency keys.

GraphQL's `Int` ends at 2^31 and a JavaScript number loses digits above 2^53, so coins and other 64-bit
numbers travel as decimal strings.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NewType

import strawberry
from graphql import EnumValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.types.scalar import ScalarDefinition

from shoutgraph.domain import clock, money

BigInt = NewType("BigInt", int)
CurrencyCode = NewType("CurrencyCode", str)
IdempotencyKey = NewType("IdempotencyKey", str)

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
WHOLE_CHARS: Final = 21
"""As much of a number as shows whether it is too large."""
KEY_CHARS_MIN: Final = 16
KEY_CHARS_MAX: Final = 64
ECHO_CHARS_MAX: Final = 40
"""How much of a refused value an error message repeats."""

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_KEY = re.compile(rf"[!-~]{{{KEY_CHARS_MIN},{KEY_CHARS_MAX}}}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_SPECIFIED: Final = "https://shoutgraph.example/scalars/"


def parse_whole(value: object) -> int:
    """Reads a 64-bit whole number from decimal text or a JSON integer; a float or a boolean is refused."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value[:WHOLE_CHARS])
    elif type(value) is int:
        number = value
    else:
        raise _refused(value, "a whole number as a decimal string")
    if not INT64_MIN <= number <= INT64_MAX:
        raise _refused(value, f"a whole number from {INT64_MIN} to {INT64_MAX}")
    return number


def parse_coins(value: object) -> int:
    """Reads an amount of coins, which is never negative."""
    coins = parse_whole(value)
    if coins < 0:
        raise _refused(value, "an amount of coins that is not negative")
    return coins


def print_whole(value: object) -> str:
    """Writes a 64-bit whole number as decimal text."""
    if type(value) is not int or not INT64_MIN <= value <= INT64_MAX:
        raise TypeError(f"a whole number of 64 bits is needed here, not a {type(value).__name__}")
    return str(value)


def parse_instant(value: object) -> datetime:
    """Reads an RFC 3339 instant; one without an offset is refused because its meaning is anyone's guess."""
    wanted = "an RFC 3339 instant with an offset, such as 2026-01-31T12:00:00.000Z"
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise _refused(value, wanted)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(value, wanted) from None


def print_instant(value: object) -> str:
    """Writes an aware instant in UTC with `Z` and milliseconds."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("an instant of the API is an aware datetime")
    return clock.to_text(value)


def parse_currency(value: object) -> str:
    """Reads an ISO 4217 code in capitals."""
    if not isinstance(value, str) or not money.is_currency(value):
        raise _refused(value, "an ISO 4217 currency code, such as EUR")
    return value


def parse_key(value: object) -> str:
    """Reads an idempotency key: visible ASCII, so that it survives logs and headers."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise _refused(value, f"{KEY_CHARS_MIN} to {KEY_CHARS_MAX} visible ASCII characters")
    return value


def _print_text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(f"text is needed here, not a {type(value).__name__}")
    return value


def _refused(value: object, wanted: str) -> GraphQLError:
    given = f"'{value[:ECHO_CHARS_MAX]}'" if isinstance(value, str) else f"a {type(value).__name__}"
    return GraphQLError(f"Expected {wanted}, not {given}.")


def _scalar(
    name: str,
    description: str,
    *,
    parse: Callable[[object], object],
    serialize: Callable[[object], object],
    specified_by_url: str,
) -> ScalarDefinition:
    def parse_literal(node: ValueNode, _variables: Mapping[str, object] | None = None) -> object:
        if isinstance(node, StringValueNode):
            return parse(node.value)
        if isinstance(node, IntValueNode) and len(node.value) < ECHO_CHARS_MAX:
            return parse(int(node.value))
        hint = " Put it in quotes." if isinstance(node, EnumValueNode) else ""
        raise GraphQLError(f"{name} cannot be written as {print_ast(node)[:ECHO_CHARS_MAX]}.{hint}", node)

    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=specified_by_url,
        serialize=serialize,
        parse_value=parse,
        parse_literal=parse_literal,
    )


SCALARS: Final[dict[object, ScalarDefinition]] = {
    money.Coins: _scalar(
        "Coins",
        'Signed 64-bit count of coins as a decimal string in JSON, for example "1500". Input may also be '
        "an integer, and is never negative.",
        parse=parse_coins,
        serialize=print_whole,
        specified_by_url=_SPECIFIED + "coins",
    ),
    BigInt: _scalar(
        "BigInt",
        "Signed 64-bit integer as a decimal string in JSON. Input may also be an integer.",
        parse=parse_whole,
        serialize=print_whole,
        specified_by_url=_SPECIFIED + "bigint",
    ),
    datetime: _scalar(
        "DateTime",
        "RFC 3339 instant in UTC, always with Z and milliseconds. Input without an offset is refused.",
        parse=parse_instant,
        serialize=print_instant,
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    ),
    CurrencyCode: _scalar(
        "CurrencyCode",
        "ISO 4217 code. A scalar, not an enum, so that a plugin can add a currency without a schema change.",
        parse=parse_currency,
        serialize=_print_text,
        specified_by_url=_SPECIFIED + "currency-code",
    ),
    IdempotencyKey: _scalar(
        "IdempotencyKey",
        "Client-made key, 16 to 64 visible ASCII characters, a UUID being best. One per intended effect.",
        parse=parse_key,
        serialize=_print_text,
        specified_by_url=_SPECIFIED + "idempotency-key",
    ),
}
"""For `StrawberryConfig.scalar_map`: which Python type is which scalar."""
