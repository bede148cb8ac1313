"""Time-ordered identifiers."""

import os
import threading
import time
from uuid import UUID

_RANDOM_BITS = 74
_lock = threading.Lock()
_last = (0, 0)


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562, section 5.7).

    Within a process each one is greater than the one before: in the same millisecond, or when the clock steps back,
    the 74 random bits count up instead of being drawn again (RFC 9562, section 6.2, method 2).
    """
    global _last
    with _lock:
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds > _last[0]:
            tail = int.from_bytes(os.urandom(10)) >> 6
        else:
            milliseconds, tail = _last[0], _last[1] + 1
            if tail >> _RANDOM_BITS:
                milliseconds, tail = milliseconds + 1, 0
        _last = (milliseconds, tail)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1)


def _start_afresh() -> None:
    # The parent's lock may have been held by another thread, and counting on from its last value would repeat the
    # values of its other children.
    global _lock, _last
    _lock, _last = threading.Lock(), (0, 0)


os.register_at_fork(after_in_child=_start_afresh)
