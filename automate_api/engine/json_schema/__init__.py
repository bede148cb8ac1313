"""Checking values against JSON Schema, draft 2020-12, without ever fetching a reference, and in bounded time.

Schemas come from the staff of tenants, so they are no more trusted than the values: `check_schema` refuses what
nobody should store, and `check_value` applies the same rules again, to rows that were stored otherwise, and counts
its work.
"""

import json
from itertools import islice
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jsonschema.exceptions import UnknownType, ValidationError
from referencing.exceptions import Unresolvable

from automate_api.engine.json_schema.counted import MOST_POINTS, Count, TooComplex
from automate_api.engine.json_schema.patterns import UnsafePattern
from automate_api.engine.json_schema.sound import UNSAFE, Fault, prepare
from automate_api.engine.json_schema.unknown import Unknown
from automate_api.exceptions import FieldError, InvalidInput

__all__ = ["MOST_ERRORS", "Unknown", "check_schema", "check_value", "first_error", "require_valid"]

MOST_ERRORS = 20
_MOST_CHARACTERS = 120
_LONGEST_NAME = 64

# What ends a check, and what the caller is told.
_OBSTACLES: dict[type[Exception], tuple[str, Any]] = {
    TooComplex: ("too_complex", gettext_lazy("It takes too long to check this against its schema.")),
    Unresolvable: ("invalid_schema", gettext_lazy("The schema refers to something that is not there.")),
    OverflowError: ("too_large", gettext_lazy("This has a number that is too large to be checked.")),
    RecursionError: ("too_deep", gettext_lazy("This is nested too deeply.")),
    # A reference may lead to a default or an example, which nobody has checked to be a schema.
    **dict.fromkeys(
        (AttributeError, LookupError, TypeError, UnknownType, ValueError, ZeroDivisionError),
        ("invalid_schema", gettext_lazy("The schema refers to something that is no schema.")),
    ),
}


def check_schema(schema: Any, *, field: str) -> list[FieldError]:
    """What is wrong with `schema` itself, with the code `invalid_schema`; empty where it may be stored.

    Refused is what is no schema of draft 2020-12, refers outside itself, is too large or too deeply nested, has
    `$schema` or `$id` below the top, or a pattern that could take too long.
    """
    fault = prepare(schema).fault
    return [] if fault is None else [_invalid_schema(field, fault)]


def check_value(
    value: Any, schema: dict[str, Any], *, field: str, points: int = MOST_POINTS, partial: bool = False
) -> list[FieldError]:
    """What keeps `value` from fitting `schema`, at most `MOST_ERRORS`; each names a dotted path below `field`.

    Where it costs more than `points`, the only error has the code `too_complex`. With `partial`, an `Unknown` may stand
    for whatever in `value` is not known yet.
    """
    prepared = prepare(schema)
    if prepared.fault is not None:
        return [_invalid_schema(field, prepared.fault)]
    try:
        found = prepared.validator.evolve(format_checker=Count(points, partial=partial)).iter_errors(value)
        return list(dict.fromkeys(_described(error, field) for error in islice(found, MOST_ERRORS)))
    except UnsafePattern:
        return [_invalid_schema(field, Fault((), UNSAFE))]
    except tuple(_OBSTACLES) as exc:
        code, detail = next(told for kind, told in _OBSTACLES.items() if isinstance(exc, kind))
        return [FieldError(field, code, str(detail))]


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


def _invalid_schema(field: str, fault: Fault) -> FieldError:
    return FieldError(_join(field, *fault.path), "invalid_schema", str(fault.detail))


def _described(error: ValidationError, field: str) -> FieldError:
    keyword, wanted = str(error.validator), cast("Any", error.validator_value)
    path = _join(field, *(str(part)[:_LONGEST_NAME] for part in error.absolute_path))
    if error.schema is False:
        return FieldError(path, "unknown_field", _("This field is not known here."))
    if keyword in {"required", "dependentRequired"}:
        return FieldError(path, "required", _("This field is required."))
    rule = json.dumps(wanted, ensure_ascii=False)[:_MOST_CHARACTERS]
    detail = _("This does not satisfy %(keyword)s: %(rule)s.") % {"keyword": keyword, "rule": rule}
    return FieldError(path, keyword, detail)


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
