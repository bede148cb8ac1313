"""`image.text2img` on a model server that speaks the protocol."""

import base64
import json
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from pytest_django import Settings

from automate_api.models import Artifact, PromptLog
from tests.factories import make_actor
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import KEY
from tests.media import JPEG, PICTURES, png
from tests.modal import TRANSPORTS, Transport, as_stream, at_once, content_of, endpoint_for, files, prepare, stored
from tests.upstream import USAGE, FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


def drawn(*contents: bytes, **more: Any) -> bytes:
    """An answer with these pictures."""
    data = [{"b64_json": base64.b64encode(content).decode(), **more} for content in contents]
    return json.dumps({"created": 1, "data": data}).encode()


class SecondFails(FileSystemStorage):
    """Stores one file."""

    def _save(self, name: str, content: Any) -> str:
        if files():
            raise OSError(28, "No space left on device")
        saved: str = super()._save(name, content)
        return saved


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
@pytest.mark.parametrize("config", [{}, {"response_format": "b64_json"}, {"response_format": "url"}])
def test_a_text_becomes_pictures(config: dict[str, str], transport: Transport, upstream: FakeUpstream) -> None:
    me = make_actor()
    execution = prepare(endpoint_for(upstream, "image.text2img", config=config), "A fox.", me, n=2, size="8x8")
    kind, end = transport(execution)[-1]
    first, second = Artifact.objects.order_by("name")
    assert (kind, end["usage"]) == ("final", USAGE)
    expected = {"artifacts": [str(first.pk), str(second.pk)], "model": "fake", "revised_prompts": ["A fox."] * 2}
    assert end["output"] == stored(execution).output == expected
    assert [content_of(one) for one in (first, second)] == [png(shade=0), png(shade=1)]
    assert [one.name for one in (first, second)] == ["image-1.png", "image-2.png"]
    assert {(one.kind, one.content_type, one.execution_id, one.user_id) for one in (first, second)} == {
        ("image", "image/png", execution.pk, me.user.pk)
    }
    assert upstream.requests[0].json == {"model": "fake", "prompt": "A fox.", "n": 2, "size": "8x8", **config}


def test_the_pictures_are_told_before_the_end_and_the_prompt_is_in_the_prompt_log(upstream: FakeUpstream) -> None:
    events = as_stream(prepare(endpoint_for(upstream, "image.text2img"), {"prompt": "A fox."}))
    assert [kind for kind, _data in events] == ["started", "artifact", "final"]
    artifact = Artifact.objects.get()
    assert events[1][1] == {"id": str(artifact.pk), "kind": "image", "content_type": "image/png", "size": len(png())}
    assert PromptLog.objects.get().history == ["A fox."]


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_picture_is_stored_as_what_it_is(suffix: str, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = drawn(PICTURES[suffix])
    execution = prepare(endpoint_for(upstream, "image.text2img", "raw:it"), "A fox.")
    at_once(execution)
    artifact = Artifact.objects.get()
    assert (artifact.content_type, artifact.name) == (f"image/{suffix}", f"image-1.{suffix}")
    assert stored(execution).output == {"artifacts": [str(artifact.pk)], "model": "raw:it"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (drawn(png(), png()[:-12]), "upstream_broke_off"),
        (drawn(png(), JPEG[:-2]), "upstream_broke_off"),
        (drawn(png(), b""), "upstream_broke_off"),
        (drawn(png(), b"<html>"), "upstream_invalid"),
        (drawn(png(), png(), png()), "upstream_invalid"),
        (drawn(png(), png())[:-20], "upstream_invalid"),
        (b'{"data": [{"b64_json": "%%%"}]}', "upstream_invalid"),
        (b'{"data": [{"url": "http://169.254.169.254/latest/"}]}', "outbound_blocked"),
        (b'{"data": [{"url": "file:///etc/passwd"}]}', "outbound_blocked"),
    ],
)
def test_of_pictures_that_are_not_all_whole_none_is_stored(answer: bytes, code: str, upstream: FakeUpstream) -> None:
    upstream.answers["it"] = answer
    ((kind, data),) = at_once(prepare(endpoint_for(upstream, "image.text2img", "raw:it"), "A fox.", n=2))
    assert (kind, data["code"]) == ("error", code)
    assert (Artifact.objects.count(), files()) == (0, [])


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_half_a_picture_is_not_stored_however_it_is_drawn(
    transport: Transport, upstream: FakeUpstream, settings: Settings
) -> None:
    settings.AUTOMATE_API_JOB_ATTEMPTS = 1
    upstream.answers["it"] = drawn(png(), png()[:-12])
    execution = prepare(endpoint_for(upstream, "image.text2img", "raw:it"), "A fox.", n=2)
    kind, data = transport(execution)[-1]
    assert (kind, data["code"], stored(execution).status) == ("error", "upstream_broke_off", "failed")
    assert (Artifact.objects.count(), files()) == (0, [])


def test_where_the_second_cannot_be_stored_the_first_stays_and_the_run_fails(
    upstream: FakeUpstream, settings: Settings
) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.SecondFails"}}
    execution = prepare(endpoint_for(upstream, "image.text2img"), "A fox.", n=2)
    events = as_stream(execution)
    assert [kind for kind, _data in events] == ["started", "artifact", "error"]
    assert events[-1][1]["code"] == "storage_unavailable"
    artifact = Artifact.objects.get()
    assert (artifact.execution_id, len(files())) == (execution.pk, 1)
    assert artifact.expires_at is not None


def test_a_key_that_the_server_sends_back_is_masked(upstream: FakeUpstream) -> None:
    upstream.answers["it"] = drawn(png(), revised_prompt=f"A fox with {KEY}.")
    execution = prepare(endpoint_for(upstream, "image.text2img", "raw:it"), "A fox.")
    events = as_stream(execution)
    assert KEY not in f"{events}{stored(execution).output}"
    assert stored(execution).output["revised_prompts"] == ["A fox with ***."]
