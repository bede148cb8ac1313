"""`kill -9` at random moments: every job ends once, nothing is done twice, nobody waits for long."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.killing import KILLS, SEED, killed
from tests.jobs.workers import hall

pytestmark = pytest.mark.slow

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
