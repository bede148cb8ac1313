"""A streamed answer put together: bytes in, text out, and a `Completion` only where the server said it was done."""

from collections.abc import Iterator
from typing import Any

from automate_api.exceptions import UpstreamBrokeOff, UpstreamFailed, UpstreamInvalid
from automate_api.llm.shapes import (
    MAX_TOOL_CALLS,
    TextCleaner,
    decode_object,
    read_finish_reason,
    read_list,
    read_name,
    read_object,
    read_text,
    read_usage,
    tool_call,
)
from automate_api.llm.sse import EventParser
from automate_api.llm.types import Completion, TextDelta, Usage


class ToolCalls:
    """Tool calls assembled from their deltas."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[int, tuple[list[str], list[str]]] = {}

    def add(self, deltas: list[Any]) -> None:
        """Take the `tool_calls` of one delta: the id and name where they first stand, the arguments appended."""
        for item in deltas:
            delta = read_object(item)
            function = read_object(delta.get("function"))
            names, arguments = self._parts.setdefault(self._index(delta), (["", ""], []))
            names[0] = names[0] or read_name(delta.get("id"), "")
            names[1] = names[1] or read_name(function.get("name"), "")
            arguments.append(read_text(function.get("arguments")))

    def _index(self, delta: dict[str, Any]) -> int:
        index = delta.get("index")
        if index is None:
            # Some servers number nothing and send each call whole: an id begins a new one.
            last = len(self._parts) - 1
            index = last + 1 if delta.get("id") or last < 0 else last
        if type(index) is not int or not 0 <= index < MAX_TOOL_CALLS:
            raise UpstreamInvalid
        return index

    def finish(self) -> list[dict[str, Any]]:
        """All calls in the order of their index."""
        return [
            tool_call(names[0], names[1], "".join(arguments), index=index)
            for index, (names, arguments) in sorted(self._parts.items())
        ]


class ChatAssembler:
    """Reads the body of a streamed chat completion.

    `feed` gives each delta with text; `finish`, at the end of the body, the `Completion`. Complete is a stream that
    named a finish reason and then sent `[DONE]`. Any other end is UpstreamBrokeOff, an `error` object UpstreamFailed,
    and what has not the protocol's shape UpstreamInvalid.
    """

    __slots__ = ("_calls", "_cleaner", "_done", "_events", "_is_refusal", "_model", "_reason", "_texts", "_usage")

    def __init__(self, model: str) -> None:
        self._events = EventParser()
        self._cleaner = TextCleaner()
        self._calls = ToolCalls()
        self._texts: list[TextDelta] = []
        self._is_refusal = False
        self._usage: Usage | None = None
        self._reason = ""
        self._model = model
        self._done = False

    def feed(self, chunk: bytes) -> Iterator[TextDelta]:
        """The pieces of text that `chunk` completes, none of them empty; what follows `[DONE]` is not read."""
        for data in self._events.feed(chunk):
            if self._done:
                return
            text = self._end() if data == b"[DONE]" else self._take(decode_object(data))
            if text:
                self._texts.append(TextDelta(text, self._is_refusal))
                yield self._texts[-1]
        if self._events.error_named and not self._done:
            raise UpstreamFailed

    def _end(self) -> str:
        if not self._reason:
            raise UpstreamBrokeOff
        self._done = True
        return self._cleaner.flush()

    def _take(self, chunk: dict[str, Any]) -> str:
        if usage := chunk.get("usage"):
            self._usage = read_usage(usage)
        self._model = read_name(chunk.get("model"), self._model)
        choices = read_list(chunk.get("choices"))
        return self._choose(read_object(choices[0])) if choices else ""

    def _choose(self, choice: dict[str, Any]) -> str:
        if reason := choice.get("finish_reason"):
            self._reason = read_finish_reason(reason)
        delta = read_object(choice.get("delta"))
        if calls := delta.get("tool_calls"):
            self._calls.add(read_list(calls))
        if content := delta.get("content"):
            self._is_refusal = False
            return self._cleaner.clean(read_text(content))
        if refusal := delta.get("refusal"):
            self._is_refusal = True
            return self._cleaner.clean(read_text(refusal))
        return ""

    def finish(self) -> Completion:
        """The whole answer; to be called once the body has ended as HTTP says it does."""
        if not self._done:
            raise UpstreamBrokeOff
        text = "".join(delta.text for delta in self._texts)
        refusal = "".join(delta.text for delta in self._texts if delta.is_refusal)
        return Completion(text, self._calls.finish(), self._reason, self._usage, self._model, refusal)
