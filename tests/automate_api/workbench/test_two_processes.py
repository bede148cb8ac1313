"""The workbench's list while two processes change what it shows: never old, and never somebody else's.

`AUTOMATE_TEST_LIST_ROUNDS` says how many rounds there are (3), and has them played with each database and each place
for versions rather than with two pairs of them; `AUTOMATE_TEST_LIST_SEED` says which rounds (1).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.conftest import require
from tests.servers import ROOT, environment
from tests.services import REDIS_URL

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("AUTOMATE_TEST_LIST_ROUNDS") or 3)
SEED = int(os.environ.get("AUTOMATE_TEST_LIST_SEED") or 1)

CHANGES = [
    "create", "create", "clone", "rename", "share", "share", "share", "delete", "restore", "save", "destroy", "update",
    "undo", "grant", "withdraw", "join", "join", "leave", "promote", "mail", "provider",
]  # fmt: skip

#: Deadlocks, and locks that nobody lets go of.
FAULTS = {"OperationalError", "InternalError"}


class Process:
    """One of the processes; what it is asked it answers in order."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._env, self._log = env, log
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.automate_api.workbench.changer"]
        with self._log.open("ab") as log:
            self.popen = subprocess.Popen(
                command, env=self._env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.answer() == "ready", self._log.read_text()

    def ask(self, command: str, *positional: Any, **keywords: Any) -> None:
        """Send a command; `answer()` has to follow."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps([command, positional, keywords]) + "\n")
        self.popen.stdin.flush()

    def answer(self) -> Any:
        """The next answer."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, self._log.read_text()
        return json.loads(line)

    def do(self, command: str, *positional: Any, **keywords: Any) -> Any:
        """Send a command and wait for its answer."""
        self.ask(command, *positional, **keywords)
        return self.answer()

    def end(self) -> None:
        """Let it go."""
        for stream in (self.popen.stdin, self.popen.stdout):
            assert stream is not None
            stream.close()
        self.popen.wait(20)


@contextmanager
def two_processes(env: dict[str, str], folder: Path) -> Iterator[list[Process]]:
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, env=env, cwd=ROOT, check=True)
    found = [Process(env, folder / f"{number}.log") for number in range(2)]
    try:
        found[0].do("fill")
        yield found
    finally:
        for process in found:
            process.end()


PAIRS = [("redis", "postgres"), ("no redis", "sqlite")]
if "AUTOMATE_TEST_LIST_ROUNDS" in os.environ:
    PAIRS += [("redis", "sqlite"), ("no redis", "postgres")]


@pytest.fixture(params=PAIRS, ids=" and ".join)
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of both processes."""
    cache, database = request.param
    is_sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path}/db.sqlite3" if is_sqlite else str(request.getfixturevalue("postgres_url"))
    if cache == "no redis":
        return environment(url, AUTOMATE_TEST_REDIS_URL="")
    require(REDIS_URL)
    return environment(url, AUTOMATE_TEST_REDIS_URL=REDIS_URL, AUTOMATE_TEST_CACHE_PREFIX=str(tmp_path))


def test_nobody_ever_sees_an_old_page_or_a_row_that_is_hidden_from_them(env: dict[str, str], tmp_path: Path) -> None:
    chance, warm = Random(SEED), 0
    with two_processes(env, tmp_path) as both:
        for number in range(ROUNDS):
            # One after the other, and both at once while each also reads.
            for writer in chance.sample(both, 2):
                told = writer.do("change", chance.choice(CHANGES), chance.random())
                assert told not in FAULTS
                for reader in both:
                    assert reader.do("look") == [], f"round {number} of seed {SEED}"
            warm += both[0].do("hits")
            plans = [[(chance.choice(CHANGES), chance.random()) for _ in range(3)] for _ in both]
            for process, plan in zip(both, plans, strict=True):
                for what, seed in plan:
                    process.ask("change", what, seed)
                    process.ask("glance", seed)
            told = [process.answer() for process, plan in zip(both, plans, strict=True) for _ in range(2 * len(plan))]
            assert not FAULTS.intersection(told), "They stood in each other's way."
            for reader in both:
                assert reader.do("look") == [], f"round {number} of seed {SEED}, at once"
            if number % 3 == 2:
                killed, other = chance.sample(both, 2)
                other.do("look")
                killed.ask("die", chance.choice(CHANGES), chance.random(), committed=chance.random() < 0.5)
                killed.popen.wait(60)
                assert other.do("look") == [], f"round {number} of seed {SEED}, after a kill"
                killed.end()
                killed.start()
    assert warm, "Nothing came out of the cache, so nothing was proved."
