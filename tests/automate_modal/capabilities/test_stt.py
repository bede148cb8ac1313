"""`audio.stt` on a model server that speaks the protocol."""

import io
import json

import pytest

from automate_api.exceptions import InvalidInput
from automate_api.llm import media
from automate_api.models import Actor, Artifact, PromptLog
from automate_api.services.artifacts import delete_artifact, upload_artifact
from tests.factories import make_actor
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture
from tests.jobs.making import KEY
from tests.media import FLAC, wav
from tests.modal import TRANSPORTS, Transport, as_stream, at_once, endpoint_for, prepare, stored
from tests.upstream import TEXT, USAGE, FakeUpstream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("asked")]


@pytest.fixture
def me() -> Actor:
    return make_actor()


def upload(actor: Actor, content: bytes = wav(), name: str = "a letter to Ann.wav") -> dict[str, str]:
    """The input that names an uploaded file."""
    artifact = upload_artifact(io.BytesIO(content), actor=actor, name=name, content_type="text/html")
    return {"audio": str(artifact.pk)}


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_what_is_said_is_the_output(transport: Transport, upstream: FakeUpstream, me: Actor) -> None:
    execution = prepare(endpoint_for(upstream, "audio.stt"), upload(me), me, language="cs", temperature=0)
    kind, end = transport(execution)[-1]
    assert (kind, end["output"], end["usage"]) == ("final", {"text": TEXT, "model": "fake"}, USAGE)
    assert (stored(execution).status, stored(execution).output) == ("succeeded", end["output"])
    form = upstream.requests[0].form
    assert (form["file"], form["language"], form["temperature"], form["model"]) == (wav(), b"cs", b"0", b"fake")
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_what_is_said_is_a_token_and_in_the_prompt_log(upstream: FakeUpstream, me: Actor) -> None:
    events = as_stream(prepare(endpoint_for(upstream, "audio.stt"), upload(me), me, prompt="Names: Žofie."))
    assert [kind for kind, _data in events] == ["started", "token", "final"]
    assert events[1][1] == {"text": TEXT}
    log = PromptLog.objects.get()
    assert (log.history, log.response, log.usage) == (["Names: Žofie."], TEXT, USAGE)


def test_silence_is_no_token(upstream: FakeUpstream, me: Actor) -> None:
    upstream.answers["it"] = b'{"text": "", "language": "en", "duration": 0.1}'
    events = as_stream(prepare(endpoint_for(upstream, "audio.stt", "raw:it"), upload(me), me))
    assert [kind for kind, _data in events] == ["started", "final"]
    assert events[-1][1]["output"] == {"text": "", "model": "raw:it", "language": "en", "duration": 0.1}


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [(wav(), "x", "audio.wav"), (FLAC, "a.wav", "audio.flac"), (b"amr", "../note.amr", "note.amr")],
)
def test_the_model_server_is_told_what_the_file_is_and_not_how_it_is_called(
    content: bytes, name: str, told: str, upstream: FakeUpstream, me: Actor
) -> None:
    at_once(prepare(endpoint_for(upstream, "audio.stt"), upload(me, content, name), me))
    (file,) = [part for part in upstream.requests[0].parts if part.get_filename()]
    assert file.get_filename() == told
    assert file.get_content_type() in {"audio/wav", "audio/flac", "application/octet-stream"}


def test_somebody_elses_file_is_as_good_as_none(upstream: FakeUpstream, me: Actor) -> None:
    theirs = upload(me)
    for actor in (make_actor(), make_actor(tenant_id="other", is_staff=True)):
        with pytest.raises(InvalidInput) as caught:
            prepare(endpoint_for(upstream, "audio.stt"), theirs, actor)
        assert [(error.field, error.code) for error in caught.value.errors] == [("input.audio", "does_not_exist")]
    assert not upstream.requests


def test_a_file_that_is_deleted_meanwhile_ends_the_run(upstream: FakeUpstream, me: Actor) -> None:
    execution = prepare(endpoint_for(upstream, "audio.stt"), upload(me), me)
    delete_artifact(Artifact.objects.get())
    assert at_once(execution)[-1][1]["code"] == "invalid_input"
    assert not upstream.requests


def test_a_file_that_is_longer_than_the_protocol_takes_is_not_sent(
    upstream: FakeUpstream, me: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert media.MAX_SPOKEN_BYTES == 25 * 1024 * 1024
    monkeypatch.setattr(media, "MAX_SPOKEN_BYTES", len(wav()))
    endpoint = endpoint_for(upstream, "audio.stt")
    assert at_once(prepare(endpoint, upload(me), me))[-1][0] == "final"
    assert at_once(prepare(endpoint, upload(me, wav() + b"\0"), me))[-1][1]["code"] == "invalid_input"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_a_key_that_the_server_sends_back_is_masked(transport: Transport, upstream: FakeUpstream, me: Actor) -> None:
    upstream.answers["it"] = json.dumps({"text": f"Your key is {KEY}.", "language": KEY}).encode()
    execution = prepare(endpoint_for(upstream, "audio.stt", "raw:it"), upload(me), me)
    events = transport(execution)
    assert events[-1][0] == "final"
    assert KEY not in f"{events}{stored(execution).output}{PromptLog.objects.get().response}"
    assert stored(execution).output["text"] == "Your key is ***."


def test_an_error_says_nothing_of_the_servers(upstream: FakeUpstream, me: Actor) -> None:
    upstream.answers["it"] = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
    execution = prepare(endpoint_for(upstream, "audio.stt", "raw:it"), upload(me), me)
    ((kind, data),) = at_once(execution)
    assert (kind, data["code"]) == ("error", "upstream_failed")
    assert KEY not in f"{data}{stored(execution).error}"
