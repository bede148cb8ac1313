"""System checks on the host's views."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's name for it
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.generics import GenericAPIView

from automate_api.v1.base import TenantFilterMixin

_COLUMN = TenantFilterMixin.tenant_field


@register("automate_api")
def check_tenant_filters(**kwargs: Any) -> list[CheckMessage]:
    """W006: a routed view shows a model that has the tenant column, and does not filter by it."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    views = dict.fromkeys(_views(get_resolver().url_patterns))
    return [_unfiltered(view) for view in views if _has_tenant(view) and not issubclass(view, TenantFilterMixin)]


def _unfiltered(view: type) -> CheckMessage:
    message = f"{view.__module__}.{view.__qualname__} shows rows of every tenant: its model has {_COLUMN!r}."
    hint = "Put automate_api.v1.base.TenantFilterMixin first in its bases, or silence this if that is meant."
    return Warning(message, hint=hint, obj=view, id="automate_api.W006")


def _has_tenant(view: type) -> bool:
    model: Any = getattr(getattr(view, "queryset", None), "model", None)
    return model is not None and any(field.name == _COLUMN for field in model._meta.concrete_fields)  # noqa: SLF001


def _views(patterns: Iterable[Any]) -> Iterator[type]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, GenericAPIView):
                yield view
