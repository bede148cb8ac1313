"""The gateway beside LiteLLM's proxy and a bare view, in one run."""

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway import databases, litellm, measures, report
from benchmarks.gateway.contenders import (
    GRANIAN,
    GTHREAD,
    LITELLM,
    UVICORN,
    Contender,
    bare,
    direct,
    host_environment,
    ours,
    proxy,
)
from benchmarks.processes import allow_many_connections

MODELS = [measures.WHOLE, measures.SHORT, measures.SECOND]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of everything, 100 streams")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each measurement (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of calls in a round (2)")
    parser.add_argument("--streams", type=int, default=500, help="streams at once (500)")
    parser.add_argument("--only", default="", help="names of contenders, in part, separated by commas")
    parser.add_argument("--measure", default="calls,first,many", help="calls, first, many (all)")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.streams = 1, 1.0, 100
    return chosen


def gather(upstream: str, database: str, key: str, folder: Path, only: str) -> list[Contender]:
    """Everyone to be measured beside the upstream, not yet started."""
    made = [ours(on, upstream, database, key) for on in (GTHREAD, UVICORN, GRANIAN)]
    made += [bare(on, upstream) for on in (GTHREAD, UVICORN)]
    wanted = [part.strip() for part in only.split(",")]
    if any(part in LITELLM for part in wanted):
        try:
            made.append(proxy(upstream, litellm.install(), folder))
        except litellm.NotInstalled as exc:
            print(f"SKIPPED LiteLLM: it could not be installed: {exc}")
    return [contender for contender in made if any(part in contender.name for part in wanted)]


def main() -> None:
    """Run it; exits with 1 where a goal is missed."""
    chosen = arguments()
    allow_many_connections()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="automate-bench-")))
        upstream = direct()
        if not upstream.start(stack, folder):
            sys.exit(1)
        address = f"127.0.0.1:{upstream.port}"
        database = stack.enter_context(databases.database(os.environ.get("DATABASE_URL", ""), folder))
        env = host_environment(address, database)
        everyone = gather(address, database, databases.seed(env, MODELS), folder, chosen.only)
        running = [contender for contender in everyone if contender.start(stack, folder)]
        _print_head(running, database)
        goals = measure(chosen, [upstream, *running])
        print(f"\nStored: {databases.stored(env)}")
    sys.exit(not report.print_goals(goals))


def measure(chosen: argparse.Namespace, contenders: list[Contender]) -> list[report.Goal]:
    """Take the measurements and print them; the goals with what came of them."""
    goals: list[report.Goal] = []
    if "calls" in chosen.measure:
        for clients in (1, 32):
            found = measures.calls(contenders, clients, rounds=chosen.rounds, seconds=chosen.seconds)
            report.print_calls(found, contenders, clients)
            goals.append(report.call_goal(found, clients))
    if "first" in chosen.measure:
        found = measures.first_chunks(contenders, rounds=chosen.rounds, streams=10)
        report.print_first_chunks(found, contenders)
        goals += [report.first_chunk_goal(found, on) for on in (GTHREAD, UVICORN)]
    if "many" in chosen.measure:
        found = measures.many_streams(contenders, chosen.streams, rounds=max(1, chosen.rounds // 2), patience=120)
        report.print_many(found, contenders, chosen.streams)
        goals += report.many_goals(found, chosen.streams)
    return goals


def _print_head(running: list[Contender], database: str) -> None:
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    kind = database.partition(":")[0]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, load {load}, {kind}")
    time.sleep(1)
    for contender in running:
        memory = contender.server.memory if contender.server else 0
        print(f"  {contender.name:34} {memory:6.0f} MiB at rest")
