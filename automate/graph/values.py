"""Values of a definition: JSON in which expressions stand, compiled once and resolved in each run.

An object with the single member `cel`, `path`, `value` or `secret` is an expression, wherever it stands; everything
else is itself. Nothing is ever a template, and what an expression gives is never looked at again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from automate.graph.leaves import (
    BrokenLeaf,
    Leaf,
    Path,
    QueryLeaf,
    Room,
    RuleLeaf,
    Scope,
    SecretLeaf,
    Secrets,
    ValueFailed,
)
from automate.graph.query import QueryError, compile_query
from automate.graph.schema import SECRET_PATTERN
from automate.rules import Rule, RuleError, Type, compile_rule
from automate_api.engine.json_schema.patterns import compiled

__all__ = ["InvalidValue", "Value", "ValueFailed", "ValueFault", "compile_value", "read_value", "type_of_json"]

MOST_LEVELS = 64
"""The deepest nesting of a value."""

Compile = Callable[[str], Rule]


@dataclass(frozen=True, slots=True)
class ValueFault:
    """What is wrong with an expression, and where in the value it stands."""

    path: Path
    code: str
    detail: str


class InvalidValue(ValueError):
    """Expressions in a value can never be right; `faults` says which."""

    def __init__(self, faults: list[ValueFault]) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class _Members:
    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Items:
    items: list[Any]


class Value:
    """A compiled value; `compile_value()` makes it."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def resolve(self, scope: Scope, *, secrets: Secrets | None = None) -> Any:
        """The value in `scope`, which is made of JSON's types. Do not change it: parts of it are the definition's.

        Args:
            scope: what expressions see, by its names.
            secrets: what `{"secret": name}` gives. Where it is None, `[secret name]` stands in their place, so that
                the value can be stored and shown.

        Raises:
            ValueFailed: an expression has no value, or they give too much.
        """
        room = Room(secrets)
        return _filled(self._root, lambda leaf: leaf.give(scope, room))

    def outline(self, stand_in: Callable[[Leaf], Any]) -> Any:
        """The value with `stand_in(leaf)` in the place of each expression."""
        return _filled(self._root, stand_in)

    def leaves(self) -> Iterator[tuple[Path, Leaf]]:
        """The expressions, with where they stand."""
        return _leaves(self._root, ())

    @property
    def names(self) -> frozenset[tuple[str, ...]]:
        """The paths of names that expressions refer to: `("steps", "ask", "output")`."""
        return frozenset(path for _place, leaf in self.leaves() for path in leaf.names)

    def type_of(self, types: Mapping[str, Type]) -> Type:
        """What the whole will be, as far as that is known.

        Raises:
            RuleError: the whole is a rule that can never be right.
        """
        return self._root.type_of(types) if _is_leaf(self._root) else type_of_json(_outer(self._root))


def compile_value(raw: Any, *, secrets: bool = False) -> Value:
    """Compile a value of a definition; `secrets` says whether `{"secret": name}` may stand in it.

    Raises:
        InvalidValue: expressions in it can never be right.
    """
    value, faults = read_value(raw, secrets=secrets)
    if faults:
        raise InvalidValue(faults)
    return value


def read_value(raw: Any, *, secrets: bool, compile_: Compile = compile_rule) -> tuple[Value, list[ValueFault]]:
    """Compile a value, and say what is wrong with it; what cannot be compiled is a `BrokenLeaf` in it."""
    faults: list[ValueFault] = []
    reader = _Reader(secrets=secrets, compile_=compile_, faults=faults)
    return Value(reader.read(raw, ())), faults


def type_of_json(value: Any) -> Type:
    """The type of a JSON value."""
    for kind, found in _TYPES.items():
        if isinstance(value, kind):
            return found
    return Type.DYN


# Of bool before int: in Python, the one is the other.
_TYPES = {
    bool: Type.BOOL,
    int: Type.INT,
    float: Type.DOUBLE,
    str: Type.STRING,
    list: Type.LIST,
    dict: Type.MAP,
    type(None): Type.NULL,
}


