"""The view."""

import os
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import httpx
from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

URL = f"http://{os.environ.get('BENCH_UPSTREAM', '')}/v1/chat/completions"
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=200)


@cache
def client() -> httpx.Client:
    """The process's client."""
    return httpx.Client(limits=LIMITS, timeout=60, trust_env=False)


@cache
def async_client() -> httpx.AsyncClient:
    """The same for streams under ASGI."""
    return httpx.AsyncClient(limits=LIMITS, timeout=60, trust_env=False)


class ChatView(APIView):
    """Pass a chat completion on, streamed where the caller asks for that."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    renderer_classes = [JSONRenderer]

    def post(self, request: Request) -> HttpResponseBase:
        """Call the model server."""
        body: Any = request.data
        if not body.get("stream"):
            answer = client().post(URL, json=body)
            return Response(answer.json(), status=answer.status_code)
        # Under ASGI Django reads a synchronous iterator to its end before it sends anything.
        is_asgi = hasattr(request._request, "scope")  # noqa: SLF001 - REST framework's way to Django's request
        content = pass_on_async(body) if is_asgi else pass_on(body)
        return StreamingHttpResponse(content, content_type="text/event-stream")


def pass_on(body: Any) -> Iterator[bytes]:
    """The answer's body, piece by piece."""
    with client().stream("POST", URL, json=body) as answer:
        yield from answer.iter_raw()


async def pass_on_async(body: Any) -> AsyncIterator[bytes]:
    """The same on the server's loop."""
    async with async_client().stream("POST", URL, json=body) as answer:
        async for piece in answer.aiter_raw():
            yield piece
