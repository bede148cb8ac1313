"""Examples in the OpenAPI description, by component: one small story in which everything fits together.

An app above adds its own: `EXAMPLES["AutomateThing"] = {...}` beside the serializer. Written for both directions,
without `Request` in the name: what is read only is left out of what is sent, what is write only of what is answered.
"""

from typing import Any

#: Where the host of the story is.
HOST = "https://automate.example.com"

_MODEL = "gpt-4o-mini"
_EXECUTION = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b"
_JOB = "01a0b1c2-d3e5-7a10-9f3c-6b7d8e9f0a1b"
_EVENT = "01a0b1c2-d3e6-7b21-8d4e-7c8e9fa0b1c2"
_API_KEY = "01a0b1c2-0f1e-7d2c-9b3a-4c5d6e7f8a9b"
_QUESTION = "What is a fjord?"
_TEXT = "A fjord is a long, narrow inlet of the sea between steep cliffs, carved by a glacier."
_OUTPUT = {"text": _TEXT, "finish_reason": "stop", "model": _MODEL}
_USAGE = {"prompt_tokens": 24, "completion_tokens": 19, "total_tokens": 43}
_COST = "0.00001500"
_CREATED, _UPDATED = "2026-01-31T12:00:00.000000Z", "2026-01-31T12:05:00.000000Z"
_STARTED, _FINISHED = "2026-01-31T12:10:00.120000Z", "2026-01-31T12:10:00.962000Z"

_COMPLETION_ID, _SECONDS = "chatcmpl-01a0b1c2d3e47f568a9b0c1d2e3f4a5b", 1_769_861_400
_CHUNK = {"id": _COMPLETION_ID, "object": "chat.completion.chunk", "created": _SECONDS, "model": "helper"}
_SERVED_MODEL = {"id": "helper", "object": "model", "created": _SECONDS, "owned_by": "models"}

_STEP = {"name": "llm.chat", "attempt": 1, "status": "succeeded", "started_ms": 3, "duration_ms": 839}
_INPUT_SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string", "minLength": 1, "maxLength": 500}},
    "required": ["question"],
    "additionalProperties": False,
}

_KEY = {
    "id": _API_KEY,
    "name": "Night job",
    "user": 7,
    "scopes": ["endpoints:run", "executions:read"],
    "expires_at": "2027-01-31T00:00:00Z",
    "previous_until": None,
    "revoked_at": None,
    "last_used_at": _FINISHED,
    "created_at": _CREATED,
}

_ANN = {"user": {"username": "ann", "email": "ann@example.com"}, "account": {"accountNumber": "acme"}}
_LISTED = {
    "id": 2,
    "name": "Helper",
    "slug": "helper",
    "description": "Answers briefly.",
    "provider": {"id": 1, "name": "Models"},
    "model": _MODEL,
    "systemPrompt": "Answer in one sentence.",
    "temperature": 0.2,
    "maxTokens": 500,
    "parameters": {"top_p": 0.9},
    "tools": [],
    "isOwner": True,
    "canManage": True,
    "ownerId": 5,
    "sharing": {"tenant": False, "users": [7], "groups": []},
    "version": 1,
    "createdAt": _CREATED,
    "updatedAt": _UPDATED,
}

