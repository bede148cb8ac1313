"""A client that costs little: prepared requests over kept-alive connections, answers read to their end and checked."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"content-length: *(\d+)")


class WrongAnswer(Exception):
    """An answer that is not the whole one that was expected."""


FAULTS = (OSError, EOFError, ValueError, WrongAnswer)


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and how to know its answer.

    Attributes:
        port: the server's, on 127.0.0.1.
        message: the request's bytes.
        first: what the first piece of a streamed text is known by.
        end: what the answer has where it is whole.
        status: what it begins with.
    """

    port: int
    message: bytes
    first: bytes = b""
    end: bytes = b""
    status: bytes = b"200"


def post(port: int, path: str, body: Any, *, key: str, **known_by: bytes) -> Call:
    """A call that sends `body` as JSON with a bearer token; `known_by` are `first`, `end` and `status`."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: */*\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return Call(port, head.encode() + data, **known_by)


class Connection:
    """One connection; opened anew where the server closed it after an answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, call: Call) -> "Answer":
        """Send the request and read the whole answer.

        Raises:
            WrongAnswer: its status is another, or it is not whole.
        """
        answer = Answer(call)
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(call.message)
        await answer.read(reader)
        if answer.closing:
            self.close()
        return answer

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Answer:
    """One answer, and when it came.

    Attributes:
        first: seconds, connecting included, to the first piece of the text; None where there is no such thing.
        total: seconds, connecting included, to the end.
        closing: whether the server closes the connection.
    """

    def __init__(self, call: Call) -> None:
        self._call, self._started = call, time.perf_counter()
        self._tail = b""
        self.first: float | None = None
        self.total = 0.0
        self.closing = False

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read to the end; raises WrongAnswer."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        self.closing = b"connection: close" in head
        if b"transfer-encoding: chunked" in head:
            await self._read_chunks(reader)
        elif length := _LENGTH.search(head):
            self._take(await reader.readexactly(int(length[1])))
        else:
            self.closing = True
            while data := await reader.read(65536):
                self._take(data)
        self.total = time.perf_counter() - self._started
        if not head.startswith(b"http/1.1 " + self._call.status) or self._call.end not in self._tail:
            raise WrongAnswer(head[:40] + self._tail[-200:])

    async def _read_chunks(self, reader: asyncio.StreamReader) -> None:
        while size := int(await reader.readline(), 16):
            self._take((await reader.readexactly(size + 2))[:-2])
        await reader.readline()

    def _take(self, data: bytes) -> None:
        if self.first is None and self._call.first and self._call.first in data:
            self.first = time.perf_counter() - self._started
        self._tail = self._tail[-2000:] + data


async def send_for(call: Call, clients: int, seconds: float) -> tuple[list[float], list[str]]:
    """Let `clients` send one request after the other for so long; whoever waits a minute longer gives up.

    Returns the seconds that each request took, and the failures.
    """
    took: list[float] = []
    failures: list[str] = []
    end = time.perf_counter() + seconds
    latest = asyncio.get_running_loop().time() + seconds + 60

    async def repeat() -> None:
        connection = Connection(call.port)
        while time.perf_counter() < end:
            try:
                async with asyncio.timeout_at(latest):
                    took.append((await connection.send(call)).total)
            except FAULTS as exc:
                failures.append(repr(exc)[:120])
                connection.close()
        connection.close()

    await asyncio.gather(*[repeat() for _ in range(clients)])
    return took, failures


async def send_at_once(call: Call, number: int, *, within: float, patience: float) -> tuple[list[Answer], list[str]]:
    """Send `number` requests, each over its own connection, all begun `within` so many seconds.

    Returns the answers and the failures; one that takes longer than `patience` seconds is a failure.
    """
    answers: list[Answer] = []
    failures: list[str] = []

    async def one(place: int) -> None:
        await asyncio.sleep(within * place / number)
        connection = Connection(call.port)
        try:
            async with asyncio.timeout(patience):
                answers.append(await connection.send(call))
        except FAULTS as exc:
            failures.append(repr(exc)[:120])
        finally:
            connection.close()

    await asyncio.gather(*[one(place) for place in range(number)])
    return answers, failures
