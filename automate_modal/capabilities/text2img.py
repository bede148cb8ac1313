"""`image.text2img`: pictures of what a text says, after the OpenAI image protocol."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import RunEvent
from automate_api.llm import media
from automate_api.llm.types import Pictures, Retry

_PROMPT = {"type": "string", "minLength": 1, "maxLength": 32_000}
_WORD = {"type": "string", "minLength": 1, "maxLength": 50}


@register
class DrawCapability(Capability):
    """Draw one picture or up to ten, and store them.

    The input is a string or `{"prompt": …}`; the output is `{artifacts, model}`, the ids of the files in the model
    server's order, with `revised_prompts` where it tells what it made of the prompt. All pictures are looked at before
    the first is stored.
    """

    task_type = "image.text2img"
    label = _("Draw pictures")
    needs_llm_client = True
    input_schema = {
        "anyOf": [
            _PROMPT,
            {
                "type": "object",
                "properties": {"prompt": {**_PROMPT, "description": "What to draw."}},
                "required": ["prompt"],
                "additionalProperties": False,
            },
        ]
    }
    params_schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 10, "description": "How many pictures."},
            "size": {
                "type": "string",
                "pattern": "^(auto|[1-9][0-9]{0,4}x[1-9][0-9]{0,4})$",
                "description": "Width and height in pixels, such as `1024x1024`.",
            },
            "quality": {**_WORD, "description": "In the model's words, such as `high`."},
            "background": {**_WORD, "description": "In the model's words, such as `transparent`."},
            "style": {**_WORD, "description": "In the model's words, such as `vivid`."},
        },
        "additionalProperties": False,
    }
    config_schema = {
        "type": "object",
        "properties": {"response_format": {"enum": ["b64_json", "url"]}},
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, given = target_of(ctx), ctx.input
        prompt = given if isinstance(given, str) else given["prompt"]
        ctx.exchange = Exchange(history=[prompt])
        async with aclosing(media.draw(target, prompt, params={**ctx.config, **ctx.params})) as answer:
            async for item in answer:
                if isinstance(item, Retry):
                    yield retry_event(item)
                    continue
                stored = []
                for number, picture in enumerate(item.pictures, start=1):
                    name = f"image-{number}.{picture.suffix}"
                    event = await ctx.save_artifact(picture.content, name=name, content_type=picture.content_type)
                    yield event
                    stored.append(event.data["id"])
                yield final_event(target, _output(item, stored), item.usage)


def _output(drawn: Pictures, stored: list[str]) -> dict[str, Any]:
    output: dict[str, Any] = {"artifacts": stored, "model": drawn.model}
    prompts = [picture.revised_prompt or None for picture in drawn.pictures]
    if any(prompts):
        output["revised_prompts"] = prompts
    return output