def _is_leaf(node: Any) -> bool:
    return isinstance(node, RuleLeaf | QueryLeaf | SecretLeaf)


def _outer(node: Any) -> Any:
    """A JSON value of the type that `node` will give."""
    return node.value if isinstance(node, _Literal) else {} if isinstance(node, _Members) else []


def _filled(node: Any, give: Callable[[Leaf], Any]) -> Any:
    if isinstance(node, _Literal):
        return node.value
    if isinstance(node, _Members):
        return {name: _within(name, member, give) for name, member in node.members.items()}
    if isinstance(node, _Items):
        return [_within(index, item, give) for index, item in enumerate(node.items)]
    return give(node)


def _within(part: str | int, node: Any, give: Callable[[Leaf], Any]) -> Any:
    try:
        return _filled(node, give)
    except ValueFailed as exc:
        exc.path = (part, *exc.path)
        raise


def _leaves(node: Any, path: Path) -> Iterator[tuple[Path, Leaf]]:
    if isinstance(node, _Members):
        for name, member in node.members.items():
            yield from _leaves(member, (*path, name))
    elif isinstance(node, _Items):
        for index, item in enumerate(node.items):
            yield from _leaves(item, (*path, index))
    elif not isinstance(node, _Literal):
        yield path, node


class _Reader:
    """Reads one value, and goes on where something is wrong with it."""

    def __init__(self, *, secrets: bool, compile_: Compile, faults: list[ValueFault]) -> None:
        self._secrets = secrets
        self._compile = compile_
        self._faults = faults

    def read(self, raw: Any, path: Path) -> Any:
        if not isinstance(raw, dict | list):
            return _Literal(raw)
        if len(path) >= MOST_LEVELS:
            return self._fault(path, "too_deep", _("This is nested too deeply."))
        if isinstance(raw, list):
            items = [self.read(item, (*path, index)) for index, item in enumerate(raw)]
            return _Literal(raw) if all(map(_is_itself, items, raw)) else _Items(items)
        if len(raw) == 1:
            ((name, inner),) = raw.items()
            if name in _EXPRESSIONS:
                return self._expression(name, inner, path)
        members = {name: self.read(member, (*path, name)) for name, member in raw.items()}
        return _Literal(raw) if all(map(_is_itself, members.values(), raw.values())) else _Members(members)

    def _expression(self, kind: str, inner: Any, path: Path) -> Any:
        if kind == "value":
            return _Literal(inner)
        if not isinstance(inner, str):
            detail = _('`%(kind)s` alone is an expression, and needs a string. Write {"value": …} around what is none.')
            return self._fault(path, "invalid_expression", detail % {"kind": kind})
        return {"cel": self._rule, "path": self._query, "secret": self._secret}[kind](inner, path)

    def _rule(self, source: str, path: Path) -> Any:
        try:
            return RuleLeaf(self._compile(source))
        except RuleError as exc:
            return self._fault(path, "invalid_expression", described(exc))

    def _query(self, text: str, path: Path) -> Any:
        try:
            return QueryLeaf(compile_query(text))
        except QueryError as exc:
            detail = _("Column %(column)d: %(message)s") % {"column": exc.column, "message": exc.message}
            return self._fault(path, "invalid_path", detail)

    def _secret(self, name: str, path: Path) -> Any:
        if not self._secrets:
            return self._fault(path, "secret_not_allowed", _("A secret may not stand here."))
        if not compiled(SECRET_PATTERN).search(name):
            return self._fault(path, "invalid_expression", _("This is not the name of a secret."))
        return SecretLeaf(name)

    def _fault(self, path: Path, code: str, detail: str) -> Any:
        self._faults.append(ValueFault(path, code, detail))
        return BrokenLeaf()


def _is_itself(node: Any, raw: Any) -> bool:
    return isinstance(node, _Literal) and node.value is raw


def described(error: RuleError) -> str:
    """What is wrong with a rule, and where in it."""
    return _("Line %(line)d, column %(column)d: %(message)s") % {
        "line": error.line,
        "column": error.column,
        "message": error.message,
    }


_EXPRESSIONS = frozenset({"cel", "path", "value", "secret"})
