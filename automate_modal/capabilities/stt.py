"""`audio.stt`: what is said in a file, after the OpenAI transcription protocol."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.engine.artifacts import ReadArtifact
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.llm import media
from automate_api.llm.formats import SPOKEN, format_among
from automate_api.llm.multipart import Upload
from automate_api.llm.types import Retry, Transcript


@register
class TranscribeCapability(Capability):
    """Write down what is said in a file of at most 25 MiB.

    The input is `{"audio": <id of an artifact>}`; the output is `{text, model}`, with `language` and `duration` where
    the model server tells them.
    """

    task_type = "audio.stt"
    label = _("Transcribe speech")
    needs_llm_client = True
    artifact_inputs = ("audio",)
    input_schema = {
        "type": "object",
        "properties": {"audio": {"type": "string", "format": "uuid", "description": "The artifact to transcribe."}},
        "required": ["audio"],
        "additionalProperties": False,
    }
    params_schema = {
        "type": "object",
        "properties": {
            "language": {
                "type": "string",
                "minLength": 1,
                "maxLength": 20,
                "description": "What is spoken, such as `de`.",
            },
            "prompt": {
                "type": "string",
                "maxLength": 4000,
                "description": "What was said before, or how names are spelt.",
            },
            "temperature": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "How freely the model chooses its words.",
            },
        },
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, prompt = target_of(ctx), ctx.params.get("prompt")
        audio = await ctx.read_artifact(ctx.input["audio"], max_bytes=media.MAX_SPOKEN_BYTES)
        ctx.exchange = Exchange(history=[prompt] if prompt else [])
        async with aclosing(media.transcribe(target, _upload(audio), params=ctx.params)) as answer:
            async for item in answer:
                match item:
                    case Retry():
                        yield retry_event(item)
                    case Transcript(text=text):
                        if text:
                            yield RunEvent(EventType.TOKEN, {"text": text})
                        yield final_event(target, _output(item), item.usage)


def _upload(audio: ReadArtifact) -> Upload:
    """The file as the model server is told of it: by its content, since servers go by a name's end.

    What the caller calls it is told only where nothing else says what it is.
    """
    found = format_among(SPOKEN, audio.content)
    if found is None:
        return Upload(audio.name, "application/octet-stream", audio.content)
    return Upload(f"audio.{found.suffix}", found.content_type, audio.content)


def _output(said: Transcript) -> dict[str, Any]:
    output: dict[str, Any] = {"text": said.text, "model": said.model}
    if said.language:
        output["language"] = said.language
    if said.duration is not None:
        output["duration"] = said.duration
    return output
