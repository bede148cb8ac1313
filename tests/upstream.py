"""A model server of the OpenAI protocol that behaves as the name of the model tells it to.

It listens on a real socket of 127.0.0.1, port 0, in a thread of its own, and frames its HTTP by hand, so that it can be
wrong in every way. Take the fixture `upstream` (it also admits the server to `AUTOMATE_API_PRIVATE_HOSTS`), point a
provider at `upstream.url`, and choose a model:

    chat                        answers TEXT, streamed in one event a word
    echo                        answers with the last message
    chunks:N:MS                 N pieces "0 ", "1 ", ..., MS milliseconds apart
    gated:N                     N pieces "0 ", "1 ", ..., each when the test calls `upstream.allow()`
    tools                       calls two tools, their arguments in pieces
    status:CODE[:SECONDS]       an error of that status, with `Retry-After: SECONDS`
    flaky:CODE:TIMES[:SECONDS]  that error for the first TIMES requests of this model, then as `chat`
    drop:TIMES                  hangs up unanswered for the first TIMES requests of this model, then as `chat`
    silent                      never answers
    headonly                    sends the head and nothing more
    redirect                    302 to http://169.254.169.254/
    gzip                        a small compressed body that would be large
    cookies                     an empty object, and a cookie
    badhead, longhead           a head that is not HTTP, and one that is too long
    encoded                     an identity body called `Content-Encoding: br`
    endless                     a stream that never ends
    longline                    a line that never ends
    nodone, noreason            a stream without `[DONE]`, or without a finish reason
    reason:NAME                 as `chat`, with that finish reason
    raw:NAME[:END]              the body that the test put into `upstream.answers[NAME]`, JSON or events; with an end,
                                which is close, reset or stall, not all of it
    break:HOW:AT:FRAMING        a streamed `chat` that breaks; see `broken`

    sent:NAME:TYPE[:FRAMING]    what the test put into `upstream.answers[NAME]`, of that content type; `long` states one
                                byte more than comes, `eof` nothing

Under `upstream.deaf_url` no body is ever read. `/embeddings` answers every model but the failing ones with
`vector(text)`, `/models` with MODELS. `/audio/transcriptions` answers with TEXT, `/audio/speech` with a file of the
format that is asked for (in pieces of 100 bytes where the model is `gated`), `/images/generations` with pictures of
different shades: in base64, or at URLs below `/files/`, where `upstream.answers` are found by their names. Each of the
three takes `raw:NAME` and `sent:…` too.

What happened is in `upstream.requests` and `upstream.connections`. Nobody sleeps: `upstream.until(predicate)` waits for
a state and answers whether it came, and `Connection.closed` is an event that is set when the client has gone.
"""

import asyncio
import base64
import gzip
import hashlib
import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from tests.media import SPEECH, png

TEXT = 'The quick brown fox jumps over the lazy dog: žluťoučký kůň 🦊 \\ "quoted"\n and done.'
MODELS = ["chat", "echo", "tools"]
USAGE = {"prompt_tokens": 7, "completion_tokens": 19, "total_tokens": 26}
TOOL_CALLS = [("call_a", "weather", '{"city": "Brno"}'), ("call_b", "time", '{"zone": "CET"}')]
BREAKS = ("cut", "reset", "stall", "half", "json", "error", "long", "short", "size", "nodone", "noreason", "garbage")
FRAMINGS = ("chunked", "length", "eof")


@dataclass
class Connection:
    """One connection of a client. `closed` is set as soon as either side has ended it."""

    number: int
    closed: threading.Event = field(default_factory=threading.Event)
    closed_by_client: bool = False


