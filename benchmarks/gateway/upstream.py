"""`python -m benchmarks.gateway.upstream PORT`: a model server that costs as little as Python can make it.

It answers a chat completion at once. Asked for a stream, it sends as many pieces, as many milliseconds apart, as the
model's name says: `fake-20-50` are 20 pieces in one second. HTTP is framed by hand, over keep-alive connections.
"""

import asyncio
import json
import sys
from contextlib import suppress
from typing import cast

_PIECE = (
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"fake",'
    '"choices":[{"index":0,"delta":{"content":"token %d "},"finish_reason":null}]}\n\n'
)
_END = (
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"fake",'
    '"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"fake","choices":[],'
    '"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}\n\n'
    "data: [DONE]\n\n"
)
_MESSAGE = {"role": "assistant", "content": "hello " * 50}
_ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60},
    }
).encode()
_WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_ANSWER), _ANSWER)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(text: str) -> bytes:
    return b"%x\r\n%s\r\n" % (len(text), text.encode())


_PIECES = [_chunk(_PIECE % number) for number in range(4096)]
_LAST = _chunk(_END) + b"0\r\n\r\n"


class ModelServer(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._stream: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        # uvloop's is one without saying so.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(rest) >= int(length or 0):
            self._received = b""
            self._answer(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop sending."""
        if self._stream is not None:
            self._stream.cancel()

    def _answer(self, body: bytes) -> None:
        asked = json.loads(body or b"{}")
        if self._transport is None:
            return
        if asked.get("stream"):
            _name, pieces, pause = asked["model"].rpartition("/")[2].split("-")
            self._stream = asyncio.ensure_future(self._send(self._transport, int(pieces), int(pause) / 1000))
        else:
            self._transport.write(_WHOLE)

    async def _send(self, transport: asyncio.Transport, pieces: int, pause: float) -> None:
        transport.write(_HEAD)
        for number in range(pieces):
            transport.write(_PIECES[number])
            if pause:
                await asyncio.sleep(pause)
        transport.write(_LAST)


async def serve(port: int) -> None:
    """Listen until the process is ended."""
    server = await asyncio.get_running_loop().create_server(ModelServer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop  # an extra of the benchmarks

    with suppress(KeyboardInterrupt):
        uvloop.run(serve(int(sys.argv[1])))
