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

PLACE_STEPS_MAX: Final = 50
"""How far the place is looked for where a document is too large."""

COUNTED_MAX: Final = 1_000_000
"""Measures stop growing here: spreads of spreads would make them astronomic."""


@dataclass(frozen=True, slots=True)
class Size:
    """How deep and wide a selection is once its fragments are written out."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    repeats: int = 0


MEASURES: Final = {
    "depth": (DEPTH_MAX, "An operation is at most {limit} fields deep."),
    "aliases": (ALIASES_MAX, "An operation has at most {limit} aliases."),
    "repeats": (REPEATS_MAX, "A selection names a field at most {limit} times."),
    "fields": (ROOT_MUTATIONS_MAX, "A document runs at most {limit} mutations."),
}
"""What is measured of an operation, how much it may be, and what is said if it is more."""
TOLD: Final = {"fields": "rootMutations"} | {name: name for name in MEASURES if name != "fields"}


def read(text: str) -> DocumentNode:
    """Parses a document.

    Raises:
        FailureError: it is no GraphQL, or it is longer than a document may be.
    """
    try:
        return parse(text, max_lexical_tokens=TOKENS_MAX, max_comments=COMMENTS_MAX)
    except GraphQLSyntaxError as error:
        if "Parsing aborted" not in error.message:
            raise _located(Code.PARSE_FAILED, error) from None
        measured = {"tokens": TOKENS_MAX, "comments": COMMENTS_MAX}
        found = [{"measure": name, "limit": most} for name, most in measured.items() if name in error.message]
        raise _located(Code.DOCUMENT_LIMIT, error, **(found[0] if found else {})) from None
    except GraphQLError as error:
        raise _located(Code.DOCUMENT_LIMIT, error) from None


def _located(code: Code, error: GraphQLError, **details: object) -> FailureError:
    failure = FailureError(code, error.message, **details)
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
            _check(size, operation, measure)


def _check(size: Size, operation: OperationDefinitionNode, measure: "_Measure") -> None:
    for name, (limit, text) in MEASURES.items():
        found: int = getattr(size, name)
        if found > limit and (name != "fields" or operation.operation is OperationType.MUTATION):
            root = operation.selection_set
            where = measure.place(root, name) if name != "fields" else measure.root(root, limit)
            message = text.format(limit=limit)
            raise FailureError(
                Code.DOCUMENT_LIMIT, message, measure=TOLD[name], found=found, limit=limit, selection=where
            )


class _Measure:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, Size] = {}

    def of(self, selection_set: SelectionSetNode | None) -> Size:
        if selection_set is None:
            return Size()
        size = _sum(self._of_one(each) for each in selection_set.selections)
        return replace(size, repeats=max(size.repeats, _repeats(selection_set)))

    def place(self, selection_set: SelectionSetNode, name: str) -> list[str]:
        """The path of fields to where the most of something is."""
        path: list[str] = []
        inside: SelectionSetNode | None = selection_set
        for _ in range(PLACE_STEPS_MAX):
            if inside is None or (name == "repeats" and getattr(self.of(inside), name) == _repeats(inside)):
                break
            node = max(inside.selections, key=lambda each: int(getattr(self._of_one(each), name)))
            if isinstance(node, FieldNode):
                path.append(_key(node))
            inside = self._inside(node)
        return path

    def root(self, selection_set: SelectionSetNode, number: int) -> list[str]:
        """The path of a root field, counted from 0 once fragments are written out."""
        inside: SelectionSetNode | None = selection_set
        for _ in range(PLACE_STEPS_MAX):
            for node in inside.selections if inside else ():
                fields = self._of_one(node).fields
                if number < fields:
                    break
                number -= fields
            else:
                break
            if isinstance(node, FieldNode):
                return [_key(node)]
            inside = self._inside(node)
        return []

    def _inside(self, node: SelectionNode) -> SelectionSetNode | None:
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.get(node.name.value)
            return fragment.selection_set if fragment else None
        return getattr(node, "selection_set", None)

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


def _repeats(selection_set: SelectionSetNode) -> int:
    """How often one name is selected at most."""
    return max(Counter(_names(selection_set)).values(), default=0)


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _names(selection_set: SelectionSetNode) -> Iterator[str]:
    """The names under which a selection set answers, those of its inline fragments included."""
    for each in selection_set.selections:
        if isinstance(each, FieldNode):
            yield _key(each)
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
