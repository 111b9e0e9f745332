"""What one request, one socket and one document may ask for.

Documents are measured before they are validated, because validation has no budget of its own. Each fragment
is measured once, so that nested spreads cost no more than the document is long.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    parse,
)

from shoutgraph.api.failures import Code, FailureError

BODY_BYTES_MAX: Final = 64 * 1024
BODY_S: Final = 15.0
"""How long a client may take to send its body."""
HEADERS_BYTES_MAX: Final = 16 * 1024
URL_BYTES_MAX: Final = 16 * 1024
OPERATION_S: Final = 10.0
"""How long a query or a mutation may run before it is answered with DEADLINE_EXCEEDED."""

TOKENS_MAX: Final = 2_000
COMMENTS_MAX: Final = 100
DEPTH_MAX: Final = 12
ALIASES_MAX: Final = 30
ROOT_MUTATIONS_MAX: Final = 5
REPEATS_MAX: Final = 50
"""How often one selection set may name the same field: validation compares each pair of them."""
VALIDATION_ERRORS_MAX: Final = 20

MESSAGE_BYTES_MAX: Final = 64 * 1024
INIT_S: Final = 15.0
"""How long a socket may stay open without `connection_init`."""
OPERATIONS_PER_SOCKET: Final = 20
OPERATION_ID_CHARS_MAX: Final = 128
CLOSE_REASON_BYTES_MAX: Final = 123
"""RFC 6455: a control frame carries 125 bytes, two of them the close code."""
QUEUE_MAX: Final = 256
"""Events that may wait for one slow consumer."""
SEND_S: Final = 10.0
"""How long one message to a slow consumer may take."""
HEARTBEAT_S: Final = 15.0
RECHECK_S: Final = 60.0
"""How long a connection may outlive a revoked key or a role that was taken away."""

COUNTED_MAX: Final = 1_000_000
"""Measures stop growing here: spreads of spreads would make them astronomic."""


@dataclass(frozen=True, slots=True)
class Size:
    """How deep and wide a selection is once its fragments are written out."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    repeats: int = 0


def read(text: str) -> DocumentNode:
    """Parses a document.

    Raises:
        FailureError: it is no GraphQL, or it is longer than a document may be.
    """
    try:
        return parse(text, max_lexical_tokens=TOKENS_MAX, max_comments=COMMENTS_MAX)
    except GraphQLSyntaxError as error:
        aborted = "Parsing aborted" in error.message
        raise _located(Code.DOCUMENT_LIMIT if aborted else Code.PARSE_FAILED, error) from None
    except GraphQLError as error:
        raise _located(Code.DOCUMENT_LIMIT, error) from None


def _located(code: Code, error: GraphQLError) -> FailureError:
    failure = FailureError(code, error.message)
    failure.locations = error.locations
    return failure


def check(document: DocumentNode) -> None:
    """Refuses a document that is too deep or too wide.

    Raises:
        FailureError: one of its operations exceeds a limit.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    measure = _Measure(fragments)
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            try:
                size = measure.of(operation.selection_set)
            except RecursionError:
                raise FailureError(Code.DOCUMENT_LIMIT, "The document is nested too deeply.") from None
            _check(size, operation.operation)


def _check(size: Size, kind: OperationType) -> None:
    if size.depth > DEPTH_MAX:
        raise FailureError(Code.DOCUMENT_LIMIT, f"An operation is at most {DEPTH_MAX} fields deep.")
    if size.aliases > ALIASES_MAX:
        raise FailureError(Code.DOCUMENT_LIMIT, f"An operation has at most {ALIASES_MAX} aliases.")
    if size.repeats > REPEATS_MAX:
        raise FailureError(Code.DOCUMENT_LIMIT, f"A selection names a field at most {REPEATS_MAX} times.")
    if kind is OperationType.MUTATION and size.fields > ROOT_MUTATIONS_MAX:
        raise FailureError(Code.DOCUMENT_LIMIT, f"A document runs at most {ROOT_MUTATIONS_MAX} mutations.")


class _Measure:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, Size] = {}

    def of(self, selection_set: SelectionSetNode | None) -> Size:
        if selection_set is None:
            return Size()
        size = _sum(self._of_one(each) for each in selection_set.selections)
        often = max(Counter(_names(selection_set)).values(), default=0)
        return replace(size, repeats=max(size.repeats, often))

    def _of_one(self, selection: SelectionNode) -> Size:
        if isinstance(selection, FieldNode):
            return self._of_field(selection)
        if isinstance(selection, FragmentSpreadNode):
            return self._of_fragment(selection.name.value)
        return self.of(getattr(selection, "selection_set", None))

    def _of_field(self, field: FieldNode) -> Size:
        alias = 1 if field.alias else 0
        if field.name.value.startswith("__"):
            # graphql-core bounds introspection by a rule of its own, and tools need its depth
            return Size(depth=1, aliases=alias, fields=1)
        inside = self.of(field.selection_set)
        return Size(inside.depth + 1, inside.aliases + alias, fields=1, repeats=inside.repeats)

    def _of_fragment(self, name: str) -> Size:
        if name not in self._known:
            self._known[name] = Size()  # an unknown fragment, or a cycle: validation says which
            if name in self._fragments:
                self._known[name] = self.of(self._fragments[name].selection_set)
        return self._known[name]


def _names(selection_set: SelectionSetNode) -> Iterator[str]:
    """The names under which a selection set answers, those of its inline fragments included."""
    for each in selection_set.selections:
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value
        elif isinstance(each, InlineFragmentNode):
            yield from _names(each.selection_set)


def _sum(sizes: Iterable[Size]) -> Size:
    depth = aliases = fields = repeats = 0
    for size in sizes:
        depth = max(depth, size.depth)
        aliases = min(aliases + size.aliases, COUNTED_MAX)
        fields = min(fields + size.fields, COUNTED_MAX)
        repeats = max(repeats, size.repeats)
    return Size(depth, aliases, fields, repeats)
