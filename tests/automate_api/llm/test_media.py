"""Speech and pictures over a real socket."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from automate_api.exceptions import (
    AutomateError,
    OutboundBlocked,
    UpstreamAuthFailed,
    UpstreamBrokeOff,
    UpstreamError,
    UpstreamFailed,
    UpstreamInvalid,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from automate_api.llm import drawing, media
from automate_api.llm.multipart import Upload
from automate_api.llm.types import LLMTarget, Pictures, Retry, Transcript, Usage
from tests.media import JPEG, MP3, PICTURES, SPEECH, png, wav, webp
from tests.upstream import TEXT, FakeUpstream

USAGE = Usage(7, 19, 26)
AUDIO = Upload("audio.wav", "audio/wav", wav())


def target(upstream: FakeUpstream, model: str = "fake", **more: Any) -> LLMTarget:
    known = LLMTarget(upstream.url, "sk-secret", model, provider="fake", timeout=20, max_retries=0)
    return replace(known, **more)


async def all_of(items: AsyncGenerator[Any, None]) -> list[Any]:
    async with aclosing(items):
        return [item async for item in items]


async def transcribe(to: LLMTarget, audio: Upload = AUDIO, **params: Any) -> Any:
    return (await all_of(media.transcribe(to, audio, params=params)))[-1]


async def speak(to: LLMTarget, speech: str = "mp3", **params: Any) -> bytes:
    return b"".join(await all_of(media.speak(to, "Hello.", speech=speech, params=params)))


async def draw(to: LLMTarget, **params: Any) -> Pictures:
    (pictures,) = await all_of(media.draw(to, "A fox.", params=params))
    assert isinstance(pictures, Pictures)
    return pictures


#: One call of each kind.
CALLS = {"transcribe": transcribe, "speak": speak, "draw": draw}


def drawn(*contents: bytes | str, **more: Any) -> bytes:
    """An answer with these pictures; a text stands for itself."""
    encoded = [one if isinstance(one, str) else base64.b64encode(one).decode() for one in contents]
    return json.dumps({"created": 1, "data": [{"b64_json": one} for one in encoded], **more}).encode()


# -- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("status:400", UpstreamRejected),
        ("status:401", UpstreamAuthFailed),
        ("status:413", UpstreamRejected),
        ("status:429", UpstreamRateLimited),
        ("status:503", UpstreamFailed),
        ("redirect", UpstreamInvalid),
        ("encoded", UpstreamInvalid),
        ("gzip", UpstreamInvalid),
        ("badhead", UpstreamInvalid),
        ("drop:9", UpstreamBrokeOff),
        ("raw:error", UpstreamError),
        ("raw:html", UpstreamInvalid),
        ("raw:list", UpstreamInvalid),
        ("raw:empty", UpstreamInvalid),
        ("raw:nothing", UpstreamBrokeOff),
        ("sent:html:text/html", UpstreamInvalid),
    ],
)
async def test_what_fails_is_told_by_its_class_and_in_our_words(
    name: str, model: str, error: type[UpstreamError], upstream: FakeUpstream
) -> None:
    upstream.answers |= {"error": b'{"error": {"message": "the upstream\'s own words"}}', "html": b"<!doctype html><p>"}
    upstream.answers |= {"list": b'["text"]' + b" " * 20, "empty": b"{}" + b" " * 20, "nothing": b""}
    with pytest.raises(error) as raised:
        await CALLS[name](target(upstream, model))
    assert "own words" not in raised.value.detail
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_what_fails_before_it_answers_is_tried_again(name: str, upstream: FakeUpstream) -> None:
    await_retries = {
        "transcribe": lambda to: media.transcribe(to, AUDIO, params={}),
        "speak": lambda to: media.speak(to, "Hello.", speech="mp3", params={}),
        "draw": lambda to: media.draw(to, "A fox.", params={}),
    }
    first, second, *rest = await all_of(await_retries[name](target(upstream, "flaky:503:2:0", max_retries=2)))
    assert [first, second] == [Retry(2, 0, "upstream_failed"), Retry(3, 0, "upstream_failed")]
    assert rest
    assert not any(isinstance(item, Retry) for item in rest)


@pytest.mark.parametrize("name", CALLS)
async def test_a_server_that_does_not_answer_is_waited_for_as_long_as_its_provider_says(
    name: str, upstream: FakeUpstream
) -> None:
    with pytest.raises(UpstreamTimeout):
        await CALLS[name](target(upstream, "silent", timeout=0.2))


@pytest.mark.parametrize("name", CALLS)
async def test_the_key_is_sent_as_it_is_to_chat(name: str, upstream: FakeUpstream) -> None:
    await CALLS[name](target(upstream))
    await CALLS[name](target(upstream, api_key=""))
    assert [request.headers.get("authorization") for request in upstream.requests] == ["Bearer sk-secret", None]
    with pytest.raises(OutboundBlocked):
        await CALLS[name](target(upstream, api_key="sk\r\nX: 1"))


@pytest.mark.parametrize("name", CALLS)
async def test_a_server_that_may_not_be_called_is_not(name: str, upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_PRIVATE_HOSTS = []
    with pytest.raises(OutboundBlocked):
        await CALLS[name](target(upstream))
    assert upstream.connections == []


# -- transcriptions --------------------------------------------------------------------------------------------------


async def test_a_transcription_is_asked_for_with_a_form(upstream: FakeUpstream) -> None:
    said = await transcribe(target(upstream), language="en", prompt="Fjörd.", temperature=0.2)
    assert said == Transcript(TEXT, "", None, USAGE, "fake")
    (sent,) = upstream.requests
    assert (sent.method, sent.path) == ("POST", "/v1/audio/transcriptions")
    assert sent.form == {
        "language": b"en",
        "prompt": "Fjörd.".encode(),
        "temperature": b"0.2",
        "model": b"fake",
        "response_format": b"json",
        "file": wav(),
    }
    assert [part.get_filename() for part in sent.parts if part.get_filename()] == ["audio.wav"]


async def test_a_caller_cannot_choose_the_model_or_the_answers_form(upstream: FakeUpstream) -> None:
    await transcribe(target(upstream), model="other", response_format="srt")
    form = upstream.requests[0].form
    assert (form["model"], form["response_format"]) == (b"fake", b"json")


async def test_the_longest_file_is_sent_whole(upstream: FakeUpstream) -> None:
    content = wav() + bytes(media.MAX_SPOKEN_BYTES - len(wav()))
    await transcribe(target(upstream), Upload("audio.wav", "audio/wav", content))
    assert upstream.requests[0].form["file"] == content


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"text": ""}, Transcript("", "", None, None, "raw:it")),
        ({"text": "a\0b\ud83e"}, Transcript("ab\ufffd", "", None, None, "raw:it")),
        (
            {
                "text": "a",
                "language": "english",
                "duration": 2,
                "model": "w-3",
                "usage": {"type": "duration", "seconds": 2},
            },
            Transcript("a", "english", 2.0, None, "w-3"),
        ),
        (
            {"text": "a", "usage": {"input_tokens": 3, "output_tokens": 4}},
            Transcript("a", "", None, Usage(3, 4, 7), "raw:it"),
        ),
    ],
)
async def test_what_the_server_tells_is_kept(answer: Any, expected: Transcript, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = json.dumps(answer).encode()
    assert await transcribe(target(upstream, "raw:it")) == expected


@pytest.mark.parametrize(
    "answer",
    [
        {"text": None},
        {"text": ["a"]},
        {"segments": []},
        {"text": "a", "language": 1},
        {"text": "a", "duration": "2"},
        {"text": "a", "duration": -1},
        {"text": "a", "duration": True},
        {"text": "a", "usage": {"input_tokens": -1}},
        {"text": "a", "usage": []},
    ],
)
async def test_a_transcription_of_another_shape_is_refused(answer: Any, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = json.dumps(answer).encode()
    with pytest.raises(UpstreamInvalid):
        await transcribe(target(upstream, "raw:it"))


# -- speech ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speech", SPEECH)
async def test_speech_comes_in_the_format_that_is_asked_for(speech: str, upstream: FakeUpstream) -> None:
    assert await speak(target(upstream), speech, voice="alloy", speed=0.5, model="x", input="y") == SPEECH[speech][0]
    (sent,) = upstream.requests
    assert (sent.method, sent.path) == ("POST", "/v1/audio/speech")
    expected = {"model": "fake", "input": "Hello.", "response_format": speech, "voice": "alloy", "speed": 0.5}
    assert sent.json == expected


async def test_speech_arrives_while_it_is_spoken_and_ends_with_its_listener(upstream: FakeUpstream) -> None:
    items = media.speak(target(upstream, "gated"), "Hello.", speech="mp3", params={})
    async with aclosing(items):
        upstream.allow()
        assert await anext(items) == MP3[:100]
        assert upstream.open_connections
    assert await asyncio.to_thread(upstream.connections[0].closed.wait, 2)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("content_type", ["audio/mpeg", "audio/mp3", "application/octet-stream"])
async def test_speech_may_be_called_and_framed_in_several_ways(
    content_type: str, framing: str, upstream: FakeUpstream
) -> None:
    upstream.answers["it"] = MP3
    assert await speak(target(upstream, f"sent:it:{content_type}:{framing}")) == MP3


@pytest.mark.parametrize(
    ("speech", "content", "content_type", "error"),
    [
        ("mp3", MP3, "audio/wav", UpstreamInvalid),
        ("mp3", MP3, "text/html", UpstreamInvalid),
        ("mp3", MP3, "application/json", UpstreamInvalid),
        ("mp3", wav(), "audio/wav", UpstreamInvalid),
        ("mp3", wav(), "audio/mpeg", UpstreamInvalid),
        ("mp3", b"<!doctype html><title>", "audio/mpeg", UpstreamInvalid),
        ("mp3", b'{"error": "no voice"}', "application/octet-stream", UpstreamInvalid),
        ("pcm", b'{"error": "no voice"}', "application/json", UpstreamInvalid),
        ("pcm", b"odd", "audio/pcm", UpstreamBrokeOff),
        ("wav", wav()[:-2], "audio/wav", UpstreamBrokeOff),
        ("wav", wav()[:6], "audio/wav", UpstreamBrokeOff),
        ("wav", MP3, "audio/wav", UpstreamInvalid),
        ("flac", b"", "audio/flac", UpstreamBrokeOff),
    ],
)
async def test_what_is_not_the_speech_that_was_asked_for_is_refused(
    speech: str, content: bytes, content_type: str, error: type[UpstreamError], upstream: FakeUpstream
) -> None:
    upstream.answers["it"] = content
    with pytest.raises(error):
        await speak(target(upstream, f"sent:it:{content_type}"), speech)


async def test_speech_that_is_cut_off_has_broken_off(upstream: FakeUpstream) -> None:
    upstream.answers["it"] = MP3
    with pytest.raises(UpstreamBrokeOff):
        await speak(target(upstream, "sent:it:audio/mpeg:long"))


async def test_speech_that_ends_with_its_connection_may_be_half_and_is_refused(upstream: FakeUpstream) -> None:
    upstream.answers["it"] = MP3
    with pytest.raises(UpstreamInvalid):
        await speak(target(upstream, "sent:it:audio/mpeg:eof"))


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_speech_is_at_most_as_long_as_a_file_may_be(framing: str, upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_MAX_RESPONSE_BYTES = 1
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(MP3)
    upstream.answers["it"] = MP3
    model = f"sent:it:audio/mpeg:{framing}"
    assert await speak(target(upstream, model)) == MP3
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(MP3) - 1
    with pytest.raises(UpstreamTooLarge):
        await speak(target(upstream, model))


# -- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [{}, {"response_format": "b64_json"}, {"response_format": "url"}])
async def test_pictures_are_given_whole_and_in_order(form: dict[str, str], upstream: FakeUpstream) -> None:
    answer = await draw(target(upstream), n=3, size="8x8", model="x", prompt="y", **form)
    assert [picture.content for picture in answer.pictures] == [png(shade=number) for number in range(3)]
    assert {(one.suffix, one.content_type, one.revised_prompt) for one in answer.pictures} == {
        ("png", "image/png", "A fox.")
    }
    assert (answer.usage, answer.model) == (USAGE, "fake")
    sent = upstream.requests[0]
    assert (sent.method, sent.path) == ("POST", "/v1/images/generations")
    assert sent.json == {"model": "fake", "prompt": "A fox.", "n": 3, "size": "8x8", **form}


@pytest.mark.parametrize("suffix", PICTURES)
async def test_a_picture_is_called_what_it_is(suffix: str, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = drawn(PICTURES[suffix])
    (picture,) = (await draw(target(upstream, "raw:it"))).pictures
    assert (picture.suffix, picture.content_type, picture.content) == (suffix, f"image/{suffix}", PICTURES[suffix])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (drawn(), UpstreamInvalid),
        (drawn(png(), png(), png()), UpstreamInvalid),
        (drawn("not base64!"), UpstreamInvalid),
        (drawn(base64.b64encode(png()).decode()[:-1]), UpstreamInvalid),
        (drawn(base64.b64encode(png()).decode() + "\n"), UpstreamInvalid),
        (drawn("data:image/png;base64," + base64.b64encode(png()).decode()), UpstreamInvalid),
        (drawn("žž=="), UpstreamInvalid),
        (drawn(""), UpstreamBrokeOff),
        (drawn(png()[:-12]), UpstreamBrokeOff),
        (drawn(JPEG[:-2]), UpstreamBrokeOff),
        (drawn(webp()[:-1]), UpstreamBrokeOff),
        (drawn(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), UpstreamInvalid),
        (drawn(png(), b"<html>"), UpstreamInvalid),
        (drawn(png(), png()[:-1]), UpstreamBrokeOff),
        (drawn(png(), error="overloaded"), UpstreamFailed),
        (b'{"data": [{}]}', UpstreamInvalid),
        (b'{"data": [null]}', UpstreamInvalid),
        (b'{"data": ["x"]}', UpstreamInvalid),
        (b'{"data": {"b64_json": "x"}}', UpstreamInvalid),
        (b'{"data": [{"b64_json": 1}]}', UpstreamInvalid),
        (b'{"data": [{"url": 1}]}', UpstreamInvalid),
        (drawn(png())[:-1], UpstreamInvalid),
        (b'{"data": [' + b"[]," * 100_001 + b"[]]}", UpstreamInvalid),
    ],
)
async def test_pictures_that_are_not_whole_are_refused(
    answer: bytes, error: type[UpstreamError], upstream: FakeUpstream
) -> None:
    upstream.answers["it"] = answer
    with pytest.raises(UpstreamError) as raised:
        await draw(target(upstream, "raw:it"), n=2)
    assert raised.type is error


async def test_fewer_pictures_than_were_asked_for_are_taken(upstream: FakeUpstream) -> None:
    upstream.answers["it"] = drawn(png())
    assert len((await draw(target(upstream, "raw:it"), n=5)).pictures) == 1


async def test_an_answer_of_countless_parts_is_not_even_parsed(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(data: bytes) -> Any:
        raise AssertionError

    monkeypatch.setattr(drawing, "decode_object", parse)
    upstream.answers["it"] = b'{"data": [' + b"{}," * 60_000 + b"{}]}"
    with pytest.raises(UpstreamInvalid):
        await draw(target(upstream, "raw:it"))


async def test_pictures_are_at_most_as_long_as_a_file_may_be(upstream: FakeUpstream, settings: Any) -> None:
    settings.AUTOMATE_API_MAX_RESPONSE_BYTES = 1
    upstream.answers["it"] = drawn(png())
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(upstream.answers["it"])
    await draw(target(upstream, "raw:it"))
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES -= 1
    with pytest.raises(UpstreamTooLarge):
        await draw(target(upstream, "raw:it"))


async def test_text_beside_pictures_is_no_longer_than_other_answers(upstream: FakeUpstream, settings: Any) -> None:
    """It is stored with the run, and a file may be far longer."""
    settings.AUTOMATE_API_MAX_RESPONSE_BYTES = 4000
    one = {"b64_json": base64.b64encode(png()).decode(), "revised_prompt": "ü" * 1000}
    upstream.answers["it"] = json.dumps({"data": [one, one]}).encode()
    assert len((await draw(target(upstream, "raw:it"), n=2)).pictures) == 2
    upstream.answers["it"] = json.dumps({"data": [one, {**one, "revised_prompt": "ü" * 1001}]}).encode()
    with pytest.raises(UpstreamTooLarge):
        await draw(target(upstream, "raw:it"), n=2)


# -- pictures at a URL -----------------------------------------------------------------------------------------------


def at(*urls: str) -> bytes:
    """An answer that names pictures by their URLs."""
    return json.dumps({"data": [{"url": url} for url in urls]}).encode()


async def test_a_picture_is_fetched_without_the_key(upstream: FakeUpstream) -> None:
    upstream.answers |= {"a.png": png(), "it": at(f"{upstream.url}/files/a.png?sig=%2B%3D")}
    assert (await draw(target(upstream, "raw:it"))).pictures[0].content == png()
    _asked, fetched = upstream.requests
    assert (fetched.method, fetched.path, fetched.body) == ("GET", "/v1/files/a.png?sig=%2B%3D", b"")
    assert "authorization" not in fetched.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1/",
        "http://localhost:1/x.png",
        "http://[::1]/",
        "http://10.0.0.1/x.png",
        "http://2130706433/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "ftp://example.com/x.png",
        "//example.com/x.png",
        "/files/a.png",
        "http://user:pass@example.com/x.png",
        "http://example.com\\@127.0.0.1/",
        "http://" + "a" * 3000,
    ],
)
async def test_a_picture_is_not_fetched_from_where_the_server_may_not_call(url: str, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = at(url)
    with pytest.raises(OutboundBlocked):
        await draw(target(upstream, "raw:it"))
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_model_server_cannot_send_us_to_what_the_host_lets_be_called(
    host: str, upstream: FakeUpstream, settings: Any
) -> None:
    other = FakeUpstream()
    other.start()
    try:
        other.answers["a.png"] = png()
        settings.AUTOMATE_API_PRIVATE_HOSTS = [upstream.host, other.host, f"localhost:{other.port}"]
        upstream.answers["it"] = at(f"http://{host}:{other.port}/v1/files/a.png")
        with pytest.raises(OutboundBlocked):
            await draw(target(upstream, "raw:it"))
        assert other.connections == []
        # It is there, for who may call it.
        other.answers["it"] = at(f"{other.url}/files/a.png")
        assert (await draw(target(other, "raw:it"))).pictures
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("status:401", UpstreamInvalid),
        ("status:404", UpstreamInvalid),
        ("status:500", UpstreamFailed),
        ("redirect", UpstreamInvalid),
        ("encoded", UpstreamInvalid),
        ("drop:9", UpstreamBrokeOff),
        ("sent:a:text/html", UpstreamInvalid),
        ("sent:a:image/jpeg", UpstreamInvalid),
        ("sent:html:image/png", UpstreamInvalid),
        ("sent:none:image/png", UpstreamBrokeOff),
        ("sent:half:image/png", UpstreamBrokeOff),
        ("sent:half:image/png:eof", UpstreamBrokeOff),
        ("sent:a:image/png:long", UpstreamBrokeOff),
    ],
)
async def test_a_picture_that_cannot_be_had_or_is_none_is_asked_for_once(
    model: str, error: type[AutomateError], upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model_of(request: Any) -> str:
        return model if request.method == "GET" else "raw:it"

    monkeypatch.setattr("tests.upstream.Request.model", property(model_of))
    upstream.answers |= {"a": png(), "html": b"<html>" * 9, "none": b"", "half": png()[:-12]}
    upstream.answers["it"] = at(f"{upstream.url}/files/a")
    with pytest.raises(AutomateError) as raised:
        await draw(target(upstream, max_retries=3))
    assert raised.type is error
    # A kept connection that the server has ended meanwhile is no answer yet.
    times = 2 if model == "drop:9" else 1
    assert [request.method for request in upstream.requests] == ["POST", *["GET"] * times]


async def test_all_pictures_together_are_at_most_as_long_as_a_file_may_be(
    upstream: FakeUpstream, settings: Any
) -> None:
    upstream.answers |= {"a": png(64, 64), "it": at(*[f"{upstream.url}/files/a"] * 2)}
    size = len(png(64, 64))
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = 2 * size
    assert len((await draw(target(upstream, "raw:it"), n=2)).pictures) == 2
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = 2 * size - 1
    with pytest.raises(UpstreamTooLarge):
        await draw(target(upstream, "raw:it"), n=2)
