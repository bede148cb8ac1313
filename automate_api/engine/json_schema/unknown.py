"""Values that are not known yet, so that what is known around them can be checked already.

An `Unknown` fits wherever a value of one of its types could fit. Nothing that could come right is refused; what some
values would break and others not, nobody can say yet.
"""

from collections.abc import Collection, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Errors = Iterator[ValidationError]

_PLAIN = Draft202012Validator.VALIDATORS
_is_type = Draft202012Validator.TYPE_CHECKER.is_type
_NODES_A_POINT = 8


class Unknown:
    """A value that will be of one of the JSON Schema types `types`; of any, where they are None."""

    __slots__ = ("types",)

    def __init__(self, types: Collection[str] | None = None) -> None:
        self.types = None if types is None else frozenset(types)

    def may_be(self, name: str) -> bool:
        """Whether it can turn out to be of the type `name`."""
        return self.types is None or name in self.types or (name == "number" and "integer" in self.types)

    def __eq__(self, other: object) -> bool:
        # `enum` and `const` ask this.
        return self.types is None or any(_is_type(other, name) for name in self.types)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<unknown {id(self):x}>"


def holds_unknown(value: Any) -> bool:
    """Whether an `Unknown` stands in `value`."""
    if isinstance(value, dict):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return isinstance(value, Unknown)


def one_of(validator: Any, schemas: Any, instance: Any, schema: Any) -> Errors:
    """`oneOf`, of which more than one may still fit."""
    keyword = "anyOf" if _is_partial(validator, instance) else "oneOf"
    yield from _PLAIN[keyword](validator, schemas, instance, schema)


def not_(validator: Any, refused: Any, instance: Any, schema: Any) -> Errors:
    """`not`, which nobody can say yet."""
    if not _is_partial(validator, instance):
        yield from _PLAIN["not"](validator, refused, instance, schema)


def if_(validator: Any, condition: Any, instance: Any, schema: Any) -> Errors:
    """`if`, of which either branch may still be taken."""
    if not _is_partial(validator, instance):
        yield from _PLAIN["if"](validator, condition, instance, schema)
        return
    branches = [list(validator.descend(instance, schema.get(name, True))) for name in ("then", "else")]
    if all(branches):
        fits = validator.evolve(schema=condition).is_valid(instance)
        yield from branches[0 if fits else 1]


def _is_partial(validator: Any, instance: Any) -> bool:
    count = validator.format_checker
    if not count.partial:
        return False
    count.spend(nodes(instance) // _NODES_A_POINT)
    return holds_unknown(instance)


def nodes(value: Any) -> int:
    """How many values `value` is made of."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(nodes, members))