EXAMPLES: dict[str, Any] = {
    "AutomateAPIKey": _KEY,
    "AutomateArtifact": {
        "id": "01a0b1c2-d500-7b2c-9d3e-4f5a6b7c8d9e",
        "name": "greeting.wav",
        "kind": "audio",
        "content_type": "audio/wav",
        "size": 48_044,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "job": None,
        "execution": "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b",
        "user": 5,
        "created_at": _CREATED,
        "expires_at": "2026-03-02T12:00:00Z",
    },
    "AutomateIndex": {
        noun: f"{HOST}/api/v1/{path}/"
        for noun, path in {
            "provider": "providers",
            "llm-client": "llm-clients",
            "endpoint": "endpoints",
            "execution": "executions",
            "job": "jobs",
            "artifact": "artifacts",
            "event": "events",
            "prompt-log": "prompt-logs",
            "api-key": "api-keys",
            "model": "models",
            "schema": "schema",
            "docs": "docs",
            "redoc": "redoc",
        }.items()
    },
    "AutomateRotation": {"overlap_seconds": 86_400},
    "AutomateIssuedAPIKey": {
        **_KEY,
        "api_key": "aak_01a0b1c20f1e7d2c9b3a4c5d6e7f8a9b_the-secret-stands-here-once-and-never-again",
    },
    "AutomateClientList": {
        "user": _ANN,
        "admin": {"user": {"username": "staff", "email": None}, "account": {"accountNumber": "acme"}},
        "objects": [_LISTED],
        "page": 1,
        "pageSize": 25,
        "count": 1,
    },
    "AutomateEndpoint": {
        "id": 3,
        "name": "Ask",
        "slug": "ask",
        "task_types": ["llm.chat"],
        "llm_client": 2,
        "config": {"input_field": "question"},
        "input_schema": _INPUT_SCHEMA,
        "default_params": {"max_tokens": 200},
        "access": {"members": True, "users": [], "groups": []},
        "rate_limit": "100/hour",
        "enabled": True,
        "version": 1,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    "AutomateExecution": {
        "id": _EXECUTION,
        "endpoint": 3,
        "endpoint_version": 1,
        "llm_client": 2,
        "provider": None,
        "model": "",
        "task_type": "llm.chat",
        "status": "succeeded",
        "input": {"question": _QUESTION},
        "params": {"max_tokens": 100},
        "output": _OUTPUT,
        "error": None,
        "usage": _USAGE,
        "cost": _COST,
        "steps": [_STEP],
        "first_token_ms": 212,
        "duration_ms": 842,
        "replay_of": None,
        "user": 7,
        "correlation_id": "order-4711",
        "created_at": _STARTED,
        "finished_at": _FINISHED,
    },
    "AutomateJob": {
        "id": _JOB,
        "execution": _EXECUTION,
        "status": "retrying",
        "priority": 0,
        "attempts": 1,
        "max_attempts": 3,
        "progress": {"done": 40, "total": 100, "message": "Page 40 of 100"},
        "error": None,
        "cancel_requested": False,
        "user": 7,
        "created_at": _STARTED,
        "not_before": "2026-01-31T12:10:13.500000Z",
        "started_at": "2026-01-31T12:10:00.310000Z",
        "finished_at": None,
    },
    "AutomateJobAccepted": {"job_id": _JOB, "status": "queued"},
    "AutomateJobResult": {
        "status": "succeeded",
        "progress": {"done": 100, "total": 100, "message": "Page 100 of 100"},
        "attempts": 2,
        "result": _OUTPUT,
        "error": None,
    },
    "AutomateEvent": {
        "id": _EVENT,
        "type": "order.paid",
        "source": "shop",
        "payload": {"order": 4711, "total": "59.90"},
        "idempotency_key": "order-4711-paid",
        "occurred_at": "2026-01-31T11:59:58Z",
        "correlation_id": "order-4711",
        "user": 7,
        "created_at": _CREATED,
    },
    "AutomateIngestedEvent": {"id": _EVENT, "status": "accepted"},
    "AutomateLLMClient": {
        "id": 2,
        "name": "Helper",
        "slug": "helper",
        "description": "Answers briefly.",
        "provider": 1,
        "model": _MODEL,
        "system_prompt": "Answer in one sentence.",
        "temperature": 0.2,
        "max_tokens": 500,
        "parameters": {"top_p": 0.9},
        "tools": [],
        "sharing": {"tenant": False, "users": [7], "groups": []},
        "owner": 5,
        "version": 1,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
        "deleted_at": None,
    },
    "AutomateListedClient": _LISTED,
    "AutomateMessage": {"message": "The LLM client was deleted."},
    "AutomateProviderList": {"providers": [{"id": 1, "name": "Models", "base_url": "https://api.example.com/v1"}]},
    "AutomateUpload": {"file": "(the bytes of greeting.wav)"},
    "AutomateNewName": {"name": "Helper for us"},
    "AutomateOrganizationModel": {
        "name": _MODEL,
        "params_model_schema": {
            "type": "object",
            "properties": {"temperature": {"type": "number", "minimum": 0, "maximum": 2}},
            "additionalProperties": False,
        },
    },
    "AutomateOrganizationToken": {
        "id_token": "eyJhbGciOiJIUzI1NiJ9.the-claims-stand-here.and-here-the-signature",
        "expires_at": "2026-01-31T13:00:00+00:00",
    },
    "AutomatePatchedEndpoint": {"rate_limit": "200/hour"},
    "AutomatePatchedLLMClient": {"system_prompt": "Answer in two sentences.", "temperature": 0.4},
    "AutomatePatchedProvider": {"timeout_seconds": 60, "max_retries": 1},
    "AutomatePromptLog": {
        "id": "01a0b1c2-d4f0-7a1b-8c2d-3e4f5a6b7c8d",
        "log_key": "helper-20260131T121000-0c1d2e3f4a5b",
        "system": "Answer in one sentence.",
        "history": [{"role": "user", "content": _QUESTION}],
        "response": _TEXT,
        "model": _MODEL,
        "provider": "models",
        "usage": _USAGE,
        "execution": _EXECUTION,
        "user": 7,
        "created_at": _FINISHED,
    },
    "AutomateProvider": {
        "id": 1,
        "name": "Models",
        "slug": "models",
        "kind": "openai",
        "base_url": "https://api.example.com/v1",
        "api_key": "sk-the-key-of-the-model-server",
        "has_api_key": True,
        "default_model": _MODEL,
        "timeout_seconds": 120,
        "max_retries": 2,
        "enabled": True,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    "AutomateProviderMember": {
        "id": 1,
        "name": "Models",
        "slug": "models",
        "base_url": "https://api.example.com/v1",
        "default_model": _MODEL,
        "enabled": True,
    },
    "AutomateProviderTest": {"ok": True, "latency_ms": 87, "models": [_MODEL, "text-embedding-3-small"], "error": None},
    "AutomateReachableModel": {
        "name": _MODEL,
        "provider": "models",
        "params_schema": {
            "type": "object",
            "properties": {"temperature": {"type": "number", "minimum": 0, "maximum": 2}},
            "additionalProperties": False,
        },
        "context_window": 128000,
        "prices": {"input_price": "0.15", "output_price": "0.60"},
        "capabilities": ["llm.chat"],
    },
    "AutomateCompletionRequest": {
        "model": "helper",
        "messages": [{"role": "user", "content": _QUESTION}],
        "temperature": 0.2,
        "stream": False,
    },
    "AutomatePassthroughRequest": {
        "model": _MODEL,
        "messages": [{"role": "user", "content": _QUESTION}],
        "max_tokens": 100,
    },
    "AutomateCompletion": {
        "id": _COMPLETION_ID,
        "object": "chat.completion",
        "created": _SECONDS,
        "model": "helper",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _TEXT, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    },
    "AutomateServedModelList": {"object": "list", "data": [_SERVED_MODEL]},
    "AutomateServedModel": _SERVED_MODEL,
    "AutomateEmbeddingRequest": {
        "model": "models/text-embedding-3-small",
        "input": ["What is a fjord?"],
        "encoding_format": "float",
        "dimensions": 3,
        "user": "u-4711",
    },
    "AutomateEmbeddingList": {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.0023, -0.0093, 0.0157]}],
        "model": "models/text-embedding-3-small",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    },
    "AutomateChatRequest": {
        "input": {"messages": [{"role": "user", "content": _QUESTION}]},
        "params": {"max_tokens": 100},
    },
    "AutomateRunRequest": {"input": {"question": _QUESTION}, "params": {"max_tokens": 100}},
}

