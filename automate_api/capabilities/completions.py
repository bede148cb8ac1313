"""`openai.chat`, `openai.passthrough`: a chat completion as callers of the OpenAI protocol ask for it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from automate_api.capabilities.calls import final_event, retry_event, target_of
from automate_api.capabilities.chat import ChatCapability
from automate_api.capabilities.protocol import CLOSED, OPEN
from automate_api.engine.capability import Capability, Exchange, RunContext, register
from automate_api.engine.events import EventType, RunEvent
from automate_api.llm import openai
from automate_api.llm.types import Completion, Retry, TextDelta

# Characters of something that is no text: it is base64.
_LONG = 200
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})


@register
class CompletionCapability(Capability):
    """Go on with a conversation that the caller has whole, system messages included.

    The input is the body of a chat completion without `model` and `stream`. The LLM client's system prompt comes before
    its messages; the client's parameters and tools count where the body has none. The output is `{content, refusal,
    tool_calls, finish_reason, model}`. A refusal is no text of the run, and comes whole.

    No endpoint offers it: who writes system messages is there the LLM client's owner.
    """

    task_type = "openai.chat"
    label = _("Chat completion")
    for_endpoints = False
    input_schema = CLOSED
    # Which of an LLM client's parameters apply; callers have theirs in the input.
    params_schema = ChatCapability.params_schema

    #: Members that the model server is not told.
    kept: ClassVar[frozenset[str]] = frozenset({"messages", "metadata", "store"})

    async def run(self, ctx: RunContext) -> AsyncGenerator[RunEvent, None]:
        target, messages = target_of(ctx), ctx.input["messages"]
        ctx.exchange = Exchange(system=ctx.system_prompt, history=[_logged(message) for message in messages])
        system = [{"role": "system", "content": ctx.system_prompt}] if ctx.system_prompt else []
        call = openai.chat(target, [*system, *messages], params=self._body(ctx), stream=ctx.stream)
        async with aclosing(call) as answer:
            async for item in answer:
                match item:
                    case TextDelta(text=text, is_refusal=False):
                        yield RunEvent(EventType.TOKEN, {"text": text})
                    case Retry():
                        yield retry_event(item)
                    case Completion():
                        ctx.exchange.response = item.text if item.refusal else ""
                        if not ctx.stream and item.content:
                            yield RunEvent(EventType.TOKEN, {"text": item.content})
                        yield final_event(target, _output(item), item.usage)

    def _body(self, ctx: RunContext) -> dict[str, Any]:
        given = {name: value for name, value in ctx.input.items() if name not in self.kept}
        own = {**ctx.params, "tools": ctx.tools} if ctx.tools else dict(ctx.params)
        if given.keys() & _LIMITS:
            own = {name: value for name, value in own.items() if name not in _LIMITS}
        body = {**own, **given}
        if not body.get("tools"):
            # Servers refuse an empty list, and a choice among nothing.
            body = {name: value for name, value in body.items() if name not in {"tools", "tool_choice"}}
        return body


@register
class PassthroughCapability(CompletionCapability):
    """The same for a body that goes to a provider as it is, with members that nobody here knows."""

    task_type = "openai.passthrough"
    label = _("Chat completion, passed through")
    input_schema = OPEN

    def _body(self, ctx: RunContext) -> dict[str, Any]:
        return {name: value for name, value in ctx.input.items() if name != "messages"}


def _output(answer: Completion) -> dict[str, Any]:
    return {
        "content": answer.content or None,
        "refusal": answer.refusal or None,
        "tool_calls": answer.tool_calls,
        "finish_reason": answer.finish_reason,
        "model": answer.model,
    }


def _logged(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message for the prompt log, which people read: pictures stand in the execution."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [part if _is_text(part) else _shortened(part) for part in content]}


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONG:
        head = value.partition(",")[0][:_LONG] if value.startswith("data:") else value[:_LONG]
        return f"{head}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    return [_shortened(inner) for inner in value] if isinstance(value, list) else value
