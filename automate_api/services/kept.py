"""Answers that are kept until anything changes that they depend on."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.cache import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.crypto import salted_hmac

from automate_api.services.freshness import shared_cache, versions

logger = logging.getLogger(__name__)

#: Seconds an answer is kept for. It is good for longer; but a change that could not be announced is to be seen.
KEPT_FOR = 60

# The longest answers that are kept, in bytes: of Memcached's megabyte, and of this process's memory.
_LONGEST, _LONGEST_HERE = 900_000, 256 * 1024

# For a host without a cache that processes share: apart from the host's own, which it would crowd out.
_here = LocMemCache("automate_api.kept", {"OPTIONS": {"MAX_ENTRIES": 200}})


def kept(
    name: Sequence[Any], make: Callable[[], bytes], *, scopes: Sequence[str], seconds: float, anew: bool = False
) -> bytes:
    """What `make` returned, if nothing under `scopes` has changed since; else what it returns now, which is kept.

    Costs no query where processes share a cache, and one for the versions elsewhere.

    Args:
        name: of strings, numbers, booleans and nulls: all that the answer depends on and that is not under `scopes`,
            and who may see it.
        make: reads the answer, without secrets, from the database that is written to.
        scopes: as `freshness.versions()` takes them.
        seconds: for how long; 0 or less: nothing is kept.
        anew: whether it is made whatever is there.
    """
    known = versions(*scopes) if seconds > 0 else None
    if known is None:
        return make()
    cache = shared_cache() or _here
    key = _key(name)
    found = None if anew else _found(cache, key, known)
    return found if found is not None else _stored(cache, key, known, make(), seconds)


def forget_here() -> None:
    """Drop what this process has kept by itself; for tests, in which numbers begin again."""
    _here.clear()


def _key(name: Sequence[Any]) -> str:
    # Under this host's own secret: two that share a cache must not share answers.
    words = json.dumps(list(name), separators=(",", ":"))
    return f"automate-api:kept:{salted_hmac('automate_api.kept', words, algorithm='sha256').hexdigest()}"


def _found(cache: BaseCache, key: str, known: Mapping[str, str]) -> bytes | None:
    try:
        entry = cache.get(key)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the database knows too
        logger.error("The shared cache does not answer: %s", type(exc).__name__)
        return None
    match entry:
        case (dict() as then, bytes() as answer) if then == known:
            return answer
    return None


def _stored(cache: BaseCache, key: str, known: Mapping[str, str], answer: bytes, seconds: float) -> bytes:
    if len(answer) <= (_LONGEST_HERE if cache is _here else _LONGEST):
        try:
            cache.set(key, (dict(known), answer), seconds)
        except Exception as exc:  # noqa: BLE001 - as above
            logger.error("The shared cache does not answer: %s", type(exc).__name__)
    return answer
