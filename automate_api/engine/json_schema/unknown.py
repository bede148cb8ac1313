"""Values that are not known yet, so that what is known around them can be checked already.

An `Unknown` fits wherever a value of one of its types could fit: nothing that could come right is refused. Where a
keyword turns that around, as `not` and `oneOf` do, it asks instead what fits surely, whatever the value will be.
"""

from collections.abc import Collection, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Errors = Iterator[ValidationError]

_PLAIN = Draft202012Validator.VALIDATORS
_is_type = Draft202012Validator.TYPE_CHECKER.is_type


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
    """`oneOf`: wrong where none may fit, or more than one surely do."""
    if not validator.format_checker.partial:
        yield from _PLAIN["oneOf"](validator, schemas, instance, schema)
        return
    surely = [fits(validator, each, instance, surely=True) for each in schemas]
    may = [sure or fits(validator, each, instance, surely=False) for sure, each in zip(surely, schemas, strict=True)]
    least, most = (sum(surely), sum(may)) if validator.format_checker.surely else (sum(may), sum(surely))
    if least < 1 or most > 1:
        yield ValidationError("oneOf")


def not_(validator: Any, refused: Any, instance: Any, schema: Any) -> Errors:
    """`not`: wrong where what is refused surely fits."""
    count = validator.format_checker
    if not count.partial:
        yield from _PLAIN["not"](validator, refused, instance, schema)
    elif fits(validator, refused, instance, surely=not count.surely):
        yield ValidationError("not")


def if_(validator: Any, condition: Any, instance: Any, schema: Any) -> Errors:
    """`if`: where nobody can say whether it fits, wrong only if both branches are."""
    count = validator.format_checker
    if not count.partial:
        yield from _PLAIN["if"](validator, condition, instance, schema)
        return
    then, other = ((name, schema.get(name, True)) for name in ("then", "else"))
    if fits(validator, condition, instance, surely=True):
        yield from validator.descend(instance, then[1], schema_path=then[0])
    elif not fits(validator, condition, instance, surely=False):
        yield from validator.descend(instance, other[1], schema_path=other[0])
    else:
        found = [list(validator.descend(instance, branch, schema_path=name)) for name, branch in (then, other)]
        if any(found) if count.surely else all(found):
            yield from found[0] or found[1]


def contains(validator: Any, wanted: Any, instance: Any, schema: Any) -> Errors:
    """`contains`: wrong where too few may fit, or too many surely do."""
    count = validator.format_checker
    if not count.partial or not isinstance(instance, list):
        yield from _PLAIN["contains"](validator, wanted, instance, schema)
        return
    surely = sum(fits(validator, wanted, item, surely=True) for item in instance)
    may = sum(fits(validator, wanted, item, surely=False) for item in instance)
    least, most = (surely, may) if count.surely else (may, surely)
    if least < schema.get("minContains", 1) or most > schema.get("maxContains", most):
        yield ValidationError("contains")


def branches(validator: Any, instance: Any, schema: dict[str, Any]) -> list[Any]:
    """Which of `if`, `then` and `else` say something of `instance`; where nobody can say, those that may or none."""
    condition, then, other = schema["if"], schema.get("then", True), schema.get("else", True)
    if fits(validator, condition, instance, surely=True):
        return [condition, then]
    if not validator.format_checker.partial or not fits(validator, condition, instance, surely=False):
        return [other]
    return [] if validator.format_checker.surely else [condition, then, other]


def fits(validator: Any, schema: Any, instance: Any, *, surely: bool) -> bool:
    """Whether `instance` fits `schema` whatever turns out, or, with `surely` False, may fit it."""
    count = validator.format_checker
    before, count.surely = count.surely, surely
    try:
        return bool(validator.evolve(schema=schema).is_valid(instance))
    finally:
        count.surely = before


def nobody_knows(validator: Any, schema: Any, instance: Any) -> bool:
    """Whether nobody can be sure that `instance` fits `schema`, and somebody wants to be."""
    return validator.format_checker.surely and isinstance(instance, Unknown) and schema not in (True, {})


def nodes(value: Any) -> int:
    """How many values `value` is made of."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(nodes, members))