@dataclass
class Request:
    """What a client asked; header names are in lower case."""

    connection: Connection
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body or b"{}")
        return value

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("multipart/form-data")

    @property
    def parts(self) -> list[Message]:
        """The parts of a form, as the standard library reads them."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + self.body).get_payload()
        assert isinstance(parts, list)
        return [part for part in parts if isinstance(part, Message)]

    @property
    def form(self) -> dict[str, bytes]:
        """The values of a form by their names."""
        found = {part.get_param("name", header="Content-Disposition"): part for part in self.parts}
        return {str(name): bytes(part.get_payload(decode=True) or b"") for name, part in found.items()}

    @property
    def model(self) -> str:
        return self.form["model"].decode() if self.is_form else str(self.json.get("model", ""))


@dataclass
class Answer:
    """Bytes to send, the seconds before each piece after the first, and how it ends: keep, close, reset or stall."""

    pieces: list[bytes]
    delay: float = 0
    end: str = "keep"
    gated: bool = False


def pieces_of(text: str) -> list[str]:
    """The text in pieces of a word each."""
    return re.findall(r"\S+\s*", text)


def vector(text: str) -> list[float]:
    """Eight numbers between -1 and 1 that depend on the text alone."""
    return [byte / 127.5 - 1 for byte in hashlib.sha256(text.encode()).digest()[:8]]


def event(data: object) -> bytes:
    """One server-sent event."""
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def chunk_event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    """One chunk of a chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "fake-1", "choices": [choice]})


def chat_events(texts: list[str], finish_reason: str | None = "stop") -> list[bytes]:
    """The events of a whole streamed answer."""
    usage = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake-1",
        "choices": [],
        "usage": USAGE,
    }
    return [
        chunk_event({"role": "assistant", "content": ""}),
        *(chunk_event({"content": text}) for text in texts),
        chunk_event({}, finish_reason),
        event(usage),
        event(b"[DONE]"),
    ]


def tool_events() -> list[bytes]:
    """The events of an answer that calls TOOL_CALLS."""
    events = []
    for index, (call_id, name, arguments) in enumerate(TOOL_CALLS):
        first = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        events.append(chunk_event({"tool_calls": [first]}))
        pieces = ({"index": index, "function": {"arguments": piece}} for piece in pieces_of(arguments))
        events.extend(chunk_event({"tool_calls": [piece]}) for piece in pieces)
    return [*events, chunk_event({}, "tool_calls"), event(USAGE | {"choices": [], "usage": USAGE}), event(b"[DONE]")]


