"""Reading what a model server answers that draws: pictures in base64, or where they are."""

import binascii
from dataclasses import dataclass
from typing import Any

from automate_api.conf import settings
from automate_api.exceptions import UpstreamInvalid, UpstreamTooLarge
from automate_api.llm.formats import check_picture
from automate_api.llm.shapes import (
    clean_text,
    decode_object,
    read_list,
    read_media_usage,
    read_name,
    read_object,
    read_text,
)
from automate_api.llm.types import Picture, Usage

# Of an answer without the pictures. JSON of nothing but brackets takes thirty times its own room.
_MOST_PARTS = 100_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture of an answer: it is either here or at a URL."""

    picture: Picture | None
    url: str
    revised_prompt: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """An answer, of which everything that is in it was checked."""

    drawn: list[Drawn]
    usage: Usage | None
    model: str


def read_drawing(data: bytes, model: str, *, most: int) -> Drawing:
    """At least one picture and at most `most` out of the body of an image generation. Takes its time: use a thread.

    Raises UpstreamInvalid, UpstreamFailed, UpstreamBrokeOff for a picture that ends too early, and UpstreamTooLarge for
    more text beside them than other answers may have.
    """
    if sum(map(data.count, (b",", b"[", b"{"))) > _MOST_PARTS:
        raise UpstreamInvalid
    body = decode_object(data)
    items = read_list(body.get("data"))
    if not 1 <= len(items) <= most:
        raise UpstreamInvalid
    drawn = [_read_drawn(read_object(item)) for item in items]
    # It is stored with the run.
    if sum(len(one.revised_prompt.encode()) for one in drawn) > settings.max_response_bytes:
        raise UpstreamTooLarge
    return Drawing(drawn, read_media_usage(body.get("usage")), read_name(body.get("model"), model))


def _read_drawn(item: dict[str, Any]) -> Drawn:
    prompt = clean_text(read_text(item.get("revised_prompt")))
    encoded, url = item.get("b64_json"), read_text(item.get("url"))
    if encoded is None and url:
        return Drawn(None, url, prompt)
    if not isinstance(encoded, str):
        raise UpstreamInvalid
    return Drawn(picture_of(_decoded(encoded), prompt), "", prompt)


def _decoded(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise UpstreamInvalid from None


def picture_of(content: bytes, revised_prompt: str, content_type: str = "") -> Picture:
    """The picture that `content` is; raises like `check_picture`, and UpstreamInvalid where it is called another."""
    found = check_picture(content)
    if not found.admits(content_type):
        raise UpstreamInvalid
    return Picture(content, found.suffix, found.content_type, revised_prompt)
