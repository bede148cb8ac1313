"""One serializer, two components: what is sent has no read-only members, what is answered has all that are shown."""

from typing import Any

from rest_framework import serializers

#: Ends the name of a component that is sent. An answer's has none.
SENT_SUFFIX = "Request"

# A description says more than the column's name does, each direction has a component of its own, and what must not be
# empty is said below.
_UNTOLD = frozenset({"title", "readOnly", "writeOnly", "minLength"})


def named(name: str, direction: str) -> str:
    """The component's name in one direction. The suffix is there once, whoever put it there."""
    while name.endswith(SENT_SUFFIX * 2):
        name = name.removesuffix(SENT_SUFFIX)
    sent = direction == "request" and not name.endswith(SENT_SUFFIX)
    return f"{name}{SENT_SUFFIX}" if sent else name


def directed(schema: dict[str, Any], serializer: Any, direction: str) -> dict[str, Any]:
    """The schema of an object in one direction.

    An answer has every member, but those that a serializer names in `optional_in_answers`.
    """
    if direction == "request":
        return schema
    optional = getattr(serializer, "optional_in_answers", ())
    required = sorted(name for name in schema["properties"] if name not in optional)
    rest = {name: value for name, value in schema.items() if name != "required"}
    return {**rest, "required": required} if required else rest


def is_absent(field: Any, direction: str) -> bool:
    """Whether a field has no place in this direction."""
    return bool(field.read_only if direction == "request" else field.write_only)


def told(meta: dict[str, Any], field: Any, direction: str) -> dict[str, Any]:
    """What is said of a field beside its type, in one direction."""
    kept = {name: value for name, value in meta.items() if name not in _UNTOLD}
    if type(field) is serializers.JSONField:
        # What may be anything may be null.
        kept.pop("nullable", None)
    if direction == "request" and isinstance(field, serializers.CharField) and not field.allow_blank:
        return {**kept, "minLength": 1}
    return kept


def is_object(schema: Any, serializer: Any) -> bool:
    """Whether `schema` is that of a serializer's members, and not of an extension's making."""
    return isinstance(serializer, serializers.Serializer) and "properties" in schema
