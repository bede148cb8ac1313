"""The fields of a serializer, worked out once for its class.

REST framework looks at the model and makes every field anew for each serializer, which costs more than validating or
representing a row. Here that is done for the first serializer of a class; later ones get copies of what was made, each
their own to change.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.core.signals import setting_changed
from rest_framework.fields import Field
from rest_framework.serializers import ModelSerializer, Serializer
from rest_framework.utils.serializer_helpers import BindingDict

# What decides on the fields; a serializer class with its own say in any of these is left to REST framework.
_DECIDING = (
    "get_fields",
    "get_field_names",
    "get_default_field_names",
    "get_extra_kwargs",
    "get_uniqueness_extra_kwargs",
    "include_extra_kwargs",
    "build_field",
    "build_standard_field",
    "build_relational_field",
    "build_nested_field",
    "build_property_field",
    "build_url_field",
    "build_unknown_field",
)

# Modules whose fields are what their attributes say; others' may do anything when they are made.
_KNOWN = ("rest_framework.", "automate_api.")

_CHANGEABLE = (list, dict, set)

Copy = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prototypes:
    """The fields of a serializer class as functions that copy them for a parent, and the `Meta` they were made by."""

    meta: Mapping[str, Any]
    copies: Mapping[str, Copy]


_prototypes: WeakKeyDictionary[type[Any], _Prototypes] = WeakKeyDictionary()


def take_fields(serializer: Serializer[Any]) -> bool:
    """Give `serializer` its fields, unless it has them; whether they could be copied from prototypes.

    Where not, everything is left as it is: the class decides on its fields by code of its own.
    """
    cls = type(serializer)
    if "fields" in serializer.__dict__ or not _is_plain(cls):
        return False
    found = _prototypes.get(cls)
    if found is None or found.meta != _meta_of(cls):
        found = _Prototypes(_meta_of(cls), {name: _copier(field) for name, field in serializer.fields.items()})
        _prototypes[cls] = found
        return True
    fields = BindingDict(serializer)
    for name, make in found.copies.items():
        field = make(serializer)
        if field.parent is None:
            fields[name] = field
        else:
            fields.fields[name] = field
    serializer.__dict__["fields"] = fields
    return True


def _is_plain(cls: type[Any]) -> bool:
    if cls.fields is not Serializer.fields:
        return False
    names = _DECIDING if issubclass(cls, ModelSerializer) else _DECIDING[:1]
    return all(getattr(cls, name).__module__ == Serializer.__module__ for name in names)


def _meta_of(cls: type[Any]) -> dict[str, Any]:
    """What `Meta` says now: some change it as they go."""
    return {name: _own(value) for name, value in vars(cls.Meta).items()} if hasattr(cls, "Meta") else {}


def _copier(field: Field[Any, Any, Any, Any]) -> Copy:
    """A function that copies `field`, as it is now, for a parent. What it gives is bound unless its parent is None."""
    cls = type(field)
    if not cls.__module__.startswith(_KNOWN):
        template = copy.deepcopy(field)
        return lambda _parent: copy.deepcopy(template)
    state = {name: _own(value) for name, value in vars(field).items() if name not in {"parent", "fields"}}
    changeable = [name for name, value in state.items() if isinstance(value, _CHANGEABLE)]
    inner = {name: _copier(value) for name, value in state.items() if isinstance(value, Field)}

    def make(parent: Any) -> Any:
        made = object.__new__(cls)
        own = made.__dict__
        own.update(state)
        own["parent"] = parent
        for name in changeable:
            own[name] = state[name].copy()
        for name, make_inner in inner.items():
            own[name] = child = make_inner(made)
            if child.parent is None:
                child.bind(field_name="", parent=made)
        return made

    return make


def _own(value: Any) -> Any:
    return value.copy() if isinstance(value, _CHANGEABLE) else value


def _forget(*, setting: str, **kwargs: Any) -> None:
    # Some of REST framework's settings are read when a field is made.
    if setting == "REST_FRAMEWORK":
        _prototypes.clear()


setting_changed.connect(_forget)
