"""Chat completions and embeddings of callers of the OpenAI protocol: what may be asked, and the runs that answer it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.engine.json_schema import require_valid
from automate_api.exceptions import FieldError, InvalidInput
from automate_api.models import Actor, Execution, LLMClient
from automate_api.services.models import ProviderModel
from automate_api.services.runs import prepare_call, prepare_chat

_REFUSED = _("Where a model is, and how it is called, is the provider's; a request cannot say it.")
_UNANSWERED = _("This is not answered here, so it cannot be asked for.")
_ELSEWHERE = _("Only data: URLs: the model server would fetch any other from where it stands.")
_LONGEST_NAME = 64
#: How many names of members are looked at, in how many lists, and how much of a name: no server knows a longer one.
_MOST_NAMES, _MOST_LISTS = 50_000, 100_000
_LONGEST_KNOWN = 64
_MOST_ERRORS = 20
#: Characters of a picture's `data:` URL; the whole body may have no more than `AUTOMATE_API_MAX_REQUEST_BYTES`.
LONGEST_PICTURE = 8_000_000

# What the clients of model servers, and those servers that call others, take for an address, a key or a header. A part
# of a name counts as well as all of it: `azure_endpoint`, `aws_secret_access_key`.
_ADDRESSING = re.compile(
    r"(?:^|_)(?:urls?|uris?|baseurl|endpoints?|hosts?|proxy|proxies|headers?|cookies?|credentials?|secrets?|passwords?"
    r"|apikey|apibase|extraheaders|api_(?:base|key|type|version)|organi[sz]ation|webhooks?|callbacks?)(?:_|$)"
    r"|^(?:auth|authorization|access_token|extra_(?:body|query)|default_query|query_params|http_client|fallbacks"
    r"|model_list|custom_llm_provider|chat_template|(?:aws|azure|bedrock|litellm|mock|vertex)_.*)$"
)
_CAMEL = re.compile(r"([a-z0-9])([A-Z])")
# What these hold is data, in which a name means something else.
_DATA = frozenset({"messages", "metadata", "response_format", "logit_bias", "tool_choice"})
_DATA |= {"guided_choice", "guided_grammar", "guided_json", "guided_regex", "structured_outputs"}
# What these hold may be the data itself, or where it is.
_MEDIA = re.compile(r"(?:^|_)(?:images?|pictures?|videos?|audios?|files?|media)(?:_|$)")
_LOCATION = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|file:)", re.IGNORECASE)
_PICTURE = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]*={0,2}", re.IGNORECASE)

# What would change the answer's form, by what changes nothing.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "audio": (),
    "modalities": (["text"],),
    "functions": ([],),
    "function_call": (),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body asks for: `body` is what runs, without `model` and what says how it is answered."""

    model: str | None
    stream: bool
    include_usage: bool
    body: dict[str, Any]


def read_completion_request(sent: Any) -> Asked:
    """What a chat completion's body asks for. Null members are as if absent, as the protocol has it.

    Raises:
        InvalidInput: it is no object, names an address, key or header, asks for what is not answered, or has a picture
            elsewhere than in itself; `field` is the dotted path in the body.
    """
    given = members_of(sent)
    require_valid(list(_unanswered(given)))
    model, stream, options = (given.pop(name, None) for name in ("model", "stream", "stream_options"))
    require_valid([*_wrong_stream(stream, options), *_wrong_model(model)])
    given = {name: value for name, value in given.items() if name not in _NEUTRAL}
    require_valid(list(islice(_elsewhere(given, _Watch()), _MOST_ERRORS)))
    messages = given.get("messages")
    if isinstance(messages, list):
        given["messages"] = [_tidied(message) for message in messages]
    usage = isinstance(options, dict) and options.get("include_usage") is True
    return Asked(model, stream is True, usage, given)


def prepare_completion(
    callee: LLMClient | ProviderModel, body: dict[str, Any], *, actor: Actor, correlation_id: str, task_type: str
) -> Execution:
    """The execution of a body of `read_completion_request`, checked and not stored.

    Raises:
        InvalidInput: it does not fit; `field` is the dotted path in the body.
        NotFound, Conflict, NotConfigured: as for `prepare_chat` and `prepare_call`.
    """
    with _named_in_the_body():
        return prepare_on(callee, input=body, actor=actor, correlation_id=correlation_id, task_type=task_type)


def prepare_on(callee: LLMClient | ProviderModel, **asked: Any) -> Execution:
    """`prepare_chat` or `prepare_call`, by what is called."""
    if isinstance(callee, ProviderModel):
        return prepare_call(callee.provider, callee.model, **asked)
    return prepare_chat(callee, **asked)


@contextmanager
def _named_in_the_body() -> Iterator[None]:
    """The caller has sent no `input`, but its members."""
    try:
        yield
    except InvalidInput as exc:
        exc.errors = [replace(error, field=error.field.removeprefix("input").lstrip(".")) for error in exc.errors]
        raise


