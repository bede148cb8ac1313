"""Speech and pictures over the OpenAI protocol: transcriptions, speech, and image generations."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.utils.translation import gettext_lazy as _

from automate_api.conf import settings
from automate_api.exceptions import UpstreamAuthFailed, UpstreamInvalid, UpstreamRejected
from automate_api.llm.call import Call, call_of, json_body, timeouts_of, whole
from automate_api.llm.drawing import Drawing, picture_of, read_drawing
from automate_api.llm.formats import SPEECH, Format, SpeechCheck
from automate_api.llm.multipart import Upload, form_body
from automate_api.llm.shapes import read_transcript
from automate_api.llm.types import LLMTarget, Picture, Pictures, Retry, Transcript
from automate_api.security.outbound import Response, validate_url

#: Bytes of a file to transcribe: what the protocol takes.
MAX_SPOKEN_BYTES = 25 * 2**20


async def transcribe(
    target: LLMTarget, audio: Upload, *, params: dict[str, Any]
) -> AsyncGenerator[Retry | Transcript, None]:
    """Ask what is said in `audio`; the last item is the `Transcript`, before it there may be `Retry`s.

    `params` are further members of the form: strings and numbers. Raises like `openai.chat`.
    """
    form = {**params, "model": target.model, "response_format": "json"}
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()}
    call = call_of(target, "/audio/transcriptions", form_body(fields, file=audio))
    async with aclosing(whole(call)) as items:
        async for item in items:
            yield item if isinstance(item, Retry) else read_transcript(item, target.model)


async def speak(
    target: LLMTarget, text: str, *, speech: str, params: dict[str, Any]
) -> AsyncGenerator[Retry | bytes, None]:
    """Have `text` spoken, and yield the file piece by piece as it comes, after any `Retry`s.

    `speech` is one of the names in `SPEECH`; `params` are further members of the body. The file is whole once the
    generator has ended: what it has yielded before it raises is to be thrown away. At most
    `AUTOMATE_API_ARTIFACT_MAX_BYTES` are taken.

    Raises like `openai.chat`; UpstreamInvalid for what is not in the format that was asked for.
    """
    wanted = SPEECH[speech]
    body = {**params, "model": target.model, "input": text, "response_format": speech}
    accept = f"{wanted.content_type}, audio/*, application/octet-stream"
    limit = settings.artifact_max_bytes
    async with call_of(target, "/audio/speech", json_body(body), accept=accept, max_bytes=limit) as call:
        while isinstance(response := await call.attempt(), Retry):
            yield response
            await asyncio.sleep(response.after_seconds)
        check = SpeechCheck(wanted)
        _require_file(response, wanted)
        while piece := await response.next_chunk():
            check.take(piece)
            yield piece
        check.finish()


def _require_file(response: Response, wanted: Format) -> None:
    """Refuse an answer that is not called what was asked for, or does not say how long it is.

    One that ends with its connection cannot be told from half of one.
    """
    headers = response.headers
    if not wanted.admits(headers.get("Content-Type", "")):
        raise UpstreamInvalid
    if "Content-Length" not in headers and headers.get("Transfer-Encoding", "").lower() != "chunked":
        raise UpstreamInvalid(_("The model server's answer does not say where it ends."))


async def draw(target: LLMTarget, prompt: str, *, params: dict[str, Any]) -> AsyncGenerator[Retry | Pictures, None]:
    """Have pictures drawn; the last item is the `Pictures`, each of them whole, before it there may be `Retry`s.

    `params` are further members of the body; `n` says how many pictures there may be. One that the answer names by
    its URL is fetched from there, without the key: from the model server itself, or from a public address. All of them
    together, as they are sent, are at most `AUTOMATE_API_ARTIFACT_MAX_BYTES`.

    Raises like `openai.chat`; OutboundBlocked also for such a URL; UpstreamInvalid for what is no PNG, JPEG or WebP.
    """
    limit, most = settings.artifact_max_bytes, params.get("n", 1)
    body = json_body({**params, "model": target.model, "prompt": prompt})
    async with aclosing(whole(call_of(target, "/images/generations", body, max_bytes=limit))) as items:
        async for item in items:
            if isinstance(item, Retry):
                yield item
            else:
                # Other runs share the event loop.
                drawing = await asyncio.to_thread(read_drawing, item, target.model, most=most)
    yield Pictures(await _pictures(target, drawing, limit=limit), drawing.usage, drawing.model)


async def _pictures(target: LLMTarget, drawing: Drawing, *, limit: int) -> list[Picture]:
    pictures = []
    for one in drawing.drawn:
        picture = one.picture or await _fetch(target, one.url, one.revised_prompt, max_bytes=limit)
        limit -= len(picture.content)
        pictures.append(picture)
    return pictures


async def _fetch(target: LLMTarget, url: str, revised_prompt: str, *, max_bytes: int) -> Picture:
    """The picture at a URL that the model server names, asked for once."""
    call = Call(
        url,
        headers={"Accept": "image/*"},
        timeouts=timeouts_of(target, stream=False),
        max_bytes=max_bytes,
        # What the host lets be called is no business of a model server's, but for what is its own.
        public_only=validate_url(url).origin() != validate_url(target.base_url).origin(),
    )
    async with call:
        try:
            response = await call.begin()
        except (UpstreamAuthFailed, UpstreamRejected):
            raise UpstreamInvalid(_("A picture that the model server names cannot be fetched.")) from None
        content = await response.read()
    return await asyncio.to_thread(picture_of, content, revised_prompt, response.headers.get("Content-Type", ""))
