"""What holds on a developer's machine, and no longer in production."""

from collections.abc import Iterator
from typing import Any

from corsheaders.conf import conf as cors
from django.conf import settings
from django.core import checks
from django.core.cache import InvalidCacheBackendError
from django.core.cache.backends.base import BaseCache
from django.core.checks import CheckMessage, Error, register
from django.db import connections

from automate_api.caches import find_cache, why_not_shared
from automate_api.checks.reading import TAG, has_cors_middleware, in_production
from automate_api.conf import settings as package


def _counters() -> tuple[str, BaseCache | InvalidCacheBackendError]:
    """The name of the cache that counts limits, and itself, or why there is none."""
    name = str(getattr(settings, "RATELIMIT_USE_CACHE", "default"))
    return name, find_cache(name)


@register(TAG)
def check_counters(**kwargs: Any) -> list[CheckMessage]:
    """E010: the cache that counts limits does not exist."""
    name, cache = _counters()
    if isinstance(cache, BaseCache):
        return []
    message = f"Every limited request is refused, since there is no cache {name!r} to count in: {cache}"
    hint = f"Correct CACHES, or name one of them in RATELIMIT_USE_CACHE: {', '.join(settings.CACHES)}."
    return [Error(message, hint=hint, id="automate_api.E010")]


@in_production
def check_shared_counters(**kwargs: Any) -> list[CheckMessage]:
    """W009: limits are counted in a cache that several processes cannot count in together."""
    name, cache = _counters()
    why = why_not_shared(type(cache)) if isinstance(cache, BaseCache) else None
    if why is None:
        return []
    message = f"Limits are counted in the cache {name!r}, {why}: they hold several times over, or not at all."
    hint = "Use Redis or Memcached, in CACHES['default'] or in a cache that RATELIMIT_USE_CACHE names."
    return [checks.Warning(message, hint=hint, id="automate_api.W009")]


@register(TAG)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    """E033: `AUTOMATE_API_CACHE` names no cache."""
    name = package.cache
    cache = None if name is None else find_cache(name)
    if not isinstance(cache, InvalidCacheBackendError):
        return []
    message = f"There is no cache {name!r} to keep API keys in, so that each request reads its own: {cache}"
    hint = f"Correct CACHES, or name one of them in AUTOMATE_API_CACHE: {', '.join(settings.CACHES)}; or None."
    return [Error(message, hint=hint, id="automate_api.E033")]


@in_production
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """W020, W021: there are no limits, or none while their cache is away."""
    found: list[CheckMessage] = []
    if getattr(settings, "RATELIMIT_FAIL_OPEN", False):
        message = "While the cache that counts limits does not answer, there are none: RATELIMIT_FAIL_OPEN is set."
        hint = "Leave it out, and such requests get 429. Silence this if you would rather serve them."
        found.append(checks.Warning(message, hint=hint, id="automate_api.W020"))
    if not getattr(settings, "RATELIMIT_ENABLE", True):
        message = "No limit holds, those of public views neither: RATELIMIT_ENABLE is off."
        found.append(checks.Warning(message, hint="Leave the setting out.", id="automate_api.W021"))
    return found


@in_production
def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """W024: a proxy is in front, and callers are told apart by its address."""
    signs = [name for name in ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST") if getattr(settings, name)]
    if not signs or package.get("PROXY_COUNT", 0):
        return []
    message = f"{signs[0]} tells of a proxy, and AUTOMATE_API_PROXY_COUNT of none: limits take it for every caller."
    hint = "Count your proxies. Silence this if your server puts the caller's address in REMOTE_ADDR, as Uvicorn can."
    return [checks.Warning(message, hint=hint, id="automate_api.W024")]


@in_production
def check_origins(**kwargs: Any) -> list[CheckMessage]:
    """E015: any page may read what a signed-in visitor may."""
    if not (has_cors_middleware() and cors.CORS_ALLOW_ALL_ORIGINS and cors.CORS_ALLOW_CREDENTIALS):
        return []
    message = "Any page can read with its visitor's session: CORS_ALLOW_ALL_ORIGINS and CORS_ALLOW_CREDENTIALS are on."
    hint = "List the origins in CORS_ALLOWED_ORIGINS, or turn CORS_ALLOW_CREDENTIALS off."
    return [Error(message, hint=hint, id="automate_api.E015")]


@in_production
def check_connections(**kwargs: Any) -> list[CheckMessage]:
    """W022: each request connects to a database server anew."""
    hint = (
        "Connecting and one SELECT took 11 ms on PostgreSQL where the SELECT took 0.26. Set CONN_MAX_AGE = 60 and "
        "CONN_HEALTH_CHECKS = True; under ASGI OPTIONS = {'pool': True} instead, with psycopg[pool]. "
        "Silence this if a pooler such as PgBouncer stands beside the application."
    )
    return [
        checks.Warning(f"Each request opens a connection to DATABASES[{alias!r}].", hint=hint, id="automate_api.W022")
        for alias in _reconnecting()
    ]


def _reconnecting() -> Iterator[str]:
    for connection in connections.all():
        options = connection.settings_dict
        if connection.vendor != "sqlite" and options["CONN_MAX_AGE"] == 0 and not options["OPTIONS"].get("pool"):
            yield connection.alias