class _Watch:
    """Tells names of addresses, keys and headers from others; of so many names at most, in so many lists."""

    def __init__(self) -> None:
        self._left, self._lists_left = _MOST_NAMES, _MOST_LISTS

    def within(self, items: list[Any]) -> Iterator[tuple[int, Any]]:
        """The items of a list that have names or texts in them, with their places.

        Raises:
            InvalidInput: it is one list too many.
        """
        # Those in it too, before they are listed with their paths.
        self._lists_left -= 1 + sum(isinstance(item, list | dict) for item in items)
        self._require(self._lists_left)
        return ((place, item) for place, item in enumerate(items) if isinstance(item, str | list | dict))

    def is_addressing(self, name: str) -> bool:
        """Whether it is one of them.

        Raises:
            InvalidInput: it is one name too many.
        """
        self._left -= 1
        self._require(self._left)
        return _is_addressing(name[:_LONGEST_KNOWN])

    def is_media(self, name: str) -> bool:
        """Whether it is one of a picture, a sound or a file; asked of names that were counted."""
        return _is_media(name[:_LONGEST_KNOWN])

    def _require(self, left: int) -> None:
        if left < 0:
            raise InvalidInput([FieldError("", "too_complex", str(_("The body has too many members.")))])


@lru_cache(maxsize=1024)
def _is_addressing(name: str) -> bool:
    """In lower case and with its words joined by `_`, so that `baseURL`, `base-url` and `base_url` are the same.

    Some servers read names whatever their case is, so that `bAsE_uRl` counts as well, in which capitals part no words.
    """
    return any(_ADDRESSING.search(_plain(spelled)) for spelled in {name, _CAMEL.sub(r"\1_\2", name)})


@lru_cache(maxsize=1024)
def _is_media(name: str) -> bool:
    return _MEDIA.search(_plain(_CAMEL.sub(r"\1_\2", name))) is not None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def members_of(sent: Any) -> dict[str, Any]:
    """The members of a body that are not null.

    Raises:
        InvalidInput: it is no object, or names an address, a key or a header.
    """
    if not isinstance(sent, dict):
        raise InvalidInput([FieldError("", "invalid", str(_("The body must be a JSON object.")))])
    given = {name: value for name, value in sent.items() if value is not None}
    require_valid(list(islice(_addressing(given, _Watch()), _MOST_ERRORS)))
    return given


def _wrong_model(model: Any) -> Iterator[FieldError]:
    if model is not None and not isinstance(model, str):
        yield FieldError("model", "invalid", str(_("This must be a string.")))
    elif model == "":
        yield FieldError("model", "required", str(_("This may not be empty.")))


def _wrong_stream(stream: Any, options: Any) -> Iterator[FieldError]:
    if stream is not None and not isinstance(stream, bool):
        yield FieldError("stream", "invalid", str(_("This must be true or false.")))
    if options is None:
        return
    if not isinstance(options, dict):
        yield FieldError("stream_options", "invalid", str(_("This must be an object.")))
        return
    for name, value in options.items():
        if name not in {"include_usage", "include_obfuscation"}:
            yield FieldError(f"stream_options.{name[:_LONGEST_NAME]}", "unknown_field", str(_("This is not known.")))
        elif value is not None and not isinstance(value, bool):
            yield FieldError(f"stream_options.{name}", "invalid", str(_("This must be true or false.")))


def _addressing(body: Mapping[str, Any], watch: _Watch) -> Iterator[FieldError]:
    """Names of addresses, keys and headers, however deep, but not in what is data."""
    level: list[tuple[str, Any]] = [("", {name: body[name] for name in body if name not in _DATA})]
    while level:
        path, value = level.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                place = f"{path}.{name[:_LONGEST_NAME]}".lstrip(".")
                if watch.is_addressing(name):
                    yield FieldError(place, "refused", str(_REFUSED))
                elif not (path.startswith("tools.") and name == "function"):
                    level.append((place, inner))
        elif isinstance(value, list):
            level += [(f"{path}.{index}", inner) for index, inner in watch.within(value) if not isinstance(inner, str)]


def _unanswered(body: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, neutral in _NEUTRAL.items():
        if name in body and not any(type(body[name]) is type(value) and body[name] == value for value in neutral):
            yield FieldError(name, "unsupported", str(_UNANSWERED))


def _tidied(message: Any) -> Any:
    """A message without what says nothing, as answers have it that are sent back as they came."""
    if not isinstance(message, dict):
        return message
    kept = {name: value for name, value in message.items() if value is not None or name == "content"}
    return {name: value for name, value in kept.items() if not (name in {"annotations", "tool_calls"} and value == [])}


def _elsewhere(body: Mapping[str, Any], watch: _Watch) -> Iterator[FieldError]:
    """What in messages, and in members that nobody here knows, is to be fetched; what is said may name anything."""
    for name, value in body.items():
        if name == "messages" or name not in _DATA | {"tools"}:
            yield from _fetched({name: value}, "", watch)


def _fetched(
    value: Any, path: str, watch: _Watch, *, is_address: bool = False, is_media: bool = False
) -> Iterator[FieldError]:
    if isinstance(value, str):
        if is_address and len(value) > LONGEST_PICTURE:
            yield FieldError(path, "max_length", str(_("This is more than the server takes.")))
        elif (is_address and not _PICTURE.fullmatch(value)) or (is_media and _LOCATION.match(value)):
            yield FieldError(path, "refused", str(_ELSEWHERE))
    elif isinstance(value, dict):
        for name, inner in value.items():
            named = (is_address or watch.is_addressing(name)) and name != "detail"
            within = is_media or watch.is_media(name)
            place = f"{path}.{name[:_LONGEST_NAME]}".lstrip(".")
            yield from _fetched(inner, place, watch, is_address=named, is_media=within)
    elif isinstance(value, list):
        for index, inner in watch.within(value):
            if is_address or is_media or not isinstance(inner, str):
                yield from _fetched(inner, f"{path}.{index}", watch, is_address=is_address, is_media=is_media)
