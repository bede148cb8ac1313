"""Rows on the wire, by the same fields and in the same words as REST framework's, in a fraction of the time.

For every value of every row REST framework asks the field how to find it and what to make of it. Here the fields are
asked once a serializer, and values that are represented as they are pass through. Whatever is out of the ordinary, a
field of a host's own, an attribute that is missing or must be called, goes REST framework's way, field by field.
"""

import datetime
from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Model
from rest_framework import ISO_8601, fields
from rest_framework.fields import Field, SkipField
from rest_framework.relations import PKOnlyObject, PrimaryKeyRelatedField, RelatedField
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer
from rest_framework.settings import api_settings

from automate_api.v1.serializers.prototypes import take_fields

# The methods of REST framework's that give values of these types back as they are.
_AS_THEY_ARE: dict[Any, frozenset[type]] = {
    fields.BooleanField.to_representation: frozenset({bool}),
    fields.CharField.to_representation: frozenset({str}),
    fields.FloatField.to_representation: frozenset({float}),
    fields.IntegerField.to_representation: frozenset({int}),
}
_JSON = frozenset({str, int, float, bool, list, dict})
_KEYS = frozenset({str, int, UUID})
_NONE: frozenset[type] = frozenset()

_Read = Callable[[Any], Any]
# A field, how to find its value, the types of values that are represented as they are, and how others are.
_Reader = tuple[Any, _Read | None, frozenset[type], Callable[[Any], Any]]


def prepare(serializer: BaseSerializer[Any]) -> None:
    """Let `serializer`, just made, have its fields and represent rows faster. A class of its own ways keeps them."""
    one: Any = serializer.child if isinstance(serializer, ListSerializer) else serializer
    if not isinstance(one, Serializer) or not take_fields(one):
        return
    for field in one.fields.values():
        if isinstance(field, BaseSerializer):
            prepare(field)
    if type(one).to_representation is Serializer.to_representation:
        quick: Any = Representation(one)
        one.to_representation = quick  # type: ignore[method-assign]


class Representation:
    """`to_representation` of one serializer."""

    def __init__(self, serializer: Serializer[Any]) -> None:
        self._serializer = serializer
        self._readers: dict[bool, list[_Reader]] = {}

    def __call__(self, instance: Any) -> Any:
        """The row, a model's or a dict, as a dict of what JSON has."""
        is_row = isinstance(instance, Model)
        if not is_row and type(instance) is not dict:
            return Serializer.to_representation(self._serializer, instance)
        readers = self._readers.get(is_row)
        if readers is None:
            readers = self._readers[is_row] = self._made(is_row)
        shown: dict[str, Any] = {}
        for field, read, plain, represent in readers:
            try:
                value = read(instance) if read else _unknown
            except Exception:  # noqa: BLE001 - asked again, it is raised where REST framework lets it
                value = _unknown
            if value is None or type(value) in plain:
                shown[field.field_name] = value
            elif callable(value):
                _represent(field, instance, shown)
            else:
                shown[field.field_name] = represent(value)
        return shown

    def _made(self, is_row: bool) -> list[_Reader]:
        make = _reader_of_row if is_row else _reader_of_dict
        return [make(field) for field in self._serializer.fields.values() if not field.write_only]


def _unknown() -> None:
    """Stands for a value that REST framework's own way has to find."""


def _represent(field: Any, instance: Any, shown: dict[str, Any]) -> None:
    """As REST framework does it for one field."""
    try:
        attribute = field.get_attribute(instance)
    except SkipField:
        return
    value = attribute.pk if isinstance(attribute, PKOnlyObject) else attribute
    shown[field.field_name] = None if value is None else field.to_representation(attribute)


def _reader_of_row(field: Any) -> _Reader:
    if _is_plain_key(field):
        return field, _key_reader(field.source_attrs[0]), _KEYS, field.to_representation
    if _function(field.get_attribute) is not Field.get_attribute or not field.source_attrs:
        return field, None, _NONE, field.to_representation
    return field, attrgetter(field.source), *_words(field)


def _reader_of_dict(field: Any) -> _Reader:
    if _function(field.get_attribute) is not Field.get_attribute or len(field.source_attrs) != 1:
        return field, None, _NONE, field.to_representation
    return field, itemgetter(field.source), *_words(field)


def _words(field: Any) -> tuple[frozenset[type], Callable[[Any], Any]]:
    """The types of values that `field` represents as they are, and how it represents others."""
    function = _function(field.to_representation)
    if function is fields.JSONField.to_representation:
        return (_NONE if field.binary else _JSON), field.to_representation
    if function is fields.DateTimeField.to_representation:
        return _NONE, _moment(field)
    return _AS_THEY_ARE.get(function, _NONE), field.to_representation


def _function(method: Any) -> Any:
    """What is called, for somebody may have put another in the method's place on the instance."""
    return getattr(method, "__func__", None)


def _is_plain_key(field: Any) -> bool:
    return (
        isinstance(field, PrimaryKeyRelatedField)
        and _function(field.get_attribute) is RelatedField.get_attribute
        and _function(field.use_pk_only_optimization) is PrimaryKeyRelatedField.use_pk_only_optimization
        and _function(field.to_representation) is PrimaryKeyRelatedField.to_representation
        and field.pk_field is None
        and len(field.source_attrs) == 1
    )


def _key_reader(name: str) -> _Read:
    def read(row: Model) -> Any:
        key = row.serializable_value(name)
        return key if key is None or type(key) in _KEYS else _unknown

    return read


def _moment(field: Any) -> Callable[[Any], Any]:
    """How a `DateTimeField` writes a time, with what it asks for each time asked once."""
    in_words: Callable[[Any], Any] = field.to_representation
    form = getattr(field, "format", api_settings.DATETIME_FORMAT)
    is_plain = _function(field.enforce_timezone) is fields.DateTimeField.enforce_timezone
    zone = field.timezone if hasattr(field, "timezone") else field.default_timezone()
    if not is_plain or zone is None or not isinstance(form, str) or form.lower() != ISO_8601:
        return in_words

    def write(value: Any) -> Any:
        if type(value) is not datetime.datetime or value.utcoffset() is None:
            return in_words(value)
        try:
            text = value.astimezone(zone).isoformat()
        except OverflowError:
            return in_words(value)
        return f"{text[:-6]}Z" if text.endswith("+00:00") else text

    return write
