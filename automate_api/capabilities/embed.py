"""`llm.embed`: vectors for texts, after the OpenAI embeddings protocol."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import RunEvent
from automate_api.llm import openai
from automate_api.llm.types import Embeddings, Retry

_TEXT = {"type": "string", "minLength": 1}


@register
class EmbedCapability(Capability):
    """Embed one text or up to 2048 of them.

    The input is a string, `{"text": …}` or `{"texts": […]}`; the output is `{embeddings, dimensions, model}` with one
    vector a text, in order.
    """

    task_type = "llm.embed"
    label = _("Embed texts")
    needs_llm_client = True
    input_schema = {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "properties": {"text": {**_TEXT, "description": "One text."}},
                "required": ["text"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "texts": {
                        "type": "array",
                        "items": _TEXT,
                        "minItems": 1,
                        "maxItems": 2048,
                        "description": "Several texts.",
                    }
                },
                "required": ["texts"],
                "additionalProperties": False,
            },
        ]
    }
    params_schema = {
        "type": "object",
        "properties": {
            "dimensions": {
                "type": "integer",
                "minimum": 1,
                "maximum": 16384,
                "description": "How long a vector is.",
            }
        },
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, given = target_of(ctx), ctx.input
        texts = [given] if isinstance(given, str) else given.get("texts") or [given["text"]]
        ctx.exchange = Exchange(history=texts)
        async with aclosing(openai.embed(target, texts, params=ctx.params)) as answer:
            async for item in answer:
                match item:
                    case Retry():
                        yield retry_event(item)
                    case Embeddings(vectors=vectors):
                        output = {"embeddings": vectors, "dimensions": len(vectors[0]), "model": item.model}
                        yield final_event(target, output, item.usage)
