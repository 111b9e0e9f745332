"""Writes plans: level by level where something is awaited, so that it is awaited once for all the items of a list.

Where nothing is, an object is written in place, inside the loop over its list. Text of the client never gets into the
code except as a Python literal: the keys of the answer.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import strawberry
from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationDefinitionNode,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.types.base import StrawberryObjectDefinition

from shoutgraph.api.graphql.engine import leaves, running, sources
from shoutgraph.api.graphql.engine.arguments import NONE_GIVEN, Arguments
from shoutgraph.api.graphql.engine.code import PAD, Budget, Code
from shoutgraph.api.graphql.engine.running import Plan
from shoutgraph.api.graphql.engine.selections import Nodes, Selected, Selections
from shoutgraph.api.graphql.engine.sources import Source, Way
from shoutgraph.api.graphql.engine.unsupported import UnsupportedError

T = TypeVar("T")
TYPENAME: Final = "__typename"
IN_PLACE_MAX: Final = 12
"""How many types an interface or union has at most where all of them are written in place."""


class Compiler:
    """Writes one plan."""

    def __init__(self, schema: strawberry.Schema, selections: Selections, budget: Budget) -> None:
        self._strawberry = schema
        self._schema = schema._schema  # noqa: SLF001 - Strawberry has no public way
        self._arguments = Arguments(schema)
        self._selections = selections
        self._budget = budget
        self._code = Code()
        self._levels: dict[tuple[object, ...], str] = {}
        self._sources: dict[int, Source] = {}
        self._made: dict[tuple[object, int], str] = {}
        self._waiting: dict[tuple[object, ...], bool] = {}

    def of_query(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of a whole query.

        Raises:
            UnsupportedError: it has something that a plan does not know.
        """
        root = self._schema.query_type
        assert root is not None, "there are queries"
        return self._code.finish(self._level(root, (operation,), checked=False))

    def of_object(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Plan:
        """The plan of what some nodes select from a value that is there already.

        Raises:
            UnsupportedError: they have something that a plan does not know.
        """
        return self._code.finish(self._level(kind, nodes))

    # What is awaited --------------------------------------------------------------------------------------------------

    def _waits(self, of: GraphQLOutputType, nodes: Nodes) -> bool:
        """Whether something below a value has to be awaited."""
        while isinstance(of, (GraphQLNonNull, GraphQLList)):
            of = of.of_type
        if is_leaf_type(of):
            return False
        key = (of.name, *map(id, nodes))
        if key not in self._waiting:
            kinds = self._kinds_of(of)
            self._waiting[key] = len(kinds) > IN_PLACE_MAX or any(self._object_waits(kind, nodes) for kind in kinds)
        return self._waiting[key]

    def _object_waits(self, kind: GraphQLObjectType, nodes: Nodes) -> bool:
        selected = self._selections.of(kind, nodes)
        return any(self._field_waits(kind, of_key) for of_key in selected.values())

    def _field_waits(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> bool:
        if nodes[0].name.value == TYPENAME:
            return False
        field = self._field(kind, nodes[0])
        return self._source(field).waits or self._waits(field.type, nodes)

    @staticmethod
    def _field(kind: GraphQLObjectType, node: FieldNode) -> GraphQLField:
        field: GraphQLField | None = kind.fields.get(node.name.value)
        if field is None:  # introspection
            raise UnsupportedError
        return field

    def _kinds_of(self, of: GraphQLOutputType) -> Sequence[GraphQLObjectType]:
        if isinstance(of, GraphQLObjectType):
            return (of,)
        assert is_abstract_type(of), "leaves have no selections"
        return self._schema.get_possible_types(of)

    def _source(self, field: GraphQLField) -> Source:
        if id(field) not in self._sources:
            self._sources[id(field)] = sources.source_of(field)
        return self._sources[id(field)]

    def _held(self, make: Callable[[T], object], of: T) -> str:
        """The name of what is made of a type, once for all its places."""
        key = (make, id(of))
        if key not in self._made:
            self._made[key] = self._code.hold(make(of))
        return self._made[key]

    # A level: all objects of one type at one place --------------------------------------------------------------------

    def _level(self, kind: GraphQLObjectType, nodes: Nodes, *, checked: bool = True) -> str:
        """Writes the function from some objects of one type to their answers; gives its name."""
        key = (kind.name, checked, *map(id, nodes))
        if key not in self._levels:
            self._levels[key] = name = self._code.fresh("level")
            self._code.function(self._lines_of_level(name, kind, self._selections.of(kind, nodes), checked=checked))
        return self._levels[key]

    def _lines_of_level(self, name: str, kind: GraphQLObjectType, selected: Selected, *, checked: bool) -> list[str]:
        columns = {key: nodes for key, nodes in selected.items() if self._field_waits(kind, nodes)}
        lines = [f"async def {name}(xs):", PAD + "if not xs: return []"]
        calls = [f"{self._column(self._field(kind, nodes[0]), nodes)}(xs)" for nodes in columns.values()]
        lists = [self._code.fresh("c") for _ in calls]
        if len(calls) == 1:
            lines.append(f"{PAD}{lists[0]} = await {calls[0]}")
        elif calls:
            lines.append(f"{PAD}{', '.join(lists)} = await together({', '.join(calls)})")
        values = {key: self._code.fresh("v") for key in columns}
        lines.append(PAD + "done = []")
        zipped = ", ".join(["xs", *lists])
        rows = f"zip({zipped}, strict=True)" if lists else "xs"
        lines.append(f"{PAD}for {', '.join(['x', *values.values()])} in {rows}:")
        if checked:
            lines += self._check(kind, "x", PAD * 2)
        lines += self._dictionary("done.append({})", kind, selected, "x", PAD * 2, values=values)
        return [*lines, PAD + "return done"]

    def _column(self, field: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        """Writes the function from some objects to the completed values of one of their fields."""
        name, source = self._code.fresh("column"), self._source(field)
        lines = [f"async def {name}(xs):"]
        match source.way:
            case Way.BATCH:
                lines.append(f"{PAD}vs = await {self._call(source, nodes[0], 'xs')}")
            case Way.AWAIT:
                lines.append(f"{PAD}vs = await each([{self._call(source, nodes[0], 'x')} for x in xs])")
            case Way.CALL | Way.ATTRIBUTE:
                lines.append(f"{PAD}vs = [{self._call(source, nodes[0], 'x')} for x in xs]")
        lines += self._complete_all(field.type, nodes)
        self._code.function([*lines, PAD + "return vs"])
        return name

    def _complete_all(self, of: GraphQLOutputType, nodes: Sequence[FieldNode]) -> list[str]:
        """The lines that put completed values in the place of the list `vs`; what is no value is found further in."""
        if not self._waits(of, nodes):
            lines = self._complete(of, nodes, "v", PAD * 2)
            return [PAD + "done = []", PAD + "for v in vs:", *lines, PAD * 2 + "done.append(v)", PAD + "vs = done"]
        required = isinstance(of, GraphQLNonNull)
        of = of.of_type if isinstance(of, GraphQLNonNull) else of
        there = "vs" if required else "[v for v in vs if v is not None]"
        otherwise = "" if required else "None if v is None else "
        if isinstance(of, GraphQLList):
            inner = self._items(of.of_type, nodes)
            return [
                f"{PAD}for v in {there}: check_list(v)",
                f"{PAD}done = iter(await {inner}([w for v in {there} for w in v]))",
                f"{PAD}vs = [{otherwise}list(islice(done, len(v))) for v in vs]",
            ]
        if isinstance(of, GraphQLObjectType):
            done = f"await {self._level(of, nodes)}({there})"
        else:
            done = f"await {self._family(of, nodes)}({there}, CONTEXT, INFO, VARIABLES)"
        if required:
            return [f"{PAD}vs = {done}"]
        return [f"{PAD}done = iter({done})", f"{PAD}vs = [None if v is None else next(done) for v in vs]"]

    def _items(self, of: GraphQLOutputType, nodes: Sequence[FieldNode]) -> str:
        """The function that completes the items of lists, all as one list."""
        if isinstance(of, GraphQLNonNull) and isinstance(of.of_type, GraphQLObjectType):
            return self._level(of.of_type, nodes)
        name = self._code.fresh("items")
        self._code.function([f"async def {name}(vs):", *self._complete_all(of, nodes), PAD + "return vs"])
        return name

    def _family(self, of: GraphQLOutputType, nodes: Sequence[FieldNode]) -> str:
        """The function for values of several types, which writes a plan for each type that it meets."""

        def write(kind: GraphQLObjectType) -> Plan:
            return Compiler(self._strawberry, self._selections, self._budget).of_object(kind, nodes)

        family = running.Family({_told_apart(kind): kind for kind in self._kinds_of(of)}, write)
        return self._code.hold(family.complete)

    # In place ---------------------------------------------------------------------------------------------------------

    def _complete(self, of: GraphQLOutputType, nodes: Sequence[FieldNode], name: str, pad: str) -> list[str]:
        """The lines that put a completed value in the place of a value, nothing being awaited."""
        required = isinstance(of, GraphQLNonNull)
        of = of.of_type if isinstance(of, GraphQLNonNull) else of
        if is_leaf_type(of):
            return self._leaf(of, name, pad, required=required)
        inner = pad if required else pad + PAD
        lines = [f"{pad}if {name} is None: raise Unexpected" if required else f"{pad}if {name} is not None:"]
        if isinstance(of, GraphQLList):
            item, done = self._code.fresh("w"), self._code.fresh("d")
            lines += [
                f"{inner}if {name}.__class__ is not list: check_list({name})",
                f"{inner}{done} = []",
                f"{inner}for {item} in {name}:",
            ]
            lines += self._complete(of.of_type, nodes, item, inner + PAD)
            lines += [f"{inner}{PAD}{done}.append({item})", f"{inner}{name} = {done}"]
        elif isinstance(of, GraphQLObjectType):
            lines += self._object(of, nodes, name, inner)
        else:
            assert is_abstract_type(of), "there are no other types"
            lines += self._abstract(of, nodes, name, inner)
        return lines

    def _object(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode], name: str, pad: str) -> list[str]:
        selected = self._selections.of(kind, nodes)
        return [*self._check(kind, name, pad), *self._dictionary(f"{name} = {{}}", kind, selected, name, pad)]

    def _abstract(self, of: GraphQLAbstractType, nodes: Sequence[FieldNode], name: str, pad: str) -> list[str]:
        kind_name = self._code.fresh("t")
        lines = [f"{pad}{kind_name} = {name}.__class__"]
        word = "if"
        for kind in self._kinds_of(of):
            lines.append(f"{pad}{word} {kind_name} is {self._code.hold(_told_apart(kind))}:")
            lines += self._dictionary(f"{name} = {{}}", kind, self._selections.of(kind, nodes), name, pad + PAD)
            word = "elif"
        return [*lines, f"{pad}else: raise Unexpected"]

    def _dictionary(
        self,
        result: str,
        kind: GraphQLObjectType,
        selected: Selected,
        parent: str,
        pad: str,
        *,
        values: dict[str, str] | None = None,
    ) -> list[str]:
        """The lines that make an object's answer; `values` are the names of those that are there already."""
        self._budget.spend(len(selected))
        lines: list[str] = []
        items: list[str] = []
        for key, nodes in selected.items():
            name = (values or {}).get(key)
            if nodes[0].name.value == TYPENAME:
                name = repr(kind.name)
            elif name is None:
                name = self._code.fresh("v")
                field = self._field(kind, nodes[0])
                lines.append(f"{pad}{name} = {self._call(self._source(field), nodes[0], parent)}")
                lines += self._complete(field.type, nodes, name, pad)
            items.append(f"{key!r}: {name}")
        made = "{" + ", ".join(items) + "}"
        return [*lines, pad + result.replace("{}", made)]

    def _call(self, source: Source, node: FieldNode, parent: str) -> str:
        """The expression for a field's value, or for what is awaited to get it."""
        for scopes in source.scopes:
            self._code.first(f"CONTEXT.viewer.require(*{self._code.hold(scopes)})")
        if source.way is Way.ATTRIBUTE:
            return f"{parent}.{source.definition.python_name}"
        function = self._code.hold(source.function)
        given = self._given(source, node)
        if source.way is Way.BATCH:
            return f"batched({function}, {parent}, CONTEXT, {given or '{}'})"
        parts = [parent if name is None else f"{name}={parent}" for name in source.parents]
        if source.info is not None:
            parts.append(f"{source.info}=INFO")
        if given is not None:
            parts.append("**" + given)
        return f"{function}({', '.join(parts)})"

    def _given(self, source: Source, node: FieldNode) -> str | None:
        """The name of a field's arguments, or None where it takes none."""
        if not source.field.args:
            return None
        read = self._arguments.reader(source.field, source.definition, node)
        if not self._arguments.vary(node):
            return self._code.hold(read(NONE_GIVEN))
        name = self._code.fresh("a")
        self._code.first(f"{name} = {self._code.hold(read)}(VARIABLES)")
        return name

    def _check(self, kind: GraphQLObjectType, name: str, pad: str) -> list[str]:
        check = self._held(running.checker_of, kind)
        return [f"{pad}if {name}.__class__ is not {self._held(_class_of, kind)}: {check}({name})"]

    def _leaf(self, of: GraphQLLeafType, name: str, pad: str, *, required: bool) -> list[str]:
        write = f"{name} = {self._held(running.writer_of, of)}({name})"
        unless_null = "" if required else f" and {name} is not None"
        condition = leaves.condition_of(of)
        if condition is not None:
            return [f"{pad}if {condition.replace('{v}', name)}{unless_null}: {write}"]
        members = leaves.members_of(of)
        if members is not None:
            kind, names = map(self._code.hold, members)
            write = f"{name} = {names}[{name}] if {name}.__class__ is {kind} else {write.split(' = ')[1]}"
        return [f"{pad}{write}" if required else f"{pad}if {name} is not None: {write}"]


def _class_of(kind: GraphQLObjectType) -> type:
    """The class whose instances a type shows.

    Raises:
        UnsupportedError: the type is told apart by a function of its own.
    """
    definition = kind.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        raise UnsupportedError
    return definition.origin


def _told_apart(kind: GraphQLObjectType) -> type:
    """The class by which values of several types are told apart.

    Raises:
        UnsupportedError: several types share one, as those of a generic class do.
    """
    definition = kind.extensions.get("strawberry-definition")
    if getattr(definition, "concrete_of", None) is not None:
        raise UnsupportedError
    return _class_of(kind)
