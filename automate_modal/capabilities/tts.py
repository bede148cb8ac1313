"""`audio.tts`: a text spoken, after the OpenAI speech protocol."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import RunEvent
from automate_api.llm import media
from automate_api.llm.formats import SPEECH
from automate_api.llm.types import Retry

_TEXT = {"type": "string", "minLength": 1, "maxLength": 4096}
_VOICE = {"type": "string", "minLength": 1, "maxLength": 100}


@register
class SpeakCapability(Capability):
    """Speak a text, and store the sound.

    The input is a string or `{"text": …}`; the output is `{artifact, content_type, size, model}`, where `artifact` is
    the id of the file. `config.voice` is whose voice it is where the parameters do not say.
    """

    task_type = "audio.tts"
    label = _("Speak a text")
    needs_llm_client = True
    input_schema = {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "properties": {"text": {**_TEXT, "description": "What to say."}},
                "required": ["text"],
                "additionalProperties": False,
            },
        ]
    }
    params_schema = {
        "type": "object",
        "properties": {
            "voice": {**_VOICE, "description": "Who speaks; the model has names for them."},
            "format": {"type": "string", "enum": list(SPEECH), "description": "What kind of file."},
            "speed": {"type": "number", "minimum": 0.25, "maximum": 4, "description": "1 is the usual."},
            "instructions": {"type": "string", "maxLength": 4096, "description": "How to speak."},
        },
        "additionalProperties": False,
    }
    config_schema = {"type": "object", "properties": {"voice": _VOICE}, "additionalProperties": False}

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, given = target_of(ctx), ctx.input
        text = given if isinstance(given, str) else given["text"]
        params = {**ctx.config, **ctx.params}
        name = params.pop("format", "mp3")
        ctx.exchange = Exchange(system=params.get("instructions", ""), history=[text])
        async with aclosing(media.speak(target, text, speech=name, params=params)) as answer:
            async for item in answer:
                if isinstance(item, Retry):
                    yield retry_event(item)
                    continue
                async with aclosing(_file(item, answer)) as pieces:
                    content_type = SPEECH[name].content_type
                    stored = await ctx.save_artifact(pieces, name=f"speech.{name}", content_type=content_type)
                yield stored
                yield final_event(target, _output(stored.data, target.model), None)


async def _file(first: bytes, rest: AsyncIterator[Retry | bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces of the file. Once one has come, nothing is tried again."""
    yield first
    async for item in rest:
        if isinstance(item, bytes):
            yield item


def _output(stored: dict[str, Any], model: str) -> dict[str, Any]:
    output = {name: stored[name] for name in ("content_type", "size")}
    return {"artifact": stored["id"], **output, "model": model}
