"""Files on their way into the storage, and what they may be called."""

import hashlib
import re
import unicodedata
from typing import IO
from urllib.parse import quote

from django.core.files.base import File

from automate_api.exceptions import PayloadTooLarge
from automate_api.security.redaction import redact

MAX_NAME = 200
NAMELESS = "file"
OCTETS = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
# Both kinds of slash: whose system wrote the name cannot be known.
_SLASH = re.compile(r"[/\\]")
# In a quoted string some readers take `%41` for a letter, and none agrees on a backslash.
_UNQUOTABLE = re.compile(r"[^ !#$&-\[\]-~]")
# Controls, marks of direction that make a name read otherwise than it is, lone surrogates, unassigned ones.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class MeasuredFile(File):  # type: ignore[type-arg]  # at run time it takes none
    """A file that is hashed and counted while a storage reads it, in whatever way it does.

    Raises, from reading, PayloadTooLarge past `limit` bytes.
    """

    def __init__(self, file: IO[bytes], *, limit: int) -> None:
        super().__init__(file)
        self._content = file
        self.measured = 0
        self._digest, self._limit = hashlib.sha256(), limit

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        at = self._content.tell()
        data = self._content.read(size)
        # A storage may read the same bytes again.
        new = data[max(0, self.measured - at) :] if at <= self.measured else b""
        self._digest.update(new)
        self.measured += len(new)
        if self.measured > self._limit:
            raise PayloadTooLarge
        return data

    def sha256(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal digits; what nobody has read yet is read now."""
        self._content.seek(self.measured)
        while self.read(self.DEFAULT_CHUNK_SIZE):
            pass
        return self._digest.hexdigest()


def safe_name(name: str) -> str:
    """`name` as a file may be called anywhere: its last part, without what cannot be seen, at most 200 characters.

    What is redacted elsewhere is redacted here too.
    """
    # Before it is cut, and again when nothing unseen stands in the middle of a secret.
    last = _SLASH.split(redact(name))[-1]
    visible = "".join(letter for letter in last if unicodedata.category(letter) not in _INVISIBLE)
    # Windows drops those at the end, and one at the start hides a file.
    stripped = redact(visible).strip(" .")
    if len(stripped) > MAX_NAME:
        stem, dot, suffix = stripped.rpartition(".")
        stripped = stem[: MAX_NAME - len(suffix) - 1] + dot + suffix if 0 < len(suffix) <= 16 else stripped[:MAX_NAME]
    return stripped or NAMELESS


def attachment(name: str) -> str:
    """`Content-Disposition` for a file to be saved as `name` (RFC 6266, with what its appendix D advises)."""
    plain = _UNQUOTABLE.sub("_", name)
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{exact}'


def media_type(content_type: str) -> str:
    """`content_type` without its parameters, in lower case; `application/octet-stream` where it is none or a secret."""
    bare = content_type.partition(";")[0].strip()
    return bare.lower() if _MEDIA_TYPE.fullmatch(bare.lower()) and redact(bare) == bare else OCTETS
