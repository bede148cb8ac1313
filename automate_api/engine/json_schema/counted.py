"""A validator for draft 2020-12 whose work is counted, and which stops when there has been too much of it.

Whoever writes a schema decides how much work a value makes: references to references double it at each step, and
some keywords compare every item with every other. So each schema that is applied to a value costs a point for itself
and for each of its keywords; what loops over more than that costs more.

The count is an argument that the library hands from validator to validator, its format checker: formats are not
checked here, and each call has a count of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from automate_api.engine.json_schema.patterns import compiled, search_steps
from automate_api.engine.json_schema.unevaluated import seen_items, seen_properties
from automate_api.engine.json_schema.unknown import (
    Unknown,
    contains,
    holds_unknown,
    if_,
    nobody_knows,
    nodes,
    not_,
    one_of,
)

MOST_POINTS = 200_000
"""What one check may cost; a point is about three microseconds."""

_STEPS_A_POINT = 128
_CHARACTERS_A_POINT = 64
_TURNS_A_POINT = 8

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Errors]


class TooComplex(Exception):
    """The count has run out."""


class Count(FormatChecker):
    """The points that are left for one check, and no formats.

    `partial` says that an `Unknown` may stand in the value, `surely` that it may turn out to be anything.
    """

    def __init__(self, points: int = MOST_POINTS, *, partial: bool = False) -> None:
        super().__init__(formats=())
        self.left = points
        self.partial = partial
        self.surely = False

    def check(self, instance: object, format: str) -> None:  # noqa: A002 - the library's name
        """Accept any: a format is an annotation."""

    def spend(self, points: int) -> None:
        """Take `points`.

        Raises:
            TooComplex: there were fewer.
        """
        self.left -= points
        if self.left < 0:
            raise TooComplex

    def matches(self, pattern: str, text: str) -> bool:
        """Whether `pattern` is found in `text`; costs what it could take at worst.

        Raises:
            UnsafePattern: the pattern is refused.
            TooComplex: it costs more than is left.
        """
        found = compiled(pattern)
        self.spend(search_steps(pattern, text) // _STEPS_A_POINT)
        return found.search(text) is not None


def _width(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _looping(keyword: Keyword) -> Keyword:
    """`keyword`, which looks at each member of its own value or of the instance."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        turns = _width(value) + _width(instance)
        if turns >= _TURNS_A_POINT:
            validator.format_checker.spend(turns // _TURNS_A_POINT)
        return keyword(validator, value, instance, schema)

    return counted


def _comparing(keyword: Keyword) -> Keyword:
    """`keyword`, which compares the instance with each of its own values, to the depth of either."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        deep = isinstance(instance, dict | list)
        validator.format_checker.spend((nodes(value) if deep else _width(value)) // _TURNS_A_POINT)
        if deep and validator.format_checker.surely:
            validator.format_checker.spend(nodes(instance) // _TURNS_A_POINT)
            if holds_unknown(instance):
                return iter([ValidationError("unknown")])
        return keyword(validator, value, instance, schema)

    return counted


def _referring(keyword: Keyword) -> Keyword:
    """`keyword`, which follows a pointer step by step."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        validator.format_checker.spend(len(value) // _TURNS_A_POINT)
        return keyword(validator, value, instance, schema)

    return counted


def _type(validator: Any, types: Any, instance: Any, schema: Any) -> Errors:
    # The library's way is long, and this is most of what ordinary schemas ask.
    if isinstance(types, str) and isinstance(instance, _PLAIN_TYPES.get(types, ())):
        return iter(())
    if isinstance(instance, Unknown) and any(map(instance.may_be, [types] if isinstance(types, str) else types)):
        return iter(())
    return cast("Errors", _PLAIN["type"](validator, types, instance, schema))


def _required(validator: Any, names: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        validator.format_checker.spend(len(names) // _TURNS_A_POINT)
        for name in names:
            if name not in instance:
                yield ValidationError("required", path=(name,))


def _dependent_required(validator: Any, dependencies: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in dependencies.keys() & instance.keys():
            yield from _required(validator, dependencies[name], instance, schema)


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, str) and not validator.format_checker.matches(pattern, instance):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            validator.format_checker.spend(len(instance))
            for name, value in instance.items():
                if validator.format_checker.matches(pattern, name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, subschema: Any, instance: Any, schema: Any) -> Errors:
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    validator.format_checker.spend(len(instance) * (1 + len(patterns)) // _TURNS_A_POINT)
    for name, value in instance.items():
        if name not in known and not any(validator.format_checker.matches(pattern, name) for pattern in patterns):
            yield from validator.descend(value, subschema, path=name)


def _unique_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> Errors:
    if wanted and isinstance(instance, list):
        validator.format_checker.spend(nodes(instance))
        unsure = validator.format_checker.surely and holds_unknown(instance)
        if unsure or len({_spelled(item) for item in instance}) < len(instance):
            yield ValidationError("uniqueItems")


def _spelled(value: Any) -> str:
    """The same text for equal values and for no others. Text, because nobody can choose strings of equal hashes."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{name!r}:{_spelled(value[name])}' for name in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_spelled, value))}]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


def _unevaluated_items(validator: Any, subschema: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, list):
        seen = seen_items(validator, instance, schema)
        for index in range(len(instance)):
            if index not in seen:
                yield from validator.descend(instance[index], subschema, path=index)


def _unevaluated_properties(validator: Any, subschema: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        seen = seen_properties(validator, instance, schema)
        for name in instance.keys() - seen:
            yield from validator.descend(instance[name], subschema, path=name)


_PLAIN = Draft202012Validator.VALIDATORS
_PLAIN_TYPES = {"array": list, "boolean": bool, "object": dict, "string": str}
_LOOPING = ("dependentSchemas", "items", "prefixItems", "properties", "propertyNames")

CountedValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        **{name: _looping(_PLAIN[name]) for name in _LOOPING},
        **{name: _comparing(_PLAIN[name]) for name in ("const", "enum")},
        **{name: _referring(_PLAIN[name]) for name in ("$dynamicRef", "$ref")},
        "additionalProperties": _additional_properties,
        "contains": _looping(contains),
        "dependentRequired": _dependent_required,
        "if": if_,
        "not": not_,
        "oneOf": one_of,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "required": _required,
        "type": _type,
        "unevaluatedItems": _unevaluated_items,
        "unevaluatedProperties": _unevaluated_properties,
        "uniqueItems": _unique_items,
    },
)
"""Give it a `Count` as its `format_checker`, and no schema with `$schema` in it: that would change the class."""


_descend, _iter_errors = CountedValidator.descend, CountedValidator.iter_errors


def _price(schema: Any) -> int:
    """What applying `schema` once costs: a point for itself, and one for each keyword."""
    return 1 + len(schema) if isinstance(schema, dict) else 1


def _descend_counted(
    self: Any, instance: Any, schema: Any, path: Any = None, *, schema_path: Any = None, resolver: Any = None
) -> Errors:
    spend = self.format_checker.spend
    spend(_price(schema))
    if nobody_knows(self, schema, instance):
        yield ValidationError("unknown")
        return
    for error in _descend(self, instance, schema, path, schema_path, resolver):
        # The texts quote the instance.
        spend(1 + len(error.message) // _CHARACTERS_A_POINT)
        if schema is False and path is not None:
            # The library leaves the path out of the error of this one schema.
            error.path.appendleft(path)
        yield error


def _iter_errors_counted(self: Any, instance: Any) -> Errors:
    spend = self.format_checker.spend
    spend(_price(self.schema))
    if nobody_knows(self, self.schema, instance):
        yield ValidationError("unknown")
        return
    for error in _iter_errors(self, instance):
        spend(1 + len(error.message) // _CHARACTERS_A_POINT)
        yield error


# Each schema that is applied passes through one of these two.
CountedValidator.descend = _descend_counted
CountedValidator.iter_errors = _iter_errors_counted
