"""Chat completions on the wire: whole, and in chunks, in the form of the OpenAI protocol."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import RunCancelled
from automate_api.models import Execution
from automate_api.v1.errors import PASSED_ON, status_of_code

_DONE = b"data: [DONE]\n\n"
_ROLE = {"role": "assistant", "content": ""}
_STREAMS = re.compile(rb'"stream"\s*:\s*true')

_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def completion_of(execution: Execution, result: Mapping[str, Any], *, name: str | None) -> dict[str, Any]:
    """A `chat.completion` of an execution that has succeeded."""
    output: Mapping[str, Any] = result["output"]
    message = {"role": "assistant", "content": output["content"], "refusal": output["refusal"]}
    if output["tool_calls"]:
        message["tool_calls"] = output["tool_calls"]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": output["finish_reason"]}
    return {
        "id": id_of(execution),
        "object": "chat.completion",
        "created": int(execution.created_at.timestamp()),
        "model": name or output["model"],
        "choices": [choice],
        "usage": result["usage"],
    }


def id_of(execution: Execution) -> str:
    """The completion's id, which has the execution's in it."""
    return f"chatcmpl-{execution.pk.hex}"


def error_object(message: str, code: str, *, status: int, param: str | None = None) -> dict[str, Any]:
    """The member `error` of an answer in the protocol's form."""
    return {"message": message, "type": _type_of(status), "param": param, "code": code}


def _type_of(status: int) -> str:
    named = {401: "authentication_error", 403: "permission_error", 424: "server_error", 429: "rate_limit_error"}
    return named.get(status, "server_error" if status >= 500 else "invalid_request_error")


def streams(request: HttpRequest) -> bool:
    """Whether the body asks for a stream, told before the view is called; False where it cannot be read."""
    try:
        body = request.body
        # Rarely is it worth to read it twice.
        sent = json.loads(body) if _STREAMS.search(body) else None
    except Exception:  # noqa: BLE001 - the view meets the same, and answers with it
        return False
    return isinstance(sent, dict) and sent.get("stream") is True


class ChunkFraming:
    """`chat.completion.chunk`s, and `[DONE]` after a final event only. What else a run says is not told.

    Args:
        execution: what runs.
        name: what the caller calls the model; None: as the model server does, once that is known.
        include_usage: whether the last chunk is the usage, without choices.
    """

    def __init__(self, execution: Execution, *, name: str | None, include_usage: bool) -> None:
        called = execution.llm_client.effective_model if execution.llm_client else execution.model
        self._model, self._include_usage = name or called, include_usage
        self._id, self._created = id_of(execution), int(time.time())
        self._begun = False

    def frame(self, sequence: int, event: RunEvent) -> bytes:
        """What of `event` the protocol tells."""
        match event.type:
            case EventType.STARTED:
                return self._begin()
            case EventType.TOKEN:
                return self._begin() + self._delta({"content": event.data["text"]})
            case EventType.FINAL:
                return self._begin() + self._end(event.data)
            case EventType.ERROR | EventType.CANCELLED:
                return self._failure(event.data)
        return b""

    def alone(self, sequence: int, event: RunEvent) -> bytes:
        """The whole answer in as few chunks as it has kinds of pieces."""
        if event.type is not EventType.FINAL:
            return self._failure(event.data)
        content = event.data["output"]["content"]
        said = self._delta({"content": content}) if content else b""
        # Not `_begin()`: the stream itself may have its last frames, or all of them, still to come.
        return self._delta(_ROLE) + said + self._end(event.data)

    def _begin(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else self._delta(_ROLE)

    def _end(self, data: Mapping[str, Any]) -> bytes:
        output, parts = data["output"], []
        if output["refusal"]:
            parts.append(self._delta({"refusal": output["refusal"]}))
        if output["tool_calls"]:
            calls = [{"index": index, **call} for index, call in enumerate(output["tool_calls"])]
            parts.append(self._delta({"tool_calls": calls}))
        parts.append(self._delta({}, output["finish_reason"]))
        if self._include_usage:
            parts.append(self._chunk([], usage=data["usage"]))
        return b"".join([*parts, _DONE])

    def _delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._chunk([choice], **({"usage": None} if self._include_usage else {}))

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": self._model}
        return _framed({**head, "choices": choices, **more})

    def _failure(self, data: Mapping[str, Any]) -> bytes:
        code = str(data.get("code", "cancelled"))
        return _framed({"error": error_object(_said(data), code, status=_status_of(code))})


def _said(data: Mapping[str, Any]) -> str:
    return str(data.get("detail") or RunCancelled.default_detail)


def _status_of(code: str) -> int:
    kept = {str(error.code): status for error, status in PASSED_ON.items()}
    return kept.get(code) or status_of_code(code)


def _framed(data: Mapping[str, Any]) -> bytes:
    return f"data: {_encoder.encode(data)}\n\n".encode()
