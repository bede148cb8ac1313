"""A cache that processes share and that has no scripts, as Memcached is."""

from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache


class UnscriptedCache(BaseCache):
    """A Redis of which only what every cache of Django's has is used."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(location, params)

    def add(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._redis.add(key, *args, **kwargs))

    def get(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        return self._redis.get(key, *args, **kwargs)

    def set(self, key: Any, *args: Any, **kwargs: Any) -> None:
        self._redis.set(key, *args, **kwargs)

    def delete(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        return bool(self._redis.delete(key, *args, **kwargs))

    def incr(self, key: Any, *args: Any, **kwargs: Any) -> int:
        return int(self._redis.incr(key, *args, **kwargs))
