"""What a chat completion may ask for: the body of the OpenAI protocol as JSON Schema, without `model` and `stream`.

Closed: only what is listed, and only what is answered too. Open: further members go to the model server as they are.
"""

from typing import Any

from automate_api.capabilities.chat import ChatCapability

MOST_MESSAGES, MOST_PARTS, MOST_TOOLS = 2048, 256, 128

_STRING: dict[str, Any] = {"type": "string"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 256}
_TOOL_NAME = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,128}$"}

_FUNCTION = {
    "type": "object",
    "title": "function",
    "description": "A function that the model may call.",
    "properties": {
        "name": {**_TOOL_NAME, "description": "What it is called."},
        "description": {**_STRING, "description": "What it does, for the model."},
        "parameters": {"type": "object", "description": "What it takes, as JSON Schema."},
        "strict": {"type": ["boolean", "null"], "description": "Whether the model keeps to that exactly."},
    },
    "required": ["name"],
    "additionalProperties": False,
}
_TOOL = {
    "type": "object",
    "title": "tool",
    "description": "Something that the model may call.",
    "properties": {"type": {"const": "function", "description": "Its kind."}, "function": _FUNCTION},
    "required": ["type", "function"],
    "additionalProperties": False,
}
_CALL = {
    "type": "object",
    "title": "call",
    "description": "A call of a function.",
    "properties": {
        "id": {**_NAME, "description": "Names the call; the tool's message repeats it."},
        "type": {"const": "function", "description": "Its kind."},
        "function": {
            "type": "object",
            "title": "called",
            "description": "What was called.",
            "properties": {
                "name": {**_STRING, "maxLength": 256, "description": "Which function."},
                "arguments": {**_STRING, "description": "With what: JSON as the model wrote it."},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        },
        "index": {"type": "integer", "minimum": 0, "description": "Which of the calls it is."},
    },
    "required": ["id", "type", "function"],
    "additionalProperties": False,
}


_PICTURE = {
    "type": "object",
    "title": "picture",
    "description": "Where the picture is: in the request itself.",
    "properties": {
        "url": {
            **_STRING,
            "description": "A `data:` URL. No other: the model server would fetch it from where it stands.",
        },
        "detail": {"type": "string", "enum": ["auto", "low", "high"], "description": "How closely to look."},
    },
    "required": ["url"],
    "additionalProperties": False,
}
# Not as alternatives: what is said of one that does not fit quotes it, and pictures are long.
_PART = {
    "type": "object",
    "title": "part",
    "description": "A text, a picture, or what the model refused with: the kind, and the member of that name.",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image_url", "refusal"], "description": "What kind of part it is."},
        "text": {**_STRING, "description": "What is said."},
        "image_url": _PICTURE,
        "refusal": {**_STRING, "description": "What the model refused with."},
    },
    "required": ["type"],
    "minProperties": 2,
    "maxProperties": 2,
    "additionalProperties": False,
}

MESSAGE: dict[str, Any] = {
    "type": "object",
    "title": "message",
    "description": "One message of the conversation.",
    "properties": {
        "role": {
            "type": "string",
            "enum": ["system", "developer", "user", "assistant", "tool"],
            "description": "Who says it.",
        },
        "content": {
            "type": ["string", "null", "array"],
            "minItems": 1,
            "maxItems": MOST_PARTS,
            "items": _PART,
            "description": "What is said: a text, or parts; null beside tool calls.",
        },
        "name": {**_NAME, "description": "Which of several with this role."},
        "tool_calls": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_TOOLS,
            "items": _CALL,
            "description": "What the model called.",
        },
        "tool_call_id": {**_NAME, "description": "Which call a tool answers."},
        "refusal": {**_STRING, "description": "What the model refused with."},
    },
    "required": ["role"],
    "additionalProperties": False,
}
_COMPLETE = {
    "anyOf": [{"required": ["content"]}, {"required": ["tool_calls"]}, {"required": ["refusal"]}],
    "if": {"properties": {"role": {"const": "tool"}}},
    "then": {"required": ["tool_call_id", "content"]},
}

