"""What files look like."""

import pytest

from automate_api.exceptions import UpstreamBrokeOff, UpstreamInvalid
from automate_api.llm import formats
from automate_api.llm.formats import SPEECH, SPOKEN, SpeechCheck, check_picture, format_among
from tests import media
from tests.media import JPEG, PICTURES, endless_wav, png, png_chunk, wav, webp


def look(name: str, *pieces: bytes) -> None:
    check = SpeechCheck(SPEECH[name])
    for piece in pieces:
        check.take(piece)
    check.finish()


@pytest.mark.parametrize("name", SPEECH)
@pytest.mark.parametrize("size", [1, 5, 12, 10_000])
def test_speech_of_each_format_is_known_in_whatever_pieces_it_comes(name: str, size: int) -> None:
    sound, content_type = media.SPEECH[name]
    look(name, *(sound[place : place + size] for place in range(0, len(sound), size)))
    assert SPEECH[name].admits(content_type)


@pytest.mark.parametrize("name", [name for name in SPEECH if name != "pcm"])
def test_no_format_is_taken_for_another(name: str) -> None:
    others = [sound for other, (sound, _type) in media.SPEECH.items() if other != name]
    for other in [*others, *PICTURES.values(), b'{"error": "no"} ', b"<!doctype html>", bytes(50), b"\xff" * 50]:
        with pytest.raises(UpstreamInvalid):
            look(name, other)


def test_a_wav_that_knows_its_length_must_have_it() -> None:
    sound = wav()
    for cut in (sound[:-2], sound[:44], sound[:13]):
        with pytest.raises(UpstreamBrokeOff):
            look("wav", cut)
    look("wav", endless_wav())


def test_speech_that_ends_in_its_beginning_has_broken_off() -> None:
    for name in SPEECH:
        with pytest.raises(UpstreamBrokeOff):
            look(name, media.SPEECH[name][0][:11])
        with pytest.raises(UpstreamBrokeOff):
            look(name)


def test_samples_come_in_pairs_of_bytes() -> None:
    with pytest.raises(UpstreamBrokeOff):
        look("pcm", media.PCM[:-1])


@pytest.mark.parametrize(
    ("name", "content_type", "admitted"),
    [
        ("mp3", "audio/mpeg", True),
        ("mp3", "Audio/MPEG; rate=24000", True),
        ("mp3", "application/octet-stream", True),
        ("mp3", "", True),
        ("mp3", "audio/wav", False),
        ("mp3", "application/json", False),
        ("mp3", "text/html; charset=utf-8", False),
        ("opus", "audio/ogg; codecs=opus", True),
        ("wav", "audio/x-wav", True),
        ("pcm", "audio/L16;rate=24000", True),
        ("pcm", "application/json", False),
    ],
)
def test_a_format_goes_by_several_names(name: str, content_type: str, admitted: bool) -> None:
    assert SPEECH[name].admits(content_type) is admitted


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (wav(), "wav"),
        (media.MP3, "mp3"),
        (media.MP3[10:], "mp3"),
        (media.OGG, "ogg"),
        (media.FLAC, "flac"),
        (media.AAC, "aac"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "mp4"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f", "webm"),
        (b"", None),
        (b"\xff", None),
        (b"hello there, you", None),
        (png(), None),
    ],
)
def test_what_was_spoken_is_known_by_its_beginning(content: bytes, suffix: str | None) -> None:
    found = format_among(SPOKEN, content)
    assert (found.suffix if found else None) == suffix


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_whole_picture_is_known(suffix: str) -> None:
    found = check_picture(PICTURES[suffix])
    assert (found.suffix, found.content_type) == (suffix, f"image/{suffix}")


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_picture_that_ends_early_has_broken_off_wherever_it_ends(suffix: str) -> None:
    whole = PICTURES[suffix]
    for size in range(len(whole)):
        with pytest.raises((UpstreamBrokeOff, UpstreamInvalid)) as raised:
            check_picture(whole[:size])
        assert size == 0 or size < 12 or raised.type is UpstreamBrokeOff


@pytest.mark.parametrize("content", [b"<svg xmlns='x'/>", b"<!doctype html>", b"GIF89a" + bytes(20), wav(), bytes(99)])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        check_picture(content)


def test_every_byte_of_a_png_counts() -> None:
    whole = png()
    for place in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        with pytest.raises((UpstreamBrokeOff, UpstreamInvalid)):
            check_picture(bytes(spoilt))


def test_nothing_follows_a_pngs_end() -> None:
    with pytest.raises(UpstreamBrokeOff):
        check_picture(png() + b"<script>")


def test_a_png_without_a_picture_is_none() -> None:
    with pytest.raises(UpstreamBrokeOff):
        check_picture(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IEND", b""))


def test_a_png_of_countless_chunks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_MOST_CHUNKS", 3)
    check_picture(png())
    monkeypatch.setattr(formats, "_MOST_CHUNKS", 2)
    with pytest.raises(UpstreamInvalid):
        check_picture(png())


def test_pictures_may_be_padded() -> None:
    check_picture(JPEG + bytes(8))
    check_picture(webp() + b"\0")
