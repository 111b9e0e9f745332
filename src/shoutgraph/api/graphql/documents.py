"""Documents, parsed, measured and validated once, and kept within a bound."""

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.field import StrawberryField

from shoutgraph.api import limits
from shoutgraph.api.failures import Code, FailureError, RequestErrors
from shoutgraph.api.graphql import fields
from shoutgraph.api.graphql.actual import Counter
from shoutgraph.api.graphql.cost import OperationCost
from shoutgraph.api.graphql.usage import Usage

DOCUMENTS_MAX: Final = 1_000
CHARS_MAX: Final = 512 * 1024
"""Characters of all the documents kept; with their costs they take some two hundred times as many bytes."""
SEEN_MAX: Final = 10_000
"""Documents of which it is known that they were asked once."""


class SomethingIsSelected(ASTValidationRule):
    """Refuses empty selection sets, which the parser lets through."""

    def enter_selection_set(self, node: SelectionSetNode, *_place: object) -> None:
        """Looks at one selection set."""
        if not node.selections:
            self.report_error(GraphQLError("A selection set selects something.", node))


RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    SomethingIsSelected,
    *specified_rules,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)


class Operation:
    """One operation of a valid document.

    `plans` is the compiled engine's, and lives as long as the document; `uses` counts how often it ran while `kept`.
    `doors` are root fields with their own rate.
    `resume_variable` is the variable that says where a subscription goes on; where that is written otherwise, or the
    field is no log, it is not `shareable`.
    """

    __slots__ = (
        "__weakref__",
        "actual",
        "cost",
        "document",
        "doors",
        "kept",
        "kind",
        "name",
        "node",
        "plans",
        "resume_variable",
        "shareable",
        "uses",
    )

    def __init__(self, document: DocumentNode, node: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        self.document: Final = document
        self.node: Final = node
        self.kind: Final = node.operation
        self.name: Final = node.name.value if node.name else None
        self.plans: Final[dict[object, object]] = {}
        fragments = _fragments_of(document)
        self.cost: Final = OperationCost(schema, node, fragments)
        self.actual: Final = Counter(schema, node, fragments)
        self.doors: Final = self.actual.doors
        self.shareable, self.resume_variable = _resumes_by(document, node, schema)
        self.uses = 0
        self.kept = False


class Document:
    """A valid document with its operations by name."""

    __slots__ = ("_by_name",)

    def __init__(self, node: DocumentNode, schema: GraphQLSchema) -> None:
        operations = [
            Operation(node, each, schema) for each in node.definitions if isinstance(each, OperationDefinitionNode)
        ]
        self._by_name: Final = {each.name: each for each in operations}

    @property
    def operations(self) -> Collection[Operation]:
        """All of them."""
        return self._by_name.values()

    def pick(self, name: str | None) -> Operation:
        """The operation to run.

        Raises:
            FailureError: no operation has this name, or there are several and no name is given.
        """
        if name is None and len(self._by_name) == 1:
            return next(iter(self._by_name.values()))
        if name is None or name not in self._by_name:
            given = "none" if name is None else f"'{name[: limits.OPERATION_ID_CHARS_MAX]}'"
            raise FailureError(Code.BAD_USER_INPUT, f"operationName must name one operation, not {given}.")
        return self._by_name[name]


class Documents:
    """The valid documents that were asked lately, by their text.

    One is kept when it is asked again: whoever never asks the same twice fills no memory, and crowds nobody out.
    """

    def __init__(self, schema: GraphQLSchema, *, hide_suggestions: bool) -> None:
        self._schema = schema
        self._hide_suggestions = hide_suggestions
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._chars = 0
        self.usage: Final = Usage(schema, self._operations)

    def get(self, text: str) -> Document:
        """The document of this text.

        Raises:
            FailureError: it is no GraphQL, or exceeds a limit.
            RequestErrors: it does not fit the schema.
        """
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        document = self._read(text)
        return self._keep(text, document) if self._is_known(text) else document

    def note(self, operation: Operation) -> None:
        """Takes note that an operation runs."""
        operation.uses += 1
        if not operation.kept:
            self.usage.forget((operation,))

    def _is_known(self, text: str) -> bool:
        """Whether a document was asked before; the answer is yes from now on."""
        name = hash(text)
        if self._seen.pop(name, self) is None:
            return True
        self._seen[name] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return False

    def _read(self, text: str) -> Document:
        node = limits.read(text)
        limits.check(node)
        errors = validate(
            self._schema,
            node,
            RULES,
            max_errors=limits.VALIDATION_ERRORS_MAX,
            hide_suggestions=self._hide_suggestions,
        )
        if errors:
            raise RequestErrors(errors, Code.VALIDATION_FAILED)
        try:
            return Document(node, self._schema)
        except RecursionError:
            raise FailureError(Code.DOCUMENT_LIMIT, "The document is nested too deeply.") from None

    def _keep(self, text: str, document: Document) -> Document:
        self._kept[text] = document
        self._chars += len(text)
        for operation in document.operations:
            operation.kept = True
        while len(self._kept) > DOCUMENTS_MAX or self._chars > CHARS_MAX:
            dropped, forgotten = self._kept.popitem(last=False)
            self._chars -= len(dropped)
            self.usage.forget(forgotten.operations)
        return document

    def _operations(self) -> list[Operation]:
        return [operation for document in list(self._kept.values()) for operation in document.operations]


def _fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


RESUME_ARGUMENT: Final = "after"
DECLARED_AND_USED: Final = 2


def _resumes_by(
    document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> tuple[bool, str | None]:
    """Whether a subscription's stream can be shared, and the variable that says where it goes on."""
    field = operation.selection_set.selections[0]
    if not isinstance(field, FieldNode) or not _is_log(operation, field, schema):
        return False, None
    given = [each.value for each in field.arguments or () if each.name.value == RESUME_ARGUMENT]
    if not given or isinstance(given[0], NullValueNode):
        return True, None
    if not isinstance(given[0], VariableNode):
        return False, None
    name = given[0].name.value
    uses = _Uses(name)
    visit(document, uses)
    return uses.count == DECLARED_AND_USED, name


def _is_log(operation: OperationDefinitionNode, field: FieldNode, schema: GraphQLSchema) -> bool:
    if operation.operation is not OperationType.SUBSCRIPTION or len(operation.selection_set.selections) > 1:
        return False
    assert schema.subscription_type is not None, "the document is valid"
    definition = schema.subscription_type.fields[field.name.value].extensions.get("strawberry-definition")
    return isinstance(definition, StrawberryField) and bool(definition.metadata.get(fields.SHARED))


class _Uses(Visitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.count = 0

    def enter_variable(self, node: VariableNode, *_place: object) -> None:
        self.count += node.name.value == self._name