_FORMAT = {
    "type": "object",
    "properties": {
        "type": {
            "type": "string",
            "enum": ["text", "json_object", "json_schema"],
            "description": "`json_schema` wants the member of this name.",
        },
        "json_schema": {
            "type": "object",
            "title": "shape",
            "description": "The shape of the answer.",
            "properties": {
                "name": {**_TOOL_NAME, "description": "What the shape is called."},
                "description": {**_STRING, "description": "What it is for, for the model."},
                "schema": {"type": "object", "description": "The shape, as JSON Schema."},
                "strict": {"type": ["boolean", "null"], "description": "Whether the model keeps to it exactly."},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "required": ["type"],
    "additionalProperties": False,
    "description": "The form of the answer.",
}
_CHOICE = {
    "anyOf": [
        {"type": "string", "enum": ["none", "auto", "required"]},
        {
            "type": "object",
            "title": "chosen",
            "description": "The function to call.",
            "properties": {
                "type": {"const": "function", "description": "Its kind."},
                "function": {
                    "type": "object",
                    "title": "name",
                    "description": "Which.",
                    "properties": {"name": {**_TOOL_NAME, "description": "What it is called."}},
                    "required": ["name"],
                    "additionalProperties": False,
                },
            },
            "required": ["type", "function"],
            "additionalProperties": False,
        },
    ],
    "description": "Whether the model may or must call tools, or which.",
}

_MESSAGES = {"type": "array", "minItems": 1, "maxItems": MOST_MESSAGES, "description": "The conversation."}

#: The members of a body, each explained; in `MEMBERS["messages"]` what a message is stays open.
MEMBERS: dict[str, Any] = {
    "messages": _MESSAGES,
    "tools": {"type": "array", "maxItems": MOST_TOOLS, "items": _TOOL, "description": "What the model may call."},
    **ChatCapability.params_schema["properties"],
    "tool_choice": _CHOICE,
    "parallel_tool_calls": {"type": "boolean", "description": "Whether the model may call several at once."},
    "response_format": _FORMAT,
    "reasoning_effort": {
        "type": "string",
        "enum": ["none", "minimal", "low", "medium", "high", "xhigh"],
        "description": "How long a model that reasons may reason.",
    },
    "verbosity": {"type": "string", "enum": ["low", "medium", "high"], "description": "How long the answer is to be."},
    "logit_bias": {
        "type": "object",
        "maxProperties": 1024,
        "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
        "description": "How likely tokens are made, by their numbers.",
    },
    "user": {**_STRING, "maxLength": 512, "description": "Which of your users asks, for the model server."},
    "safety_identifier": {**_STRING, "maxLength": 512, "description": "The same under a newer name."},
    "prompt_cache_key": {**_STRING, "maxLength": 512, "description": "What is asked with it begins alike."},
    "metadata": {
        "type": "object",
        "maxProperties": 16,
        "propertyNames": {"maxLength": 64},
        "additionalProperties": {"type": "string", "maxLength": 512},
        "description": "Kept with the execution; the model server is not told.",
    },
    "store": {
        "type": "boolean",
        "description": "Is not listened to: every run is kept here, none at the model server.",
    },
}


def _bare(schema: Any) -> Any:
    """`schema` without what is for people: each word of it is counted, for each value it is applied to."""
    if isinstance(schema, dict):
        kept = {name: inner for name, inner in schema.items() if name not in _WORDS or not isinstance(inner, str)}
        return {name: _bare(inner) for name, inner in kept.items()}
    return [_bare(inner) for inner in schema] if isinstance(schema, list) else schema


_WORDS = frozenset({"description", "title"})

CLOSED: dict[str, Any] = _bare(
    {
        "type": "object",
        "properties": {**MEMBERS, "messages": {**_MESSAGES, "items": {**MESSAGE, **_COMPLETE}}},
        "required": ["messages"],
        "additionalProperties": False,
    }
)

OPEN_MESSAGE: dict[str, Any] = {
    "type": "object",
    "title": "message",
    "properties": {"role": {**_NAME, "description": "Who says it."}},
    "required": ["role"],
    "description": "A message as the provider takes it; pictures only in `data:` URLs.",
}
OPEN: dict[str, Any] = _bare(
    {
        "type": "object",
        "properties": {"messages": {**_MESSAGES, "items": OPEN_MESSAGE}},
        "required": ["messages"],
    }
)
