"""What the checks share."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import wraps
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.checks import CheckMessage, register
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

TAG = "automate_api"

Check = Callable[..., list[CheckMessage]]


def in_production(check: Check) -> Check:
    """Register a check of `check --deploy`, which has nothing to say while `DEBUG` is on."""

    @register(TAG, deploy=True)
    @wraps(check)
    def run(**kwargs: Any) -> list[CheckMessage]:
        return [] if settings.DEBUG else check(**kwargs)

    return run


def is_listing(value: Any) -> bool:
    """Whether a value lists things: a string, which would be taken for its letters, does not."""
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def listed(value: Any) -> Collection[Any]:
    """What a value lists; nothing where it does not, of which E019 tells."""
    return value if is_listing(value) else ()


def url_patterns() -> Iterator[URLPattern]:
    """The host's routes, those that are included too."""
    if getattr(settings, "ROOT_URLCONF", None):
        yield from _within(get_resolver().url_patterns)


def _within(patterns: Iterable[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _within(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern


def has_cors_middleware() -> bool:
    """Whether django-cors-headers' middleware, or one made of it, answers before the views do."""
    return any(_is_cors_middleware(path) for path in settings.MIDDLEWARE)


def _is_cors_middleware(path: str) -> bool:
    try:
        middleware = import_string(path)
    except ImportError:
        return False
    return isinstance(middleware, type) and issubclass(middleware, CorsMiddleware)
