"""Reading what a model server sent. None of it is trusted: what has not the protocol's shape is UpstreamInvalid."""

import json
import re
from math import isfinite
from typing import Any, NoReturn

from automate_api.exceptions import UpstreamBrokeOff, UpstreamFailed, UpstreamInvalid
from automate_api.llm.types import Completion, Embeddings, Transcript, Usage

MAX_TOKENS = 2**31 - 1
MAX_TOOL_CALLS = 128
MAX_NAME = 200
REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# How servers say that they stopped for a reason of their own: the answer is not whole.
_BROKEN_OFF = frozenset(
    {"error", "failed", "abort", "aborted", "cancelled", "canceled", "timeout", "insufficient_system_resource"}
)


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def decode_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data` (RFC 8259: UTF-8, without NaN and Infinity)."""
    try:
        value = _decoder.decode(data.decode())
    except (ValueError, RecursionError):
        raise UpstreamInvalid from None
    if not isinstance(value, dict):
        raise UpstreamInvalid
    if value.get("error"):
        raise UpstreamFailed
    return value


class TextCleaner:
    """Makes text storable, piece by piece: drops NULs, joins split surrogate pairs, turns lone halves into U+FFFD."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def clean(self, text: str) -> str:
        """The storable form of the next piece; a first half at its end waits for the next."""
        text = self._held + text
        self._held = ""
        if (text.isascii() and "\0" not in text) or not _UNSTORABLE.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def flush(self) -> str:
        """What is left at the end."""
        held, self._held = self._held, ""
        return REPLACEMENT if held else ""


def clean_text(text: str) -> str:
    """The storable form of a whole text."""
    cleaner = TextCleaner()
    return cleaner.clean(text) + cleaner.flush()


def read_name(value: object, default: str) -> str:
    """A short string such as a model's name or an id; `default` where it is missing or empty."""
    if value is None or value == "":
        return default
    if not isinstance(value, str):
        raise UpstreamInvalid
    return clean_text(value[:MAX_NAME])


def read_text(value: object) -> str:
    """A text that may be null."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UpstreamInvalid
    return value


def read_object(value: object) -> dict[str, Any]:
    """An object that may be null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UpstreamInvalid
    return value


def read_list(value: object) -> list[Any]:
    """An array that may be null."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise UpstreamInvalid
    return value


def read_finish_reason(value: object) -> str:
    """Why the model stopped, `""` where it has not said. UpstreamBrokeOff where it is that the server failed."""
    reason = read_name(value, "")
    if reason.lower() in _BROKEN_OFF:
        raise UpstreamBrokeOff
    return reason


def _count(usage: dict[str, Any], name: str, default: int = 0) -> int:
    value = usage.get(name)
    if value is None:
        return default
    if type(value) is not int or not 0 <= value <= MAX_TOKENS:
        raise UpstreamInvalid
    return value


def read_usage(value: object) -> Usage | None:
    """The token counts, None where there are none."""
    usage = read_object(value)
    if not usage:
        return None
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    return Usage(prompt, completion, _count(usage, "total_tokens", min(prompt + completion, MAX_TOKENS)))


def read_media_usage(value: object) -> Usage | None:
    """The token counts of what is not a conversation, None where the server counts seconds, or nothing."""
    usage = read_object(value)
    names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}
    if not names.keys() & usage.keys():
        return None
    return read_usage({ours: usage.get(theirs) for theirs, ours in names.items()})


def tool_call(call_id: str, name: str, arguments: str, *, index: int) -> dict[str, Any]:
    """One tool call in the protocol's shape; one without a name is UpstreamInvalid."""
    if not name:
        raise UpstreamInvalid
    function = {"name": name, "arguments": clean_text(arguments)}
    return {"id": call_id or f"call_{index}", "type": "function", "function": function}


def read_tool_calls(value: object) -> list[dict[str, Any]]:
    """The tool calls of a whole message."""
    calls = read_list(value)
    if len(calls) > MAX_TOOL_CALLS:
        raise UpstreamInvalid
    return [_read_tool_call(read_object(call), index) for index, call in enumerate(calls)]


def _read_tool_call(call: dict[str, Any], index: int) -> dict[str, Any]:
    function = read_object(call.get("function"))
    name, arguments = read_name(function.get("name"), ""), read_text(function.get("arguments"))
    return tool_call(read_name(call.get("id"), ""), name, arguments, index=index)


def read_completion(data: bytes, model: str) -> Completion:
    """A whole answer out of the body of a call that was not streamed."""
    body = decode_object(data)
    choices = read_list(body.get("choices"))
    if not choices:
        raise UpstreamInvalid
    choice = read_object(choices[0])
    message = read_object(choice.get("message"))
    reason = read_finish_reason(choice.get("finish_reason"))
    if not reason or not message:
        raise UpstreamInvalid
    content, refusal = (clean_text(read_text(message.get(name))) for name in ("content", "refusal"))
    return Completion(
        text=content or refusal,
        tool_calls=read_tool_calls(message.get("tool_calls")),
        finish_reason=reason,
        usage=read_usage(body.get("usage")),
        model=read_name(body.get("model"), model),
        refusal="" if content else refusal,
    )


def _read_vector(value: object) -> list[float]:
    numbers = read_list(value)
    if not numbers or not {float, int}.issuperset(map(type, numbers)):
        raise UpstreamInvalid
    try:
        vector = list(map(float, numbers))
    except OverflowError:
        raise UpstreamInvalid from None
    if not all(map(isfinite, vector)):
        raise UpstreamInvalid
    return vector


def read_embeddings(data: bytes, model: str, count: int) -> Embeddings:
    """`count` vectors of one length out of the body of an embeddings call, in the order of their `index`."""
    body = decode_object(data)
    items = [read_object(item) for item in read_list(body.get("data"))]
    indexes = [item.get("index", position) for position, item in enumerate(items)]
    if len(items) != count or any(type(index) is not int for index in indexes) or set(indexes) != set(range(count)):
        raise UpstreamInvalid
    ordered = sorted(zip(indexes, items, strict=True), key=lambda pair: pair[0])
    vectors = [_read_vector(item.get("embedding")) for _index, item in ordered]
    if len(set(map(len, vectors))) > 1:
        raise UpstreamInvalid
    return Embeddings(vectors, read_usage(body.get("usage")), read_name(body.get("model"), model))


def _read_seconds(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise UpstreamInvalid
    return float(value)  # type: ignore[arg-type]


def read_transcript(data: bytes, model: str) -> Transcript:
    """What was said, out of the body of a transcription; silence is an empty text, but a text."""
    body = decode_object(data)
    if not isinstance(body.get("text"), str):
        raise UpstreamInvalid
    return Transcript(
        text=clean_text(body["text"]),
        language=read_name(body.get("language"), ""),
        duration=_read_seconds(body.get("duration")),
        usage=read_media_usage(body.get("usage")),
        model=read_name(body.get("model"), model),
    )


def read_models(data: bytes) -> list[str]:
    """The ids of a list of models."""
    names = [read_name(read_object(item).get("id"), "") for item in read_list(decode_object(data).get("data"))]
    return [name for name in names if name]
