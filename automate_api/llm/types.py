"""What goes to a model server and what comes back, independent of the wire."""

from dataclasses import asdict, dataclass, field
from typing import Any

# Shorter keys are what local model servers want to hear ("none", "EMPTY", "ollama"): words, and no secrets.
_SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True)
class LLMTarget:
    """Where a call goes and how patient it is.

    `base_url` has no trailing slash (`https://host/v1`), `provider` is the provider's slug, `timeout` is the total of
    one attempt in seconds, `max_retries` is how often a call that failed before its first byte is tried again. The key
    is kept out of the representation.
    """

    base_url: str
    api_key: str = field(repr=False)
    model: str
    provider: str
    timeout: float
    max_retries: int

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must appear in nothing that is said, stored or logged of a call: the key, unless it is just a word."""
        return (self.api_key,) if len(self.api_key) >= _SHORTEST_KEY else ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the model server counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text, never empty; `is_refusal` where the model says it as a refusal."""

    text: str
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed before its first byte; attempt number `attempt` (from 2) starts after `after_seconds`.

    `code` is the `ErrorCode` of the failure.
    """

    attempt: int
    after_seconds: float
    code: str


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. It exists only where the model server said that it was done.

    `tool_calls` are in the protocol's shape: `{"id", "type": "function", "function": {"name", "arguments"}}`, the
    arguments being the JSON text the model wrote, not checked. `refusal` is what of the text the model said as one.
    """

    text: str
    tool_calls: list[dict[str, Any]]
    finish_reason: str
    usage: Usage | None
    model: str
    refusal: str = ""

    @property
    def content(self) -> str:
        """The text without the refusal."""
        return self.text.removesuffix(self.refusal)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector for each text, in the order of the texts."""

    vectors: list[list[float]]
    usage: Usage | None
    model: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `language` is `""` and `duration`, in seconds, None where the server does not say."""

    text: str
    language: str
    duration: float | None
    usage: Usage | None
    model: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole picture; `revised_prompt` is what the model made of the prompt, `""` where it does not say."""

    content: bytes = field(repr=False)
    suffix: str
    content_type: str
    revised_prompt: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a model has drawn, at least one and no more than were asked for."""

    pictures: list[Picture]
    usage: Usage | None
    model: str
