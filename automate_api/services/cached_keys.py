"""API keys with their users in the cache that processes share, so that a warm one is recognised without a query.

An entry stands under the SHA-512 of the whole text of a key. It holds what requests need to know of the key and of its
user, neither a digest nor a password, and is good only while `key:<id>` and `user:<pk>` have the versions that it was
read under. It is made when a key was accepted, so nobody who has none can fill the cache.
"""

import hashlib
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.core.cache import BaseCache
from django.db import models
from django.db.models.signals import post_init
from django.utils import timezone

from automate_api.models import APIKey
from automate_api.services.freshness import look_up
from automate_api.tenancy import users_have

logger = logging.getLogger(__name__)

# Seconds an entry is kept for. A cache that comes back with what it held before, after a failure of its own, may let a
# key go on that was revoked meanwhile: for no longer than this.
KEPT_FOR = 60

# Seconds for which it is kept whose a key is, by which the versions to take before the next reading are known.
_OWNER_KEPT_FOR = 86_400

# Whose the keys are that this process has accepted lately, by their ids, for the same purpose. Where one is wrong, the
# key is read from the database.
_owners: dict[str, str] = {}
_MOST_OWNERS = 10_000

_NOT_KEPT_OF_KEYS = frozenset({"digest", "previous_digest", "previous_until", "last_used_at"})
_FLAGS = ("is_active", "is_staff", "is_superuser")


class CachedKey:
    """The place in the shared cache of the key whose text is `raw`; `key_id` is its id in hexadecimal digits."""

    def __init__(self, shared: BaseCache, raw: str, key_id: str) -> None:
        self._cache, self._key_id = shared, key_id
        self._name = f"automate-api:key:{hashlib.sha512(raw.encode()).hexdigest()}"
        self._owner_name = f"automate-api:owner:{key_id}"
        self._owner: str | None = None
        self._versions: Mapping[str, str] | None = None
        self._began = time.monotonic()

    def get(self, *, using: str) -> APIKey | None:
        """The key with its user as they are now, of the database `using`; None: it must be read there."""
        self._owner = _owners.get(self._key_id) or self._kept_owner()
        if self._owner is None:
            return None
        self._versions, entry = look_up(self._name, f"key:{self._key_id}", f"user:{self._owner}")
        if entry is None or self._versions is None or entry["versions"] != self._versions:
            return None
        # Kept for no longer than this; a clock of ours that is fast only costs a query.
        if entry["ends"] is not None and entry["ends"] <= timezone.now():
            return None
        return _restored(entry, using)

    def _kept_owner(self) -> str | None:
        try:
            owner: str | None = self._cache.get(self._owner_name)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the database knows too
            logger.error("The shared cache does not answer: %s", type(exc).__name__)
            return None
        return owner

    def put(self, key: APIKey, *, seconds: float | None, ends: datetime | None) -> None:
        """Keep `key`, which was read after `get()`.

        Args:
            key: with its user.
            seconds: how long it will be good for, counted from before it was read; None: for ever.
            ends: the same as a time.
        """
        owner = str(key.user_id)
        if len(_owners) >= _MOST_OWNERS:
            _owners.clear()
        _owners[self._key_id] = owner
        try:
            if self._owner != owner:
                self._cache.set(self._owner_name, owner, _OWNER_KEPT_FOR)
            left = KEPT_FOR if seconds is None else min(KEPT_FOR, seconds - (time.monotonic() - self._began))
            # The versions were taken of whoever it was then.
            if self._versions is not None and self._owner == owner and left >= 1:
                self._cache.set(self._name, {**_told(key), "versions": dict(self._versions), "ends": ends}, int(left))
        except Exception as exc:  # noqa: BLE001 - as above
            logger.error("The shared cache does not answer: %s", type(exc).__name__)


def can_keep_users() -> bool:
    """Whether a user of the host can be made of some of its fields, as Django's own can.

    One with an `__init__` of its own, or that somebody looks at by `post_init`, may be asked for any of them, and then
    each would be read from the database again, in the worst case for ever. One that tells by other columns than
    `is_active` whether it may sign in needs those too.
    """
    model: Any = get_user_model()
    django: Any = models.Model
    is_plain = model.__init__ is django.__init__ and model.from_db.__func__ is django.from_db.__func__
    is_plain = is_plain and not post_init.has_listeners(model)
    return bool(is_plain and (users_have("is_active") or getattr(model, "is_active", True) is True))


def kept_of_users() -> tuple[str, ...]:
    """The columns of users that are kept: who it is, and what decides what it may do. All else is read when needed."""
    return _kept_of(get_user_model())


@cache
def _kept_of(model: Any) -> tuple[str, ...]:
    wanted = {*_FLAGS, model.USERNAME_FIELD, getattr(model, "EMAIL_FIELD", None)}
    return tuple(
        field.attname
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django's public _meta
        if field.primary_key or field.name in wanted
    )


@cache
def kept_of_keys() -> tuple[str, ...]:
    """The columns of keys that are kept."""
    fields = APIKey._meta.concrete_fields  # noqa: SLF001 - Django's public _meta
    return tuple(field.attname for field in fields if field.name not in _NOT_KEPT_OF_KEYS)


def _told(key: APIKey) -> dict[str, Any]:
    return {"key": _values(key, kept_of_keys()), "user": _values(key.user, kept_of_users())}


def _values(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _restored(entry: Mapping[str, Any], using: str) -> APIKey | None:
    columns, user_columns = entry["key"], entry["user"]
    # Kept by a process of another version of this code, or of the host's.
    if tuple(columns) != kept_of_keys() or tuple(user_columns) != kept_of_users():
        return None
    key = APIKey.from_db(using, list(columns), list(columns.values()))
    key.user = get_user_model().from_db(using, list(user_columns), list(user_columns.values()))
    return key
