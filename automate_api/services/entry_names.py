"""What the entries of an archive are called: names that are safe on every system."""

import hashlib
import re

#: The longest name, but for what tells it from others.
LONGEST = 128

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
# Windows opens devices under these, whatever follows the first dot.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE | re.ASCII)
# No name that is left as it was has one.
_MARK = "~"


class EntryNames:
    """Names for keys, no two of which are the same to a system that ignores case or composes letters.

    A name consists of `A-Z a-z 0-9 . _ - ~`. A key that is safe is its own name. Of any other the name is what is safe
    of it, `~` and 16 hexadecimal digits of its SHA-256; so it is for the second of two that differ in case alone. The
    same keys in the same order have the same names.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, key: str) -> str:
        """A name for `key`, which nothing else is called."""
        safe = _safe(key)
        name = safe if safe == key and safe.lower() not in self._taken else f"{safe}{_MARK}{_digest(key)}"
        number, chosen = 1, name
        while chosen.lower() in self._taken:
            number += 1
            chosen = f"{name}{_MARK}{number}"
        self._taken.add(chosen.lower())
        return chosen


def _safe(key: str) -> str:
    name = _UNSAFE.sub("_", key[:LONGEST])
    # A dot hides a file or leads upwards, and a hyphen begins an option.
    if not name or name[0] in ".-" or _DEVICE.match(name):
        name = f"_{name}"
    return name


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
