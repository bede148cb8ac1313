"""Whether anything has changed since it was cached: exactly, in every process, also when one of them is killed.

Whoever changes rows names the scopes that they lie under, before it touches them and in the same transaction. Whoever
caches what it reads takes the versions of the scopes before it reads, keeps them with it, and compares them before it
uses it: what has the same versions is what the database would answer.

A scope is a short string that says what may have changed: `key:<hex id>` and `user:<pk>` (one row), `tenant:<id>`
(anything of a tenant), `people` (who is in which group).

On a cache that processes share the versions are random tokens in it and cost no query. A scope that is changing has
none, from before the rows are touched until after they are committed, and then gets one that it never had. Without
such a cache they are counted in the database (`ChangeCounter`), within the transaction that changes the rows.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from automate_api.caches import find_cache, why_not_shared
from automate_api.conf import settings
from automate_api.exceptions import CacheUnavailable
from automate_api.models import ChangeCounter
from automate_api.services.version_stores import CachedVersions, CountedVersions, RedisVersions, VersionStore

logger = logging.getLogger(__name__)


def shared_cache() -> BaseCache | None:
    """The cache of `AUTOMATE_API_CACHE`, if several processes share it; None where there is no such cache."""
    name = settings.cache
    cache = None if name is None else find_cache(name)
    return cache if isinstance(cache, BaseCache) and why_not_shared(type(cache)) is None else None


def changing(*scopes: str, using: str | None = None, required: bool = True) -> None:
    """Say that something under `scopes` is about to change.

    Call it in the transaction that makes the change, before any row is touched, and once with all scopes: it may hold
    others who name them until the transaction ends.

    A transaction that announces changes must not take longer than a minute. One that is rolled back or killed keeps
    what is under its scopes from being cached for so long.

    Args:
        scopes: what changes.
        using: its database, the one of this package unless given.
        required: whether the change must not be made where it cannot be announced. If not, what others have cached may
            count for them until it expires: for a minute.

    Raises:
        TransactionManagementError: there is no transaction.
        CacheUnavailable: the shared cache does not answer. Let it roll the transaction back: others may go on to use
            what they have cached, so that nothing must change now.
    """
    alias = using or router.db_for_write(ChangeCounter)
    if not in_transaction(connections[alias]):
        raise transaction.TransactionManagementError("changing() is called in the transaction that makes the change.")
    change = Change(scopes, using=alias, required=required)
    transaction.on_commit(change.end, using=alias, robust=True)


class Change:
    """A change of what is under `scopes`, from now until `end()`: for one that is no transaction's.

    Only versions in a shared cache allow for that; `changing()` is for everything else. It ends by itself after a
    minute.

    Raises:
        CacheUnavailable: as for `changing()`.
    """

    def __init__(self, scopes: Sequence[str], *, using: str, required: bool = True) -> None:
        self._scopes, self._token, self._store = sorted(set(scopes)), secrets.token_hex(16), _store()
        try:
            self._store.begin(self._scopes, token=self._token, using=using)
        except CacheUnavailable:
            if required:
                raise

    def end(self) -> None:
        """What was changed is committed."""
        try:
            self._store.end(self._scopes, token=self._token)
        except Exception as exc:  # noqa: BLE001 - it is committed, and what was announced ends by itself
            logger.error("The end of a change could not be announced: %s", type(exc).__name__)


def versions(*scopes: str) -> Mapping[str, str] | None:
    """The versions of `scopes`, to be taken before anything is read, and compared before anything cached is used.

    None: nothing can be told. Then read the database, and keep nothing of it in a cache. That is so while something
    under a scope is changing, while the shared cache does not answer, and always inside a transaction: what is read
    there may be of before it began, or be rolled back with it.

    Rows that are to be kept are read from the database that is written to, since a replica may be behind.

    It costs no query on a shared cache, and one for all scopes elsewhere; there `key:` and `user:` have no versions.
    """
    return look_up(None, *scopes)[0]


def look_up(name: str | None, *scopes: str) -> tuple[Mapping[str, str] | None, Any]:
    """`versions()`, and what the shared cache keeps as `name`, in one round trip to a Redis; None where it keeps none.

    Use it only if the versions it was kept with are these. Where there is no shared cache, it is None.
    """
    if any(in_transaction(connection) for connection in connections.all(initialized_only=True)):
        return None, None
    store = _store()
    try:
        return store.read(scopes, also=name)
    except Exception as exc:
        if isinstance(store, CountedVersions):
            raise
        logger.error("The shared cache does not answer: %s", type(exc).__name__)
        return None, None


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether what is done on `connection` now is committed later, if at all."""
    if connection.in_atomic_block or connection.connection is None:
        return connection.in_atomic_block or not connection.settings_dict["AUTOCOMMIT"]
    return not connection.autocommit


def _store() -> VersionStore:
    cache = shared_cache()
    if cache is None:
        return CountedVersions()
    return RedisVersions(cache) if isinstance(cache, RedisCache) else CachedVersions(cache)
