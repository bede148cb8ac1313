"""Who is measured: each as a server's command line and the calls that it answers."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.client import Call, post, send_at_once
from benchmarks.gateway import litellm
from benchmarks.processes import DidNotStart, Server, free_port

OURS, BARE, LITELLM = "automate", "bare DRF + httpx", "LiteLLM proxy"
DIRECT = "upstream itself"
GTHREAD, UVICORN, GRANIAN = "gunicorn gthread", "uvicorn", "granian"

SYSTEM_PROMPT = "You are terse. " * 20
PROMPT = "Hello " * 100

_COMMANDS = {
    GTHREAD: "gunicorn benchmarks.host.wsgi -b 127.0.0.1:{port} -w 1 -k gthread --threads 512 --keep-alive 30 "
    "--backlog 4096 --timeout 120 --log-level error",
    UVICORN: "uvicorn benchmarks.host.asgi:application --host 127.0.0.1 --port {port} --lifespan off --backlog 4096 "
    "--log-level warning --no-access-log",
    GRANIAN: "granian --interface asgi --host 127.0.0.1 --port {port} --workers 1 --backlog 4096 --log-level warning "
    "benchmarks.host.asgi:application",
}

MakeCall = Callable[[str, bool], Call]


@dataclass
class Contender:
    """One to be measured.

    Attributes:
        what: what it is, and `on` which server; together its name.
        call: makes the call for a model, streamed or not.
        server: its running server; None until it is started.
    """

    what: str
    on: str
    port: int
    call: MakeCall
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    patience: float = 60
    server: Server | None = None

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.what}, {self.on}" if self.on else self.what

    def start(self, stack: ExitStack, folder: Path) -> bool:
        """Start its server for as long as `stack` is open, and ask it once.

        False, and a line that says why, where it does not start or does not answer as it should.
        """
        log = folder / f"{self.port}.log"
        self.server = stack.enter_context(Server(self.command, self.port, log, self.env))
        try:
            self.server.wait(self.patience)
            _answers, failures = asyncio.run(send_at_once(self.call("fake-1-0", True), 1, within=0, patience=60))
        except DidNotStart as exc:
            failures = [f"it did not start\n{exc}"]
        if failures:
            print(f"SKIPPED {self.name}: {failures[0]}", flush=True)
        return not failures


def direct() -> Contender:
    """The fake model server itself: the floor under every figure."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.gateway.upstream", str(port)]
    return Contender(DIRECT, "", port, _openai(port, "none"), command)


def ours(on: str, upstream: str, database: str, key: str) -> Contender:
    """The package, in the host of `benchmarks/host`."""
    port = free_port()
    env = host_environment(upstream, database)

    def call(model: str, stream: bool) -> Call:
        path = f"/api/v1/modal/endpoints/{model}/stream/" if stream else f"/api/v1/endpoints/{model}/run/"
        known_by = {"first": b"event: token", "end": b"event: final"} if stream else {"end": b'"succeeded"'}
        return post(port, path, {"input": {"prompt": PROMPT}}, key=key, **known_by)

    return Contender(OURS, on, port, call, _command(on, port), env)


def bare(on: str, upstream: str) -> Contender:
    """The view of `benchmarks/bare`."""
    port = free_port()
    env = {"DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings", "BENCH_UPSTREAM": upstream}
    return Contender(BARE, on, port, _openai(port, "none"), _command(on, port), env)


def proxy(upstream: str, program: Path, folder: Path) -> Contender:
    """LiteLLM's proxy, as it comes."""
    port, config = free_port(), folder / "litellm.yaml"
    litellm.write_config(config, upstream)
    command = litellm.command(program, config, port)
    env = litellm.ENVIRONMENT | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    return Contender(LITELLM, "", port, _openai(port, litellm.KEY), command, env, patience=180)


def host_environment(upstream: str, database: str) -> dict[str, str]:
    """What the processes of `benchmarks/host` are told."""
    return {
        "DJANGO_SETTINGS_MODULE": "benchmarks.host.settings",
        "BENCH_DATABASE": database,
        "BENCH_UPSTREAM": upstream,
        "BENCH_SYSTEM_PROMPT": SYSTEM_PROMPT,
    }


def _command(on: str, port: int) -> list[str]:
    return [sys.executable, "-m", *_COMMANDS[on].format(port=port).split()]


def _openai(port: int, key: str) -> MakeCall:
    messages = [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": PROMPT}]

    def call(model: str, stream: bool) -> Call:
        body: dict[str, Any] = {"model": model, "stream": stream, "messages": messages, "temperature": 0.2}
        known_by = {"first": b"token 0", "end": b"[DONE]"} if stream else {"end": b"hello hello"}
        return post(port, "/v1/chat/completions", body, key=key, **known_by)

    return call
