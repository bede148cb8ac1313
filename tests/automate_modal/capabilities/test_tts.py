"""`audio.tts` on a model server that speaks the protocol."""

import pytest
from pytest_django import Settings

from automate_api.engine.transports import EventStream
from automate_api.models import Artifact, PromptLog
from automate_api.services.runs import prepare_run
from tests.factories import make_actor
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import KEY
from tests.media import MP3, SPEECH, wav
from tests.modal import (
    TRANSPORTS,
    Transport,
    as_job,
    as_stream,
    at_once,
    content_of,
    endpoint_for,
    files,
    prepare,
    stored,
)
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_a_text_becomes_a_file(transport: Transport, upstream: FakeUpstream) -> None:
    me = make_actor()
    execution = prepare(endpoint_for(upstream, "audio.tts"), "Hello.", me, voice="alloy")
    kind, end = transport(execution)[-1]
    artifact = Artifact.objects.get()
    expected = {"artifact": str(artifact.pk), "content_type": "audio/mpeg", "size": len(MP3), "model": "fake"}
    assert (kind, end["output"], end["usage"], end["cost"]) == ("final", expected, None, None)
    assert content_of(artifact) == MP3
    assert (artifact.execution_id, artifact.user_id, artifact.tenant_id) == (execution.pk, me.user.pk, "default")
    assert (artifact.kind, artifact.name) == ("audio", "speech.mp3")
    assert upstream.requests[0].json == {
        "model": "fake",
        "input": "Hello.",
        "response_format": "mp3",
        "voice": "alloy",
    }


@pytest.mark.parametrize("name", SPEECH)
def test_each_format_is_stored_as_what_it_is(name: str, upstream: FakeUpstream) -> None:
    at_once(prepare(endpoint_for(upstream, "audio.tts"), {"text": "Hello."}, format=name))
    artifact = Artifact.objects.get()
    assert (content_of(artifact), artifact.content_type, artifact.name) == (*SPEECH[name], f"speech.{name}")


def test_the_file_is_told_before_the_end_and_the_text_is_in_the_prompt_log(upstream: FakeUpstream) -> None:
    events = as_stream(prepare(endpoint_for(upstream, "audio.tts"), "Hello.", instructions="Whisper."))
    artifact = Artifact.objects.get()
    assert [kind for kind, _data in events] == ["started", "artifact", "final"]
    assert events[1][1] == {"id": str(artifact.pk), "kind": "audio", "content_type": "audio/mpeg", "size": len(MP3)}
    log = PromptLog.objects.get()
    assert (log.system, log.history, log.response) == ("Whisper.", ["Hello."], "")


def test_the_endpoint_has_a_voice_for_those_who_choose_none(upstream: FakeUpstream) -> None:
    endpoint = endpoint_for(upstream, "audio.tts", config={"voice": "onyx"})
    at_once(prepare(endpoint, "Hello."))
    at_once(prepare(endpoint, "Hello.", voice="nova"))
    assert [request.json["voice"] for request in upstream.requests] == ["onyx", "nova"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("sent:json:application/json", "upstream_invalid"),
        ("sent:html:text/html", "upstream_invalid"),
        ("sent:html:audio/wav", "upstream_invalid"),
        ("sent:mp3:audio/wav", "upstream_invalid"),
        ("sent:mp3:audio/mpeg", "upstream_invalid"),
        ("sent:wav:audio/wav:eof", "upstream_invalid"),
        ("sent:wav:audio/wav:long", "upstream_broke_off"),
        ("sent:half:audio/wav", "upstream_broke_off"),
        ("sent:none:audio/wav", "upstream_broke_off"),
        ("status:401", "upstream_auth_failed"),
    ],
)
def test_what_is_not_whole_speech_is_not_stored(model: str, code: str, upstream: FakeUpstream) -> None:
    html, json = f"<!doctype html><p>{KEY}".encode(), f'{{"error": "{KEY}"}}'.encode()
    upstream.answers |= {"json": json, "html": html, "mp3": MP3, "wav": wav(), "half": wav()[:-2], "none": b""}
    execution = prepare(endpoint_for(upstream, "audio.tts", model), "Hello.", format="wav")
    ((kind, data),) = at_once(execution)
    assert (kind, data["code"]) == ("error", code)
    assert KEY not in f"{data}{stored(execution).error}"
    assert (Artifact.objects.count(), files()) == (0, [])


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_speech_that_breaks_off_is_not_stored_however_it_is_run(
    transport: Transport, upstream: FakeUpstream, settings: Settings
) -> None:
    settings.AUTOMATE_API_JOB_ATTEMPTS = 1
    upstream.answers["it"] = MP3
    execution = prepare(endpoint_for(upstream, "audio.tts", "sent:it:audio/mpeg:long"), "Hello.")
    kind, data = transport(execution)[-1]
    assert (kind, data["code"], stored(execution).status) == ("error", "upstream_broke_off", "failed")
    assert (Artifact.objects.count(), files()) == (0, [])


def test_speech_over_the_cap_is_not_stored(upstream: FakeUpstream, settings: Settings) -> None:
    settings.AUTOMATE_API_ARTIFACT_MAX_BYTES = len(MP3) - 1
    ((_kind, data),) = at_once(prepare(endpoint_for(upstream, "audio.tts"), "Hello."))
    assert data["code"] == "upstream_too_large"
    assert (Artifact.objects.count(), files()) == (0, [])


def test_a_failing_model_server_is_asked_again_before_it_speaks(upstream: FakeUpstream) -> None:
    endpoint = endpoint_for(upstream, "audio.tts", "flaky:503:1:0")
    type(endpoint.llm_client.provider).objects.update(max_retries=1)
    endpoint.refresh_from_db()
    events = as_stream(prepare(endpoint, "Hello."))
    assert [kind for kind, _data in events] == ["started", "retry", "artifact", "final"]
    assert Artifact.objects.count() == 1


def test_a_job_is_tried_again_and_its_output_names_the_file_that_counts(upstream: FakeUpstream) -> None:
    execution = prepare(endpoint_for(upstream, "audio.tts", "flaky:503:1"), "Hello.")
    assert [kind for kind, _data in as_job(execution)] == ["queued", "started", "retry"]
    assert files() == []


def test_a_client_that_leaves_stops_the_speech_and_leaves_nothing(upstream: FakeUpstream) -> None:
    execution = prepare(endpoint_for(upstream, "audio.tts", "gated"), "Hello.")
    response = EventStream(prepare_run(execution, stream=True), is_async=False)
    assert b"event: started" in next(iter(response))
    upstream.allow()
    assert upstream.until(lambda: upstream.requests)
    response.close()
    assert upstream.connections[0].closed.wait(20)
    assert stored(execution).status == "cancelled"
    assert (Artifact.objects.count(), files()) == (0, [])
