"""The façade by the official Python SDK: `python sdk.py HOST KEY LIMITED_KEY`; what came of it as JSON."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import openai

host, key, limited_key = sys.argv[1:]
client = openai.OpenAI(base_url=f"{host}/openai/v1", api_key=key, max_retries=0)
messages: Any = [{"role": "user", "content": "Hello"}]
parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
tools: Any = [
    {"type": "function", "function": {"name": name, "parameters": parameters}} for name in ("weather", "time")
]
told: dict[str, Any] = {}


def failure(call: Callable[[], Any]) -> list[Any] | None:
    """Status, code and class of the error that `call` ends in."""
    try:
        call()
    except openai.APIError as error:
        return [getattr(error, "status_code", None), error.code, type(error).__name__]
    return None


def calls_of(choice: Any) -> list[Any]:
    calls = [[call.function.name, call.function.arguments] for call in choice.message.tool_calls]
    return [choice.finish_reason, calls]


def chat(model: str, **more: Any) -> Callable[[], Any]:
    return lambda: client.chat.completions.create(model=model, messages=messages, **more)


async def asked_at_once() -> int:
    async with openai.AsyncOpenAI(base_url=f"{host}/openai/v1", api_key=key, max_retries=0) as several:
        answers = [several.chat.completions.create(model="sdk/chat", messages=messages) for _ in range(3)]
        return len({answer.id for answer in await asyncio.gather(*answers)})


told["models"] = [model.id for model in client.models.list() if model.id.startswith("sdk")]
told["model"] = client.models.retrieve("sdk/chat").id

whole = chat("sdk-helper")()
choice = whole.choices[0]
told["chat"] = [choice.message.content, choice.finish_reason, whole.usage.total_tokens, whole.model]

streamed, last, usage = "", None, None
for chunk in chat("sdk/chat", stream=True, stream_options={"include_usage": True})():
    for piece in chunk.choices:
        streamed += piece.delta.content or ""
        last = piece.finish_reason or last
    usage = chunk.usage or usage
told["stream"] = [streamed, last, usage and usage.total_tokens]

called = chat("sdk/tools", tools=tools, tool_choice="auto")().choices[0]
told["tools"] = calls_of(called)
with client.chat.completions.stream(model="sdk/tools", messages=messages, tools=tools) as events:
    told["streamed_tools"] = calls_of(events.get_final_completion().choices[0])

answers: Any = [
    {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name}: fine"}
    for call in called.message.tool_calls
]
following = client.chat.completions.create(model="sdk/echo", messages=[*messages, called.message, *answers])
told["tool_answer"] = following.choices[0].message.content

vectors = client.embeddings.create(model="sdk/embed", input=["one", "two"]).data
plain = client.embeddings.create(model="sdk/embed", input="one", encoding_format="float").data
told["embeddings"] = [
    len(vectors),
    all(abs(a - b) < 1e-6 for a, b in zip(vectors[0].embedding, plain[0].embedding, strict=True)),
]

told["unknown_model"] = failure(chat("sdk-nothing"))
told["unknown_retrieved"] = failure(lambda: client.models.retrieve("sdk/nothing"))
told["not_answered"] = failure(chat("sdk-helper", n=2))
told["bad_key"] = failure(client.with_options(api_key="sk-wrong").models.list)
told["broken_before"] = failure(chat("sdk/status:500"))
told["rejected"] = failure(chat("sdk/status:400"))
told["their_key"] = failure(chat("sdk/status:401"))
told["their_limit"] = failure(chat("sdk/status:429:7"))
told["broken_amid"] = failure(lambda: list(chat("sdk/break:cut:0.6:chunked", stream=True)()))

limited, told["limit"] = client.with_options(api_key=limited_key), None
while told["limit"] is None:
    told["limit"] = failure(limited.models.list)

if asyncio.run(asked_at_once()) != 3:
    raise SystemExit("Three at once are three answers.")

left = chat("sdk/chunks:500:20", stream=True)()
for chunk in left:
    if chunk.choices and chunk.choices[0].delta.content:
        break
left.close()

print(json.dumps(told))
