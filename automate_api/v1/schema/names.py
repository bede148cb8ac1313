"""Names in the OpenAPI description: stable, and out of the way of a host's own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.urls import URLPattern, URLResolver, get_resolver
from inflection import camelize
from rest_framework.serializers import BaseSerializer, ModelSerializer

PREFIX = "Automate"
PACKAGES = frozenset({"automate", "automate_api", "automate_datachat", "automate_modal", "automate_studio", "rag"})

_VERBS = {
    "list": "list",
    "create": "create",
    "retrieve": "retrieve",
    "update": "replace",
    "partial_update": "change",
    "destroy": "delete",
}

_routes: WeakKeyDictionary[URLResolver, Mapping[str, str]] = WeakKeyDictionary()


def is_ours(cls: type) -> bool:
    """Whether a class is defined in this distribution."""
    return cls.__module__.partition(".")[0] in PACKAGES


def prefixed(name: str) -> str:
    """`name` with the prefix of our components."""
    return name if name.startswith(PREFIX) else f"{PREFIX}{name}"


def member(field: Any) -> Any:
    """The field of a serializer that `field` is, or stands in, as the items of a list do."""
    while field.parent is not None and not (field.field_name and isinstance(field.parent, BaseSerializer)):
        field = field.parent
    return field


def choices_name(field: Any) -> str | None:
    """The component of a choice field's values: named after the model and its column, else the serializer and field.

    None for a field of a serializer that has nothing to do with ours.
    """
    field = member(field)
    owner = type(field.parent)
    if field.parent is None or not any(is_ours(cls) for cls in owner.__mro__):
        return None
    base = owner.Meta.model if issubclass(owner, ModelSerializer) else owner
    return prefixed(f"{base.__name__.removesuffix('Serializer')}{camelize(field.field_name)}")


def operation_id(view: Any, path_regex: str, method: str) -> str | None:
    """An operation's id, made of its route's name and, on a viewset, the action; None where the route has no name.

    The name includes the namespace, so a host's routes of the same name do not clash; a view of ours whose routes have
    none brings its `operation_namespace`.
    """
    route = _routes_of(get_resolver()).get(path_regex)
    if route and ":" not in route and hasattr(view, "operation_namespace"):
        route = f"{view.operation_namespace}:{route}"
    action = getattr(view, "action", None)
    basename = getattr(view, "basename", None)
    if action and basename:
        namespace = (route or "").rpartition(":")[0]
        parts = [namespace, basename, action]
    elif route:
        parts = [route, action or ""]
    else:
        return None
    if _shared_by_methods(view, action):
        parts.append(method.lower())
    return re.sub(r"\W+", "_", "_".join(part for part in parts if part))


def summary(view: Any, method: str) -> str | None:
    """An operation's short title, such as `Replace provider`; None for views that no router named."""
    action, basename = getattr(view, "action", None), getattr(view, "basename", None)
    if not action or not basename:
        return None
    noun = _noun(view, basename.replace("-", " "))
    words = f"{_VERBS[action]} {noun}" if action in _VERBS else f"{noun}: {action.replace('_', ' ')}"
    words += "s" if action == "list" else ""
    return words[0].upper() + words[1:] + (f" ({method.lower()})" if _shared_by_methods(view, action) else "")


def _noun(view: Any, noun: str) -> str:
    # The model knows which letters are large.
    rows = getattr(view, "queryset", None)
    name = str(rows.model._meta.verbose_name) if rows is not None else ""  # noqa: SLF001 - Django's public name
    return name if name.lower() == noun else noun


def _shared_by_methods(view: Any, action: str | None) -> bool:
    if action:
        bound = [name for method, name in (view.action_map or {}).items() if method != "head"]
        return bound.count(action) > 1
    return len(set(view.allowed_methods) - {"OPTIONS", "HEAD"}) > 1


def _routes_of(resolver: URLResolver) -> Mapping[str, str]:
    if resolver not in _routes:
        _routes[resolver] = dict(_named(resolver.url_patterns, "", ()))
    return _routes[resolver]


def _named(patterns: Sequence[Any], prefix: str, namespaces: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern) and pattern.name:
            yield path, ":".join((*namespaces, pattern.name))
        elif isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _named(pattern.url_patterns, path, inner)
