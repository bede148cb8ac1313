"""Embeddings of callers of the OpenAI protocol: what may be asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.engine.json_schema import check_value, require_valid
from automate_api.exceptions import FieldError
from automate_api.services.completions import members_of

#: How many texts one request may have.
MOST_TEXTS = 2048

#: What a body has. Of tokens nobody here knows which model they are for.
BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "minLength": 1, "description": "An LLM client's slug, or `provider/model`."},
        "input": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_TEXTS,
                    "items": {"type": "string", "minLength": 1},
                },
            ],
            "description": "A text, or several. None is empty.",
        },
        "encoding_format": {
            "type": "string",
            "enum": ["float", "base64"],
            "description": "`base64` is that of little-endian 32-bit floats.",
        },
        "dimensions": {"type": "integer", "minimum": 1, "maximum": 16384, "description": "How long a vector is."},
        "user": {"type": "string", "maxLength": 512, "description": "Is not listened to."},
    },
    "required": ["model", "input"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class AskedVectors:
    """What a body asks for."""

    model: str
    texts: list[str]
    params: dict[str, Any]
    as_base64: bool


def read_embedding_request(sent: Any) -> AskedVectors:
    """What an embeddings body asks for. Null members are as if absent.

    Raises:
        InvalidInput: it does not fit; `field` is the dotted path in the body.
    """
    given = members_of(sent)
    require_valid(list(_tokens(given.get("input"))))
    require_valid(check_value(given, BODY, field=""))
    texts = [given["input"]] if isinstance(given["input"], str) else given["input"]
    params = {name: given[name] for name in ("dimensions",) if name in given}
    return AskedVectors(given["model"], texts, params, given.get("encoding_format") == "base64")


def _tokens(given: Any) -> Iterator[FieldError]:
    first = given[0] if isinstance(given, list) and given else None
    if isinstance(first, int | list):
        yield FieldError("input", "unsupported", str(_("Tokens are not taken: send the text.")))
