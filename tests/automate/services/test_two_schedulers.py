"""Several schedulers at once, of which some are killed: each time that is due is told once."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.jobs.killing import SEED
from tests.servers import ROOT, until

pytestmark = pytest.mark.slow

DUE, KILLS = 200, 2


@pytest.fixture
def env(postgres_url: str) -> dict[str, str]:
    """The environment of a scheduler, on a database with schedules that are due."""
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.automate.services.scheduling",
        "AUTOMATE_TEST_DATABASE_URL": postgres_url,
        "PYTHONPATH": str(ROOT),
    }
    env = {**os.environ, **own}
    subprocess.run(
        [sys.executable, "-m", "tests.automate.services.scheduling", str(DUE)], env=env, cwd=ROOT, check=True
    )
    return env


@contextlib.contextmanager
def scheduler(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "django", "run_schedules", "--every", "0.01"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, env=env, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def test_each_due_time_is_told_once_though_schedulers_die(
    env: dict[str, str], postgres_url: str, tmp_path: Path
) -> None:
    chance, log = random.Random(SEED), tmp_path / "schedulers.log"

    def told() -> int:
        return len(rows(postgres_url, "SELECT id FROM automate_api_event"))

    with scheduler(env, log) as steady:
        for kill in range(KILLS):
            with scheduler(env, log) as doomed:
                # Both are at work, and it is killed somewhere on its way.
                reached = min(DUE, chance.randint(1, DUE // KILLS) + kill * DUE // KILLS)
                assert until(lambda reached=reached: told() >= reached), (SEED, log.read_text())  # type: ignore[misc]
                doomed.send_signal(signal.SIGKILL)
                doomed.wait()
        assert until(lambda: told() >= DUE), (SEED, log.read_text())
        steady.terminate()
        assert steady.wait(60) == 0
    assert "Stopped." in log.read_text()
    assert "Traceback" not in log.read_text()
    inputs = rows(postgres_url, "SELECT input::text FROM automate_api_execution WHERE task_type = 'event.handle'")
    handled = Counter(pk for given in inputs for pk in json.loads(given)["events"])
    assert set(handled.values()) == {1}
    assert sorted(handled) == sorted(str(pk) for pk in rows(postgres_url, "SELECT id FROM automate_api_event"))
    assert len(set(rows(postgres_url, "SELECT source FROM automate_api_event"))) == len(handled) == DUE
    assert rows(postgres_url, "SELECT count(*) FROM automate_trigger WHERE next_due <= now()") == [0]