def head(status: int = 200, *headers: str, content_type: str = "text/event-stream") -> bytes:
    """The head of a response."""
    lines = [f"HTTP/1.1 {status} Fake", f"Content-Type: {content_type}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def framed(events: list[bytes], framing: str = "chunked", *, off: int = 0) -> list[bytes]:
    """A response with a body of `events`; `off` is added to the length it states."""
    if framing == "chunked":
        return [head(200, "Transfer-Encoding: chunked"), *map(chunked, events), b"0\r\n\r\n"]
    if framing == "length":
        return [head(200, f"Content-Length: {sum(map(len, events)) + off}"), *events]
    return [head(200, "Connection: close"), *events]


def whole(body: object, status: int = 200, *headers: str) -> Answer:
    """A JSON response."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer([head(status, f"Content-Length: {len(data)}", *headers, content_type="application/json"), data])


def completion(text: str | None, finish_reason: str = "stop", **message: Any) -> Answer:
    """A chat completion that is not streamed."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish_reason}
    return whole({"id": "c1", "object": "chat.completion", "model": "fake-1", "choices": [choice], "usage": USAGE})


def broken(how: str, at: float, framing: str) -> Answer:
    """A streamed `chat` that breaks `at` a fraction (from 0, below 1) of its bytes or events.

    `cut`, `reset` and `stall` end anywhere in the response, head and framing included: by closing, by a TCP reset, and
    by sending nothing more. `long`, `short` and `size` state a wrong length of the body or of a chunk. The others keep
    to HTTP and are wrong inside: `half` an event at the end, an event that is not `json`, an `error` object, `nodone`,
    `noreason`, and `garbage` instead of an event. `none` is whole.
    """
    events = chat_events(pieces_of(TEXT))
    place = int(at * len(events))
    if how in ("cut", "reset", "stall"):
        data = b"".join(framed(events, framing))
        return Answer([data[: int(at * len(data))]], end="close" if how == "cut" else how)
    if how == "long":
        return Answer(framed(events, "length", off=1 + place), end="close")
    if how == "short":
        return Answer(framed(events, "length", off=-1 - place), end="close")
    if how == "size":
        parts = framed(events, "chunked")
        size, _, rest = parts[1 + place].partition(b"\r\n")
        parts[1 + place] = b"%x\r\n%s" % (max(1, int(size, 16) + (3 if place % 2 else -3)), rest)
        return Answer(parts, end="close")
    return Answer(framed(_spoilt(events, how, place), framing), end="close")


def _spoilt(events: list[bytes], how: str, place: int) -> list[bytes]:
    if how == "none":
        return events
    if how == "half":
        return [*events[:place], events[place][: len(events[place]) // 2]]
    if how == "nodone":
        return events[:-1]
    if how == "noreason":
        return [*chat_events(pieces_of(TEXT), None)]
    # `[DONE]` is the last event: what stands in its place or before it spoils the answer.
    wrong = {"json": b'data: {"choices": [\n\n', "error": event({"error": {"message": "overloaded"}})}
    return [*events[:place], wrong.get(how, b"data: \xff\xfe\x00\n\n"), *events[place + 1 :]]


class FakeUpstream:
    """The server; see the module."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections: list[Connection] = []
        self.answers: dict[str, bytes] = {}
        # The loop itself refers to them weakly, and nobody else does while one waits without reading.
        self.talks: set[asyncio.Task[None]] = set()
        self._times: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fake upstream", daemon=True)
        self.port = 0

    @property
    def host(self) -> str:
        """`address:port`, as the allow-list has it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of a provider."""
        return f"http://{self.host}/v1"

    @property
    def deaf_url(self) -> str:
        """A base URL below which requests are taken but their bodies not read."""
        return f"http://{self.host}/deaf/v1"

    @property
    def open_connections(self) -> list[Connection]:
        return [connection for connection in self.connections if not connection.closed.is_set()]

    def until(self, predicate: Callable[[], object], timeout: float = 60) -> bool:
        """Wait for something that requests and connections tell; False where it has not come in `timeout` seconds."""
        with self._changed:
            return bool(self._changed.wait_for(predicate, timeout))

    def allow(self) -> None:
        """Let a `gated` answer send its next event."""
        self._loop.call_soon_threadsafe(self.permits.release)

    def start(self) -> None:
        """Listen; `port` is known from here on."""
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        """End it; again does nothing."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self.permits = asyncio.Semaphore(0)
        server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()

    def _protocol(self) -> asyncio.Protocol:
        connection = Connection(len(self.connections) + 1)
        self.connections.append(connection)
        return _Protocol(self, connection)

    def notice(self) -> None:
        """Wake whoever waits in `until`."""
        with self._changed:
            self._changed.notify_all()

    def times(self, model: str) -> int:
        """How often `model` has been asked, this time included."""
        self._times[model] += 1
        return self._times[model]


class _Protocol(asyncio.StreamReaderProtocol):
    """One connection: requests one after the other, and a notice the moment the client leaves."""

    def __init__(self, server: FakeUpstream, connection: Connection) -> None:
        super().__init__(asyncio.StreamReader(limit=2**16), self._talk)
        self._server = server
        self._own = connection
        self._talking: asyncio.Task[None] | None = None

    def eof_received(self) -> bool:
        super().eof_received()
        self._own.closed_by_client = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._own.closed_by_client |= exc is not None
        self._own.closed.set()
        self._server.notice()
        if self._talking is not None:
            self._talking.cancel()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talking = asyncio.current_task()
        assert self._talking is not None
        self._server.talks.add(self._talking)
        self._talking.add_done_callback(self._server.talks.discard)
        try:
            while (request := await self._read(reader)) is not None:
                self._server.requests.append(request)
                self._server.notice()
                if not await self._reply(request, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left: `connection_lost` has said so; or the server stops
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request | None:
        data = await reader.readexactly(1)
        if data == b"\x16":
            return None  # a TLS handshake
        data += await reader.readuntil(b"\r\n\r\n")
        first, *lines = data.decode().rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if path.startswith("/deaf/"):
            self._server.requests.append(Request(self._own, method, path, headers, b""))
            self._server.notice()
            await asyncio.Event().wait()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(self._own, method, path, headers, body)

    async def _reply(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        if request.model in ("endless", "longline"):
            await self._flood(request.model, writer)
        answer = answer_to(request, self._server)
        for number, piece in enumerate(answer.pieces):
            if number and answer.gated:
                await self._server.permits.acquire()
            if number and answer.delay:
                await asyncio.sleep(answer.delay)
            writer.write(piece)
            await writer.drain()
        if answer.end == "stall":
            await asyncio.Event().wait()
        if answer.end == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return answer.end == "keep"

    async def _flood(self, model: str, writer: asyncio.StreamWriter) -> None:
        piece = chunk_event({"content": "again and "}) if model == "endless" else b"data: " + b"x" * 1000
        writer.write(head(200, "Transfer-Encoding: chunked"))
        while True:
            writer.write(chunked(piece * 100))
            await writer.drain()


def answer_to(request: Request, server: FakeUpstream) -> Answer:
    """What the request gets."""
    if request.path.endswith("/models"):
        return whole({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
    name, *arguments = request.model.split(":")
    failing = _FAILING.get(name)
    if failing is not None and (answer := failing(request, server, arguments)) is not None:
        return answer
    if request.path.endswith("/embeddings"):
        return _embeddings(request)
    if request.path.endswith("/chat/completions"):
        return _chat(request, server, name, arguments)
    route = next((route for path, route in _MEDIA.items() if path in request.path), _nowhere)
    return whole(server.answers[arguments[0]]) if name == "raw" else route(request, server)


def _embeddings(request: Request) -> Answer:
    given = request.json["input"]
    texts = [given] if isinstance(given, str) else given
    data = [{"object": "embedding", "index": index, "embedding": vector(text)} for index, text in enumerate(texts)]
    words = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": words, "total_tokens": words}
    return whole({"object": "list", "data": data, "model": "fake-embed", "usage": usage})


def _chat(request: Request, server: FakeUpstream, name: str, arguments: list[str]) -> Answer:
    stream = bool(request.json.get("stream"))
    if name == "tools":
        return Answer(framed(tool_events())) if stream else completion(None, "tool_calls", tool_calls=_tool_calls())
    if name == "break":
        return broken(arguments[0], float(arguments[1]), arguments[2])
    if name == "raw":
        data = server.answers[arguments[0]]
        if arguments[1:]:
            return Answer(framed([data])[:-1], end=arguments[1])
        return Answer(framed([data] if data else [])) if stream else whole(data)
    if name in ("chunks", "gated"):
        texts = [f"{number} " for number in range(int(arguments[0]))]
        delay = float(arguments[1]) / 1000 if name == "chunks" else 0.0
    else:
        texts = pieces_of(str(request.json["messages"][-1]["content"]) if name == "echo" else TEXT)
        delay = 0.0
    if not stream:
        return completion("".join(texts), *arguments if name == "reason" else ())
    events = chat_events(texts, arguments[0] if name == "reason" else None if name == "noreason" else "stop")
    return Answer(framed(events[:-1] if name == "nodone" else events), delay, gated=name == "gated")


def _nowhere(request: Request, server: FakeUpstream) -> Answer:
    return whole({"error": {"message": "no such route"}}, 404)


def typed(data: bytes, content_type: str, framing: str = "length") -> Answer:
    """A file."""
    if framing == "chunked":
        pieces = [chunked(data[place : place + 100]) for place in range(0, len(data), 100)]
        return Answer([head(200, "Transfer-Encoding: chunked", content_type=content_type), *pieces, b"0\r\n\r\n"])
    if framing == "eof":
        return Answer([head(200, "Connection: close", content_type=content_type), data], end="close")
    length = f"Content-Length: {len(data) + (framing == 'long')}"
    return Answer([head(200, length, content_type=content_type), data], end="close" if framing == "long" else "keep")


def _transcription(request: Request, server: FakeUpstream) -> Answer:
    usage = {"type": "tokens", "input_tokens": 7, "output_tokens": 19, "total_tokens": 26}
    return whole({"text": TEXT, "usage": usage})


def _speech(request: Request, server: FakeUpstream) -> Answer:
    answer = typed(*SPEECH[request.json["response_format"]], "chunked")
    answer.gated = request.model.startswith("gated")
    return answer


def _images(request: Request, server: FakeUpstream) -> Answer:
    numbers = range(request.json.get("n", 1))
    server.answers |= {f"{number}.png": png(shade=number) for number in numbers}
    if request.json.get("response_format") == "url":
        data = [{"url": f"{server.url}/files/{number}.png"} for number in numbers]
    else:
        data = [{"b64_json": base64.b64encode(png(shade=number)).decode()} for number in numbers]
    usage = {"input_tokens": 7, "output_tokens": 19, "total_tokens": 26, "input_tokens_details": {"text_tokens": 7}}
    return whole({"created": 1, "data": [{**item, "revised_prompt": "A fox."} for item in data], "usage": usage})


def _file(request: Request, server: FakeUpstream) -> Answer:
    data = server.answers.get(request.path.partition("?")[0].rpartition("/")[2])
    return whole({}, 404) if data is None else typed(data, "image/png")


_MEDIA: dict[str, Callable[[Request, FakeUpstream], Answer]] = {
    "/audio/transcriptions": _transcription,
    "/audio/speech": _speech,
    "/images/generations": _images,
    "/files/": _file,
}


def _tool_calls() -> list[dict[str, Any]]:
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in TOOL_CALLS
    ]


def _status(code: str, after: list[str]) -> Answer:
    error = {"error": {"message": "the upstream's own words", "code": code}}
    return whole(error, int(code), *(f"Retry-After: {seconds}" for seconds in after))


def _gzip(request: Request, server: FakeUpstream, arguments: list[str]) -> Answer:
    bomb = gzip.compress(b'{"choices": "' + b"0" * 2**26 + b'"}')
    lines = ("Content-Encoding: gzip", f"Content-Length: {len(bomb)}")
    return Answer([head(200, *lines, content_type="application/json"), bomb])


_Failing = Callable[[Request, FakeUpstream, list[str]], Answer | None]
_FAILING: dict[str, _Failing] = {
    "status": lambda request, server, args: _status(args[0], args[1:]),
    "flaky": lambda request, server, args: (
        _status(args[0], args[2:]) if server.times(request.model) <= int(args[1]) else None
    ),
    "drop": lambda request, server, args: (
        Answer([], end="close") if server.times(request.model) <= int(args[0]) else None
    ),
    "silent": lambda request, server, args: Answer([], end="stall"),
    "sent": lambda request, server, args: typed(server.answers[args[0]], *args[1:]),
    "headonly": lambda request, server, args: Answer([head(200, "Transfer-Encoding: chunked")], end="stall"),
    "redirect": lambda request, server, args: whole({}, 302, "Location: http://169.254.169.254/latest/meta-data/"),
    "encoded": lambda request, server, args: whole({}, 200, "Content-Encoding: br"),
    "gzip": _gzip,
    "cookies": lambda request, server, args: whole({}, 200, "Set-Cookie: id=1; Path=/"),
    "badhead": lambda request, server, args: Answer([b"HTTX/1.1 200 OK\r\n\r\n"], end="close"),
    "longhead": lambda request, server, args: Answer([head(200, "X-Long: " + "x" * 2**20)], end="close"),
}


@pytest.fixture
def upstream(settings: Any) -> Iterator[FakeUpstream]:
    """A fake model server, admitted to the allow-list."""
    server = FakeUpstream()
    server.start()
    settings.AUTOMATE_API_PRIVATE_HOSTS = [*getattr(settings, "AUTOMATE_API_PRIVATE_HOSTS", ()), server.host]
    yield server
    server.stop()
