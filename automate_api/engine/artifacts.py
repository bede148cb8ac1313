"""Files that a run reads and writes, as a capability sees them."""

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

#: Bytes of a file that are held in memory; what is longer waits on disk.
IN_MEMORY = 2**20


@dataclass(frozen=True, slots=True)
class ReadArtifact:
    """An artifact with its content, whose bytes are as somebody sent them: nothing of it is trusted."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


class ArtifactStore(Protocol):
    """Where the files of one run are. Both methods use the ORM and the storage."""

    def read(self, artifact_id: str, *, max_bytes: int) -> ReadArtifact:
        """The artifact, which whoever runs this may read."""

    def write(self, content: IO[bytes], *, name: str, content_type: str) -> dict[str, Any]:
        """Store a file, and return the data of its `artifact` event."""


class Spool:
    """Collects a file in pieces, on disk where it is long, and refuses one that is too long."""

    def __init__(self, *, refuse_over: int, refusal: type[Exception]) -> None:
        self.file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._left, self._refusal = refuse_over, refusal

    def write(self, piece: bytes) -> None:
        """Append a piece; raises the refusal where the file is too long."""
        self._left -= len(piece)
        if self._left < 0:
            raise self._refusal
        self.file.write(piece)

    async def fill(self, content: bytes | AsyncIterable[bytes]) -> None:
        """Append all of `content`."""
        if isinstance(content, bytes):
            self.write(content)
            return
        async for piece in content:
            self.write(piece)

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()
