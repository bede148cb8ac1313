"""Checking values against JSON Schema, draft 2020-12, without ever fetching a reference."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from automate_api.exceptions import FieldError, InvalidInput

# A registry that retrieves nothing: a `$ref` to another document is unresolvable instead of fetched.
_CLOSED: Registry[Any] = Registry()

MOST_ERRORS = 20
_MOST_CHARACTERS = 120


def check_schema(schema: Any, *, field: str) -> list[FieldError]:
    """What is wrong with `schema` itself: not a schema, or one that refers outside itself."""
    if not isinstance(schema, dict):
        return [FieldError(field, "invalid_schema", _("A JSON Schema is an object."))]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        return [FieldError(_path(field, exc), "invalid_schema", _("This is not a JSON Schema of draft 2020-12."))]
    except RecursionError:
        return [FieldError(field, "invalid_schema", _("The schema is nested too deeply."))]
    except OverflowError:
        return [FieldError(field, "invalid_schema", _("The schema has a pattern that repeats too often."))]
    outside = [ref for ref in _references(schema) if not ref.startswith("#")]
    if outside:
        return [FieldError(field, "invalid_schema", _("A schema may refer only to itself, with `#…`."))]
    return []


def check_value(value: Any, schema: dict[str, Any], *, field: str) -> list[FieldError]:
    """What keeps `value` from fitting `schema`, at most `MOST_ERRORS`; each names a dotted path below `field`."""
    validator = Draft202012Validator(schema, registry=_CLOSED)
    try:
        found = islice(validator.iter_errors(value), MOST_ERRORS)
        return list(dict.fromkeys(described for error in found for described in _described(error, field)))
    except Unresolvable:
        return [FieldError(field, "invalid_schema", _("The schema refers to something that is not there."))]
    except OverflowError:
        return [FieldError(field, "too_large", _("This has a number that is too large to be checked."))]
    except RecursionError:
        return [FieldError(field, "too_deep", _("This is nested too deeply."))]


def first_error(value: Any, schema: dict[str, Any]) -> FieldError | None:
    """The first thing wrong with `value`, or None where it fits."""
    return next(iter(check_value(value, schema, field="")), None)


def require_valid(errors: list[FieldError]) -> None:
    """Raise them, if there are any.

    Raises:
        InvalidInput: with `errors`.
    """
    if errors:
        raise InvalidInput(errors)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _described(error: ValidationError, field: str) -> list[FieldError]:
    keyword, path, wanted = str(error.validator), _path(field, error), cast("Any", error.validator_value)
    given, schema = cast("Any", error.instance), cast("Any", error.schema)
    if keyword == "required":
        missing = [name for name in wanted if name not in given]
        return [FieldError(_join(path, name), "required", _("This field is required.")) for name in missing]
    if keyword == "additionalProperties":
        unknown = [str(name)[:64] for name in given if name not in schema.get("properties", {})][:MOST_ERRORS]
        return [FieldError(_join(path, name), "unknown_field", _("This field is not known here.")) for name in unknown]
    if error.schema is False:
        return [FieldError(path, "unknown_field", _("This field is not known here."))]
    rule = json.dumps(wanted, ensure_ascii=False)[:_MOST_CHARACTERS]
    detail = _("This does not satisfy %(keyword)s: %(rule)s.") % {"keyword": keyword, "rule": rule}
    return [FieldError(path, keyword, detail)]


def _path(field: str, error: ValidationError | SchemaError) -> str:
    return _join(field, *(str(part) for part in error.absolute_path))


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
