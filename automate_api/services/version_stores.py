"""Where the versions of `freshness.py` are: in a Redis, in another cache that processes share, or in the database."""

import hashlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from django.core.cache import BaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import router

from automate_api.caches import loaded, redis_client
from automate_api.exceptions import CacheUnavailable
from automate_api.models import ChangeCounter

logger = logging.getLogger(__name__)

# Seconds after which a change that was announced and never ended is taken for over: its process was killed, or its
# transaction rolled back. No transaction that announces changes may take longer.
MARK_LIFE = 60

# Seconds for which a version is kept. One that is forgotten is made anew, and never like the old one.
_VERSION_LIFE = 86_400

# Each scope is a hash: `version`, and under the token of each change that is going on the time of its end.
_MARK = """
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2] * 1000
for _, key in ipairs(KEYS) do
  redis.call('HDEL', key, 'version')
  redis.call('HSET', key, ARGV[1], string.format('%d', ends))
  redis.call('EXPIRE', key, ARGV[2] + 1)
end
"""
_UNMARK = "for _, key in ipairs(KEYS) do redis.call('HDEL', key, 'version', ARGV[1]) end"
# With a further key, what is kept there comes with the versions of the others.
_READ = """
local time, versions, is_changing = redis.call('TIME'), {}, false
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local scopes = tonumber(ARGV[3])
for place = 1, scopes do
  local key = KEYS[place]
  local fields = redis.call('HGETALL', key)
  for n = 1, #fields, 2 do
    if fields[n] == 'version' then versions[place] = fields[n + 1]
    elseif tonumber(fields[n + 1]) > now then is_changing = true
    else redis.call('HDEL', key, fields[n]) end
  end
  if not is_changing and not versions[place] then
    versions[place] = ARGV[1]
    redis.call('HSET', key, 'version', ARGV[1])
    redis.call('EXPIRE', key, ARGV[2])
  end
end
return {not is_changing and versions, KEYS[scopes + 1] and redis.call('GET', KEYS[scopes + 1]) or false}
"""


class VersionStore(Protocol):
    """What has a version for each scope."""

    def begin(self, scopes: Sequence[str], *, token: str, using: str) -> None:
        """From now on nobody is told a version of `scopes`, or only the old ones until the transaction is committed.

        Raises:
            CacheUnavailable: that could not be done.
        """

    def end(self, scopes: Sequence[str], *, token: str) -> None:
        """The change that `begin()` announced as `token` is committed: there are new versions."""

    def read(self, scopes: Sequence[str], *, also: str | None = None) -> tuple[Mapping[str, str] | None, Any]:
        """The versions; None: one of them is changing, or nothing can be told.

        And what the cache keeps as `also`; None where it keeps nothing, or is not asked.
        """


class RedisVersions:
    """Versions in a Redis, each step one script: exact, whoever changes at once, and whoever is killed."""

    def __init__(self, cache: RedisCache) -> None:
        self._cache = cache

    def begin(self, scopes: Sequence[str], *, token: str, using: str) -> None:
        """Drop the versions and leave a mark of this change, beside those of others."""
        try:
            self._run(_MARK, scopes, token, MARK_LIFE)
        except Exception as exc:
            raise _unavailable(exc) from exc

    def end(self, scopes: Sequence[str], *, token: str) -> None:
        """Take away this change's marks and no other's, and a version that was made since, if a mark had expired."""
        self._run(_UNMARK, scopes, token)

    def read(self, scopes: Sequence[str], *, also: str | None = None) -> tuple[Mapping[str, str] | None, Any]:
        """The versions, new ones where there are none, None where anybody's mark stands; and what is kept as `also`."""
        further = [] if also is None else [self._cache.make_and_validate_key(also)]
        found, kept = self._run(_READ, scopes, secrets.token_hex(16), _VERSION_LIFE, len(scopes), further=further)
        versions = None if found is None else dict(zip(scopes, map(_text, found), strict=True))
        return versions, None if kept is None else loaded(self._cache, kept)

    def _run(self, script: str, scopes: Sequence[str], *arguments: Any, further: Sequence[str] = ()) -> Any:
        names = [*(self._cache.make_and_validate_key(_key(scope)) for scope in scopes), *further]
        return redis_client(self._cache, names[0]).eval(script, len(names), *names, *arguments)


