"""Many listeners to the events of jobs: what they get, how late, and what it costs the server."""

import asyncio
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from automate_api.models import Job
from benchmarks.jobs.seed import Host
from benchmarks.processes import Server, free_port

#: Seconds that jobs speak, and that listeners wait in silence before.
SPEAKING, SILENCE = 4.0, 2.0
_PATIENCE = 60
# Things said a second in all: by one job, and by many.
_ONE, _MANY = 100, 500
_EVENT, _END = b"\nevent: log\n", b"\nevent: final\n"
_SAID = re.compile(rb'"@(\d+\.\d+)"')
# Of so many listeners one looks at when things were said: it costs the client more than listening.
_SAMPLE = 10


@dataclass
class Heard:
    """What came of one measurement; seconds and MiB.

    Attributes:
        said, received: events appended, and events delivered to all listeners together.
        speaking, seconds: how long was spoken, and from the first word to the last listener's end.
        late: from the appending to the receipt, of a sample.
        cpu, idle_cpu: processor seconds of the server while it was spoken; a second of them in silence before.
        memory, more_memory: the largest seen, and how much more than at rest.
    """

    listeners: int
    jobs: int
    said: int = 0
    received: int = 0
    speaking: float = 0.0
    seconds: float = 0.0
    late: list[float] = field(default_factory=list)
    cpu: float = 0.0
    idle_cpu: float = 0.0
    memory: float = 0.0
    more_memory: float = 0.0
    failures: int = 0


def measure(host: Host, listeners: int, jobs: int) -> Heard:
    """`listeners` shared out to `jobs` that run."""
    made = [host.create_job(f"spoken {number}") for number in range(jobs)]
    ids = [str(job.pk) for job in made]
    Job.objects.filter(pk__in=ids).update(status=Job.Status.RUNNING)
    connection.close()
    port, log = free_port(), Path(os.environ["BENCH_FOLDER"], "uvicorn.log")
    command = f"-m uvicorn benchmarks.host.asgi:application --host 127.0.0.1 --port {port} --lifespan off"
    options = "--backlog 4096 --log-level warning --no-access-log"
    with Server([sys.executable, *command.split(), *options.split()], port, log) as server:
        server.wait(_PATIENCE)
        return asyncio.run(_Audience(host.key, server, ids, listeners).heard())


class _Audience:
    def __init__(self, key: str, server: Server, ids: list[str], listeners: int) -> None:
        self._key, self._server, self._ids = key, server, ids
        self._found = Heard(listeners, len(ids))
        self._joined = asyncio.Event()
        self._waiting = listeners

    async def heard(self) -> Heard:
        """Join, be silent, listen to the end."""
        found, server = self._found, self._server
        async with asyncio.timeout(_PATIENCE):
            await self._listen(self._ids[0], look=False, only_head=True)
        resting = server.memory
        tasks = [
            asyncio.create_task(self._one(self._ids[number % len(self._ids)], look=number % _SAMPLE == 0))
            for number in range(found.listeners)
        ]
        async with asyncio.timeout(_PATIENCE):
            await self._joined.wait()
        await asyncio.sleep(1)
        before = server.cpu
        await asyncio.sleep(SILENCE)
        found.idle_cpu = (server.cpu - before) / SILENCE
        watcher = asyncio.create_task(self._watch())
        before = server.cpu
        began, *_none = await asyncio.gather(self._speak(), *tasks)
        found.seconds, found.cpu = time.time() - began, server.cpu - before
        watcher.cancel()
        found.more_memory = found.memory - resting
        return found

    async def _speak(self) -> float:
        """Have another process speak; when it began."""
        found, jobs = self._found, len(self._ids)
        rate, every = (_ONE, 0.1) if jobs == 1 else (_MANY // jobs, 0.5)
        command = [sys.executable, "-m", "benchmarks.jobs.speak", str(SPEAKING), str(rate), str(every), *self._ids]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _none = await process.communicate()
        began, found.speaking = (float(number) for number in output.split())
        found.said = jobs * (round(SPEAKING / every) * round(rate * every) + 1)
        return began

    async def _watch(self) -> None:
        while True:
            self._found.memory = max(self._found.memory, self._server.memory)
            await asyncio.sleep(0.5)

    async def _one(self, job: str, *, look: bool) -> None:
        try:
            async with asyncio.timeout(_PATIENCE + 30):
                await self._listen(job, look=look)
        except (OSError, TimeoutError, ValueError):
            self._found.failures += 1

    async def _listen(self, job: str, *, look: bool, only_head: bool = False) -> None:
        """Listen to the end, or until the log has begun."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port, limit=2**20)
        head = (
            f"GET /api/v1/jobs/{job}/events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._key}\r\n\r\n"
        )
        writer.write(head.encode())
        try:
            begin = await reader.readuntil(b"event: queued\n")
            if not begin.startswith(b"HTTP/1.1 200"):
                raise ValueError(begin[:200])
            if only_head:
                return
            self._note_joined()
            await self._follow(reader, look=look)
        finally:
            writer.close()

    async def _follow(self, reader: asyncio.StreamReader, *, look: bool) -> None:
        rest = b""
        while _END not in rest:
            data = await reader.read(2**18)
            if not data:
                raise ValueError("The stream broke off.")
            rest += data
            if look and (times := _SAID.findall(data)):
                self._found.late += [time.time() - float(said) for said in (times[0], times[-1])]
            self._found.received += rest.count(_EVENT) + rest.count(_END)
            if _END not in rest:
                rest = rest[-len(_END) + 1 :]
                # A marker that stands whole in the rest has been counted.
                rest = rest[rest.rfind(_EVENT) + len(_EVENT) :] if _EVENT in rest else rest

    def _note_joined(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._joined.set()
