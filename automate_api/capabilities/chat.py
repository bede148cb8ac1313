"""`llm.chat`: a conversation with a model, after the OpenAI chat-completions protocol."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.json_schema import first_error
from automate_api.exceptions import UpstreamInvalid
from automate_api.llm import openai
from automate_api.llm.types import Completion, Retry, TextDelta

_NUMBER_OF_TOKENS = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_PENALTY = {"type": "number", "minimum": -2, "maximum": 2}

_MESSAGE = {
    "type": "object",
    "properties": {
        # Not "system": who may write the system prompt is the LLM client's owner, never the caller.
        "role": {"type": "string", "enum": ["user", "assistant", "tool"], "description": "Who says it."},
        "content": {"type": ["string", "null"], "description": "What is said; null beside tool calls."},
        "tool_calls": {
            "type": "array",
            "items": {"type": "object"},
            "maxItems": 128,
            "description": "What the model called, as it said.",
        },
        "tool_call_id": {"type": "string", "maxLength": 256, "description": "Which call a tool answers."},
    },
    "required": ["role", "content"],
    "additionalProperties": False,
}


@register
class ChatCapability(Capability):
    """Ask a model and yield its answer as it comes.

    The input is a string, or an object with `messages`, or one with the property that `config.input_field` names
    (`prompt` by default). Any other object is given to the model as JSON.

    The output is `{text, finish_reason, model}`, with `tool_calls` where the model called tools and `json` where
    `config.response_schema` asks for an answer of that shape.
    """

    task_type = "llm.chat"
    label = _("Chat with a model")
    needs_llm_client = True
    input_schema = {
        "type": ["string", "object"],
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": _MESSAGE,
                "description": "A conversation. Any other object is given to the model as JSON, or its question alone.",
            }
        },
    }
    params_schema = {
        "type": "object",
        "properties": {
            "temperature": {
                "type": "number",
                "minimum": 0,
                "maximum": 2,
                "description": "How freely the model chooses its words.",
            },
            "top_p": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "From how much of what is likely it chooses.",
            },
            "max_tokens": {**_NUMBER_OF_TOKENS, "description": "The longest answer, in tokens."},
            "max_completion_tokens": {**_NUMBER_OF_TOKENS, "description": "The same, for models that reason."},
            "presence_penalty": {**_PENALTY, "description": "Against words that were used."},
            "frequency_penalty": {**_PENALTY, "description": "Against words that were used often."},
            "seed": {"type": "integer", "description": "The same seed is to give the same answer."},
            "stop": {
                "anyOf": [
                    {"type": "string", "maxLength": 200},
                    {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 4},
                ],
                "description": "What ends the answer.",
            },
            "tool_choice": {
                "type": "string",
                "enum": ["none", "auto", "required"],
                "description": "Whether the model may or must call tools.",
            },
            "reasoning_effort": {
                "type": "string",
                "enum": ["minimal", "low", "medium", "high"],
                "description": "How long a model that reasons may reason.",
            },
        },
        "additionalProperties": False,
    }
    config_schema = {
        "type": "object",
        "properties": {
            "input_field": {"type": "string", "minLength": 1, "maxLength": 100},
            "response_schema": {"type": "object"},
        },
        "additionalProperties": False,
    }

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, history = target_of(ctx), _messages(ctx)
        ctx.exchange = Exchange(system=ctx.system_prompt, history=history)
        system = [{"role": "system", "content": ctx.system_prompt}] if ctx.system_prompt else []
        call = openai.chat(target, [*system, *history], params=_body(ctx), stream=ctx.stream)
        async with aclosing(call) as answer:
            async for item in answer:
                match item:
                    case TextDelta(text=text):
                        yield RunEvent(EventType.TOKEN, {"text": text})
                    case Retry():
                        yield retry_event(item)
                    case Completion():
                        if not ctx.stream and item.text:
                            yield RunEvent(EventType.TOKEN, {"text": item.text})
                        yield final_event(target, _output(ctx, item), item.usage)


def _messages(ctx: RunContext) -> list[dict[str, Any]]:
    given = ctx.input
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if "messages" in given:
        return list(given["messages"])
    text = given.get(ctx.config.get("input_field", "prompt"))
    if not isinstance(text, str):
        text = json.dumps(given, ensure_ascii=False)
    return [{"role": "user", "content": text}]


def _body(ctx: RunContext) -> dict[str, Any]:
    body = dict(ctx.params)
    if ctx.tools:
        body["tools"] = ctx.tools
    if schema := ctx.config.get("response_schema"):
        shape = {"name": "answer", "schema": schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def _output(ctx: RunContext, answer: Completion) -> dict[str, Any]:
    output: dict[str, Any] = {"text": answer.text, "finish_reason": answer.finish_reason, "model": answer.model}
    if answer.tool_calls:
        output["tool_calls"] = answer.tool_calls
    elif schema := ctx.config.get("response_schema"):
        output["json"] = _parsed(answer.text, schema)
    return output


def _parsed(text: str, schema: dict[str, Any]) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UpstreamInvalid(_("The model's answer is not JSON, which the endpoint asks for.")) from exc
    if first_error(value, schema) is not None:
        raise UpstreamInvalid(_("The model's answer does not fit the endpoint's response schema."))
    return value