class CachedVersions:
    """Versions in a cache that has no scripts, such as Memcached.

    Nobody can take away a mark there and be sure that it is still its own, so that marks expire: for `MARK_LIFE` after
    a change what is under its scopes is not cached.
    """

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    def begin(self, scopes: Sequence[str], *, token: str, using: str) -> None:
        """Put a mark in the place of each version."""
        try:
            self._mark(scopes, token)
            # Some clients say nothing where nothing was stored.
            found = self._cache.get_many([_key(scope) for scope in scopes])
            if not all(_is_mark(found.get(_key(scope))) for scope in scopes):
                raise CacheUnavailable
        except Exception as exc:
            raise _unavailable(exc) from exc

    def end(self, scopes: Sequence[str], *, token: str) -> None:
        """Put the marks there again, for as long as a transaction that was begun meanwhile may take."""
        self._mark(scopes, token)

    def read(self, scopes: Sequence[str], *, also: str | None = None) -> tuple[Mapping[str, str] | None, Any]:
        """The versions, new ones where there are none, None where a mark stands; and what was kept before as `also`."""
        # First: what is read after its versions may be of newer rows than they tell.
        kept = None if also is None else self._cache.get(also)
        return self._read(scopes), kept

    def _read(self, scopes: Sequence[str]) -> Mapping[str, str] | None:
        keys = {scope: _key(scope) for scope in scopes}
        found = self._cache.get_many(keys.values())
        missing = [key for key in keys.values() if key not in found]
        for key in missing:
            self._cache.add(key, secrets.token_hex(16), _VERSION_LIFE)
        if missing:
            found = self._cache.get_many(keys.values())
        if any(key not in found or _is_mark(found[key]) for key in keys.values()):
            return None
        return {scope: str(found[key]) for scope, key in keys.items()}

    def _mark(self, scopes: Sequence[str], token: str) -> None:
        self._cache.set_many({_key(scope): f"changing:{token}" for scope in scopes}, MARK_LIFE)


class CountedVersions:
    """Versions in the database, for the scopes that are worth a row."""

    def begin(self, scopes: Sequence[str], *, token: str, using: str) -> None:
        """Count them up in the present transaction."""
        stored = [scope for scope in scopes if _is_stored(scope)]
        if stored:
            ChangeCounter.count_up(stored, using=using)

    def end(self, scopes: Sequence[str], *, token: str) -> None:
        """Nothing is left to do."""

    def read(self, scopes: Sequence[str], *, also: str | None = None) -> tuple[Mapping[str, str] | None, Any]:
        """The versions, by one query; None where one of them is of no scope that is stored. Nothing is kept."""
        if not all(_is_stored(scope) for scope in scopes):
            return None, None
        # Of the database that is written to: a replica could tell an old version after new rows, or be told one.
        rows = ChangeCounter.objects.using(router.db_for_write(ChangeCounter)).filter(pk__in=scopes)
        found = dict(rows.values_list("scope", "version"))
        return {scope: str(found.get(scope, 0)) for scope in scopes}, None


def _is_stored(scope: str) -> bool:
    # What lies under these is one row, which is read as fast as its counter.
    return not scope.startswith(("key:", "user:"))


def _is_mark(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("changing:")


def _key(scope: str) -> str:
    # A tenant's name may have what no cache takes as a key.
    return f"automate-api:version:{hashlib.sha256(scope.encode()).hexdigest()}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _unavailable(exc: Exception) -> CacheUnavailable:
    logger.error("The shared cache does not answer, so that it cannot be told of a change: %s", type(exc).__name__)
    return CacheUnavailable()
