"""`kill -9` at random moments of workflows: each run ends once and well, and each of its effects happens once.

With Celery, and beside those who decide and cancel, only where `AUTOMATE_TEST_KILLS` says how often: that takes long.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.automate.recorder import Recorder, recording
from tests.jobs.killing import KILLS, SEED
from tests.jobs.workers import Hall, Process, hall
from tests.servers import until

pytestmark = pytest.mark.slow

IN_FLIGHT, LEASE = 6, 2
#: Seconds that the server takes at most whom the workflows call.
SLOWEST = 0.1

at_length = pytest.mark.skipif("AUTOMATE_TEST_KILLS" not in os.environ, reason="takes long: set AUTOMATE_TEST_KILLS")

BACKENDS = [
    pytest.param("tasks", "sqlite", id="sqlite"),
    pytest.param("tasks", "postgres", id="postgres"),
    pytest.param("celery", "postgres", id="celery", marks=(pytest.mark.redis, at_length)),
]


@pytest.fixture
def database_url(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    def url(kind: str) -> str:
        return (
            str(request.getfixturevalue("postgres_url")) if kind == "postgres" else f"sqlite:///{tmp_path}/db.sqlite3"
        )

    return url


@pytest.mark.parametrize(("queue", "database"), BACKENDS)
def test_every_run_survives_the_death_of_its_workers(
    queue: str, database: str, tmp_path: Path, database_url: Callable[[str], str]
) -> None:
    chance, begun = random.Random(SEED), 0
    env = {"JOBS_LEASE": str(LEASE)}
    with recording(SLOWEST) as recorder, hall(queue, database_url(database), tmp_path, **env) as host:
        host.ask("make_flows", url=recorder.url)
        worker = host.start_worker()
        for _number in range(KILLS):
            begun = begin_more(host, begun, ["flow.begin"])
            worker = killed_at_work(host, worker, chance)
            assert host.ask("stuck") == []
        assert host.is_ready(worker)
        assert all_is_quiet(host, seconds=60 + KILLS), told(host)
        print(f"\n{queue} on {database}, {KILLS} kills (seed {SEED}): {told(host)}, {told_of(recorder)}")
        assert host.ask("flow_faults") == []
        assert host.ask("flows") == {"echo succeeded": begun, "long succeeded": begun}
        assert_once(host, recorder)


@at_length
@pytest.mark.parametrize("database", ["postgres"])
def test_no_run_is_lost_between_two_workers_and_those_who_decide_and_cancel(
    database: str, tmp_path: Path, database_url: Callable[[str], str]
) -> None:
    chance, begun, env = random.Random(SEED), 0, {"JOBS_LEASE": str(LEASE)}
    with recording(SLOWEST) as recorder, hall("tasks", database_url(database), tmp_path, **env) as host:
        host.ask("make_flows", url=recorder.url)
        workers = [host.start_worker(), host.start_worker()]
        meddlers = [meddler(host, number) for number in range(2)]
        for number in range(KILLS):
            begun = begin_more(host, begun, ["flow.begin", "flow.ask"])
            workers[number % 2] = killed_at_work(host, workers[number % 2], chance)
            if chance.random() < 0.5:
                meddlers[number % 2].kill()
                meddlers[number % 2] = meddler(host, number + 2)
            assert host.ask("stuck") == []
        for each in meddlers:
            each.kill()
        assert until(lambda: host.ask("approve_all") == 0 and is_quiet(host), seconds=60 + KILLS), told(host)
        decided = decisions(host)
        print(f"\n{database}, {KILLS} kills (seed {SEED}): {told(host)}, {decided}, {told_of(recorder)}")
        assert host.ask("flow_faults") == []
        assert {each.rpartition(" ")[2] for each in host.ask("flows")} <= {"succeeded", "cancelled"}
        assert_once(host, recorder)
        assert complaints(host) == []


def meddler(host: Hall, number: int) -> Process:
    """Somebody who decides and cancels at random moments."""
    process = host.start(f"tests.hosts.jobs.meddling {SEED + number}")
    assert process.says("Meddling")
    return process


def decisions(host: Hall) -> Counter[str]:
    """How often what was decided; nothing of a run twice."""
    logs = [process.log.read_text() for process in host.processes if "meddling" in process.log.name]
    lines = [line.split() for log in logs for line in log.splitlines()[1:]]
    for words in (["approved", "rejected"], ["cancelled"]):
        assert max(Counter(run for what, run in lines if what in words).values(), default=1) == 1
    return Counter(what for what, _run in lines)


def complaints(host: Hall) -> list[str]:
    """What processes say of things that must not happen, such as a deadlock."""
    said = [line for process in host.processes for line in process.log.read_text(errors="replace").splitlines()]
    return [line for line in said if re.search(r"deadlock|Traceback|has failed|could not be stored", line)]


def killed_at_work(host: Hall, worker: Process, chance: random.Random) -> Process:
    """Kill the worker within a few steps, wherever it is by then; the next one."""
    before, steps, pause = host.ask("steps_ended"), chance.randrange(15), chance.uniform(0, 0.2)
    # Some die before they are ready. No step may end for a while, where all wait for the lease of one that died.
    if chance.random() >= 0.1 and host.is_ready(worker):
        until(lambda: host.ask("steps_ended") >= before + steps, seconds=5)
    assert worker.lives(pause)
    if host.queue == "celery" and chance.random() < 0.2 and worker.kill_a_child():
        return worker
    worker.kill()
    return host.start_worker()


def begin_more(host: Hall, begun: int, kinds: list[str]) -> int:
    """Begin as many runs as are missing, of each kind; how many have been by then."""
    ended = host.ask("flows_ended", slug="long")
    numbers = list(range(begun, max(begun, ended + IN_FLIGHT)))
    for kind in kinds:
        host.ask("begin_flows", kind=kind, numbers=numbers)
    return begun + len(numbers)


def is_quiet(host: Hall) -> bool:
    """Whether all jobs and runs have ended."""
    return bool(host.ask("unfinished") + host.ask("flows_in_flight") == 0)


def all_is_quiet(host: Hall, *, seconds: float) -> bool:
    """Whether all jobs and runs end before `seconds` have passed."""
    return until(lambda: is_quiet(host), seconds=seconds)


def assert_once(host: Hall, recorder: Recorder) -> None:
    """What runs did elsewhere came under one key an effect, and nothing else came."""
    keys = host.ask("keys_of_effects")
    assert set(keys["must"]) <= set(recorder.deliveries) <= set(keys["may"])
    assert recorder.confused == []


def told(host: Hall) -> dict[str, Any]:
    """How everything stands."""
    return {name: host.ask(name) for name in ("flows", "statuses", "attempts", "stuck")}


def told_of(recorder: Recorder) -> str:
    """What came, and what a server that knows its keys would drop."""
    repeated = len(recorder.asked) - len(recorder.deliveries)
    return f"{len(recorder.deliveries)} effects, {repeated} of them delivered again"
