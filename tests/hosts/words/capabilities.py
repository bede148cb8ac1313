"""The host's capability."""

from collections.abc import AsyncGenerator
from typing import Any

from automate_api.engine.capability import Capability, RunContext, register
from automate_api.engine.events import EventType, RunEvent

_OPTIONS = {"type": "object", "properties": {"case": {"enum": ["keep", "lower"]}}, "additionalProperties": False}


@register
class ListWords(Capability):
    """List the words of a text, each once."""

    task_type = "words.list"
    artifact_inputs = ("text",)
    input_schema: Any = {
        "type": "object",
        "properties": {"text": {"type": "string", "format": "uuid"}, "options": {"$ref": "#/$defs/options"}},
        "required": ["text"],
        "additionalProperties": False,
        "$defs": {"options": _OPTIONS},
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        text = await ctx.read_artifact(ctx.input["text"], max_bytes=100_000)
        lower = ctx.input.get("options", {}).get("case") == "lower"
        words = sorted(set((text.content.lower() if lower else text.content).split()))
        listed = await ctx.save_artifact(b"\n".join(words), name="words.txt", content_type="text/plain")
        yield listed
        yield RunEvent(EventType.FINAL, {"output": {"count": len(words), "list": listed.data["id"]}})
