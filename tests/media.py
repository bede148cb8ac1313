"""Real sound and pictures, made by the standard library, and the ways a model server may spoil them."""

import io
import math
import struct
import wave
import zlib

#: Starts of files whose formats the standard library cannot write; what follows is not looked at.
OGG = b"OggS\0\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(10)
FLAC = b"fLaC\0\0\0\x22" + bytes(34)
MP3 = b"ID3\x04\0\0\0\0\0\0" + (b"\xff\xfb\x90\x00" + bytes(413)) * 3
AAC = (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 4
PCM = struct.pack("<480h", *(round(9000 * math.sin(place / 7)) for place in range(480)))


def wav(seconds: float = 0.1, rate: int = 8000) -> bytes:
    """A tone of 440 Hz."""
    file = io.BytesIO()
    samples = (round(9000 * math.sin(math.tau * 440 * place / rate)) for place in range(int(seconds * rate)))
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def endless_wav() -> bytes:
    """One written by somebody who did not know its length."""
    sound = bytearray(wav())
    sound[4:8] = sound[40:44] = b"\xff\xff\xff\xff"
    return bytes(sound)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 8, height: int = 8, shade: int = 0) -> bytes:
    """A picture in shades of grey."""
    rows = b"".join(b"\0" + bytes((shade + x * y) % 256 for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def webp(data: bytes = b"VP8L" + struct.pack("<I", 6) + bytes(6)) -> bytes:
    """The container of a WebP."""
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WEBP" + data


JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + bytes(100) + b"\xff\xd9"
SPEECH = {
    "mp3": (MP3, "audio/mpeg"),
    "wav": (wav(), "audio/wav"),
    "opus": (OGG, "audio/ogg"),
    "aac": (AAC, "audio/aac"),
    "flac": (FLAC, "audio/flac"),
    "pcm": (PCM, "audio/pcm"),
}
PICTURES = {"png": png(), "jpeg": JPEG, "webp": webp()}
