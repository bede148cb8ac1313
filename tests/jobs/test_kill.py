"""`kill -9` at random moments: every job ends once, nothing is done twice, nobody waits for long.

`AUTOMATE_TEST_KILLS` is the number of kills of each backend's worker (5), `AUTOMATE_TEST_SEED` repeats their moments.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.workers import Hall, Process, hall

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("AUTOMATE_TEST_KILLS") or 5)
SEED = int(os.environ.get("AUTOMATE_TEST_SEED") or random.SystemRandom().getrandbits(32))
IN_FLIGHT, LEASE = 10, 2
# Half a second's work where nobody is killed.
WORK = {"steps": 5, "pause": 0.1}

BACKENDS = [
    pytest.param("tasks", "sqlite", id="sqlite"),
    pytest.param("tasks", "postgres", id="postgres"),
    pytest.param("celery", "postgres", id="celery", marks=pytest.mark.redis),
]


@pytest.fixture
def database_url(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    def url(kind: str) -> str:
        return (
            str(request.getfixturevalue("postgres_url")) if kind == "postgres" else f"sqlite:///{tmp_path}/db.sqlite3"
        )

    return url


@pytest.mark.slow
@pytest.mark.parametrize(("queue", "database"), BACKENDS)
def test_every_job_survives_the_death_of_its_workers(
    queue: str, database: str, tmp_path: Path, database_url: Callable[[str], str]
) -> None:
    chance = random.Random(SEED)
    with hall(queue, database_url(database), tmp_path, JOBS_LEASE=str(LEASE)) as host:
        worker, kills = host.start_worker(), []
        for _number in range(KILLS):
            host.ask("make", jobs=IN_FLIGHT - host.ask("unfinished"), **WORK)
            worker, moment = killed(host, worker, chance)
            kills.append(moment)
        assert host.is_ready(worker)
        assert host.all_end(seconds=60), host.ask("statuses")
        waits = host.ask("waits", kills=kills)
        attempts, statuses = host.ask("attempts"), host.ask("statuses")
        print(
            f"{queue} on {database}, {KILLS} kills (seed {SEED}): {statuses}, attempts {attempts}, "
            f"longest wait {max(waits):.1f} s, mean of longest {sum(waits) / len(waits):.1f} s"
        )
        assert host.ask("faults") == []
        assert set(statuses) == {"succeeded"}
        assert max(waits) <= LEASE + 10


def killed(host: Hall, worker: Process, chance: random.Random) -> tuple[Process, float]:
    """Kill the worker at any moment; the next one, and the moment."""
    if chance.random() < 0.1:
        # Before it is ready, too.
        assert worker.lives(chance.uniform(0, 1))
    else:
        assert host.is_ready(worker)
        assert worker.lives(chance.uniform(0, 1.5))
        if host.queue == "celery" and chance.random() < 0.2 and worker.kill_a_child():
            return worker, time.time()
    worker.kill()
    return host.start_worker(), time.time()
