"""What sound and pictures look like: how a file of each format begins, and where it says so itself, how it ends.

RFC 3533 (Ogg), RFC 9639 (FLAC), ISO 11172-3 (MP3), ISO 14496-3 (AAC in ADTS), RFC 2361 (WAV), the PNG specification
(third edition), ITU T.81 (JPEG), RFC 9649 (WebP). Nothing is decoded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from automate_api.exceptions import UpstreamBrokeOff, UpstreamInvalid

#: Bytes that tell a format.
HEAD = 12
#: What says nothing of the content.
UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream"})

# From here on a WAV's own length means: not known when the header was written.
_UNKNOWN_LENGTH = 0x7FFFF000
# A picture of a hundred megabytes has a tenth of that, and looking at each takes time.
_MOST_CHUNKS = 100_000


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files. `told` are other media types that servers have for it."""

    suffix: str
    content_type: str
    begins: Callable[[bytes], bool]
    told: frozenset[str] = frozenset()

    def admits(self, content_type: str) -> bool:
        """Whether a `Content-Type` is one of this format, or says nothing."""
        bare = content_type.partition(";")[0].strip().lower()
        return bare == self.content_type or bare in self.told or bare in UNTOLD


def _is_mp3(head: bytes) -> bool:
    if head.startswith(b"ID3"):
        return True
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    # A frame's header, none of whose values is a reserved one.
    version, layer, bitrate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def _is_aac(head: bytes) -> bool:
    return head.startswith(b"ADIF") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0)


def _is_riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


_MP3 = Format("mp3", "audio/mpeg", _is_mp3, frozenset({"audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg"}))
_WAV = Format("wav", "audio/wav", _is_riff(b"WAVE"), frozenset({"audio/x-wav", "audio/wave", "audio/vnd.wave"}))
_OGG = Format("ogg", "audio/ogg", _starts(b"OggS"), frozenset({"audio/opus", "application/ogg"}))
_AAC = Format("aac", "audio/aac", _is_aac, frozenset({"audio/aacp", "audio/x-aac"}))
_FLAC = Format("flac", "audio/flac", _starts(b"fLaC"), frozenset({"audio/x-flac"}))
# Bare samples, which look like anything.
_PCM = Format("pcm", "audio/pcm", lambda head: True, frozenset({"audio/l16", "audio/x-pcm", "audio/raw"}))
_MP4 = Format("mp4", "audio/mp4", lambda head: head[4:8] == b"ftyp")
_WEBM = Format("webm", "audio/webm", _starts(b"\x1a\x45\xdf\xa3"))
_PNG = Format("png", "image/png", _starts(b"\x89PNG\r\n\x1a\n"))
_JPEG = Format("jpeg", "image/jpeg", _starts(b"\xff\xd8\xff"), frozenset({"image/jpg"}))
_WEBP = Format("webp", "image/webp", _is_riff(b"WEBP"))

#: The formats of speech, by the protocol's names.
SPEECH = {"mp3": _MP3, "wav": _WAV, "opus": _OGG, "aac": _AAC, "flac": _FLAC, "pcm": _PCM}
#: What the protocol takes for transcription.
SPOKEN = (_WAV, _OGG, _FLAC, _MP4, _WEBM, _AAC, _MP3)
PICTURES = (_PNG, _JPEG, _WEBP)


def format_among(known: tuple[Format, ...], content: bytes) -> Format | None:
    """The format that `content` begins like, or None."""
    head = content[:HEAD]
    return next((one for one in known if one.begins(head)), None)


class SpeechCheck:
    """Looks at speech as it comes: whether it begins as its format does, and at its end whether all of it is there."""

    __slots__ = ("_format", "_head", "_size")

    def __init__(self, speech: Format) -> None:
        self._format, self._head, self._size = speech, b"", 0

    def take(self, piece: bytes) -> None:
        """Look at the next piece; UpstreamInvalid where it is no such file."""
        self._size += len(piece)
        if len(self._head) == HEAD:
            return
        self._head = (self._head + piece)[:HEAD]
        if len(self._head) == HEAD and not self._format.begins(self._head):
            raise UpstreamInvalid

    def finish(self) -> None:
        """Nothing follows; UpstreamBrokeOff where something should."""
        if self._size < HEAD or self._size < self._stated() or (self._format is _PCM and self._size % 2):
            raise UpstreamBrokeOff

    def _stated(self) -> int:
        """The length a WAV says it has; some writers do not pad it to an even one."""
        length = int.from_bytes(self._head[4:8], "little")
        return length + 7 if self._format is _WAV and length < _UNKNOWN_LENGTH else 0


def check_picture(content: bytes) -> Format:
    """The format of a whole picture.

    Raises UpstreamInvalid for what is none that we know, UpstreamBrokeOff for one that ends too early.
    """
    found = format_among(PICTURES, content)
    if found is None:
        raise UpstreamInvalid if content else UpstreamBrokeOff
    if not _IS_WHOLE[found.suffix](content):
        raise UpstreamBrokeOff
    return found


def _png_is_whole(content: bytes) -> bool:
    """Whether its chunks lead to an IEND at the very end; UpstreamInvalid where one is not what its checksum says."""
    view, at, kinds = memoryview(content), 8, set()
    for _number in range(_MOST_CHUNKS):
        end = at + 12 + int.from_bytes(view[at : at + 4])
        if at + 12 > len(view) or end > len(view):
            return False
        if crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise UpstreamInvalid
        kinds.add(bytes(view[at + 4 : at + 8]))
        if b"IEND" in kinds:
            return end == len(view) and kinds >= {b"IHDR", b"IDAT"}
        at = end
    raise UpstreamInvalid


def _jpeg_is_whole(content: bytes) -> bool:
    # Cameras and encoders pad it.
    return b"\xff\xd9" in content[-64:]


def _webp_is_whole(content: bytes) -> bool:
    return len(content) >= 8 + int.from_bytes(content[4:8], "little") > HEAD


_IS_WHOLE = {"png": _png_is_whole, "jpeg": _jpeg_is_whole, "webp": _webp_is_whole}
