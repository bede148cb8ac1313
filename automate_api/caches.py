"""Which of Django's caches several processes share, and the Redis behind one of Django's."""

from typing import Any

from django.core.cache import BaseCache, InvalidCacheBackendError, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCacheClient

_clients: dict[tuple[Any, ...], Any] = {}


def find_cache(name: str) -> BaseCache | InvalidCacheBackendError:
    """The cache that `CACHES` calls `name`, or why there is none."""
    try:
        return caches[str(name)]
    except InvalidCacheBackendError as exc:
        return exc


def why_not_shared(cache: type[BaseCache]) -> str | None:
    """Why processes do not share what they keep and count in a cache of this class; None: they do."""
    if issubclass(cache, DummyCache):
        return "which keeps nothing"
    if issubclass(cache, LocMemCache):
        return "which each process has to itself"
    if cache.incr is BaseCache.incr:
        return "which reads and then writes, so that what others write at the same moment is lost"
    return None


def redis_client(cache: Any, name: str) -> Any:
    """The client of one of Django's Redis caches for the key `name`, one a process: that of the server it writes to.

    Django makes one for every use of a cache, which takes longer than asking it; and under ASGI a cache, with its
    connections, for every request.
    """
    source = cache._cache  # noqa: SLF001 - Django has no public way to its Redis client
    kind = type(source)
    if kind is not RedisCacheClient:  # it may choose a server by the key
        return source.get_client(name, write=True)
    own = (source._servers[0], source._pool_class, repr(source._pool_options))  # noqa: SLF001
    if own not in _clients:
        _clients[own] = source.get_client(name, write=True)
    return _clients[own]


def loaded(cache: Any, value: Any) -> Any:
    """What `set()` of one of Django's Redis caches has made `value` of."""
    return cache._cache._serializer.loads(value)  # noqa: SLF001 - as above