#: A chat completion in chunks.
CHUNK_EXAMPLES: list[dict[str, Any]] = [
    {**_CHUNK, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
    for delta, reason in (
        ({"role": "assistant", "content": ""}, None),
        ({"content": "A fjord is a long, narrow inlet of the sea"}, None),
        ({"content": " between steep cliffs, carved by a glacier."}, None),
        ({}, "stop"),
    )
]
#: A stream from its first event to its last.
EVENTS: list[dict[str, Any]] = [
    {"id": 1, "event": "started", "data": {"attempt": 1}},
    {"id": 2, "event": "token", "data": {"text": "A fjord is a long, narrow inlet of the sea"}},
    {"id": 3, "event": "token", "data": {"text": " between steep cliffs, carved by a glacier."}},
    {"id": 4, "event": "final", "data": {"output": _OUTPUT, "usage": _USAGE, "cost": _COST}},
]
#: The log of a job whose first worker died.
JOB_EVENTS: list[dict[str, Any]] = [
    {"id": 1, "event": "queued", "data": {}},
    {"id": 2, "event": "started", "data": {"attempt": 1}},
    {"id": 3, "event": "progress", "data": {"done": 40, "total": 100, "message": "Page 40 of 100"}},
    {"id": 4, "event": "retry", "data": {"attempt": 2, "after_seconds": 0, "code": "worker_lost"}},
    {"id": 5, "event": "started", "data": {"attempt": 2}},
    {"id": 6, "event": "token", "data": {"text": _TEXT}},
    {"id": 7, "event": "final", "data": {"output": _OUTPUT, "usage": _USAGE, "cost": _COST}},
]
#: One that fails on the way.
FAILED_EVENTS: list[dict[str, Any]] = [
    {"id": 1, "event": "started", "data": {"attempt": 1}},
    {"id": 2, "event": "retry", "data": {"attempt": 2, "after_seconds": 1.2, "code": "upstream_unavailable"}},
    {"id": 3, "event": "token", "data": {"text": "A fjord is a long,"}},
    {
        "id": 4,
        "event": "error",
        "data": {
            "code": "upstream_broke_off",
            "detail": "The model server broke off its answer.",
            "partial": "A fjord is a long,",
        },
    },
]
