"""Counts and claims that several processes make at once, over real sockets."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.servers import EIGHT_PROCESSES, ROOT, Served, Stream, environment, seed, served
from tests.services import REDIS_URL
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.redis, pytest.mark.slow]


@contextmanager
def eight_processes(database_url: str, folder: Path, **extra: str) -> Iterator[Served]:
    env = environment(database_url, AUTOMATE_TEST_REDIS_URL=REDIS_URL, AUTOMATE_TEST_CACHE_PREFIX=str(folder), **extra)
    with served(EIGHT_PROCESSES, env, seed(env), folder / "server.log") as running:
        yield running


def at_once(times: int, call: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(min(times, 50)) as threads:
        return list(threads.map(call, range(times)))


def test_eight_processes_admit_fifty_of_320(tmp_path: Path) -> None:
    with eight_processes(f"sqlite:///{tmp_path}/db.sqlite3", tmp_path, SERVED_RATE_LIMIT="50/d") as server:
        statuses = Counter(at_once(320, lambda _: server.call("GET", "/api/v1/models/")[0]))
    assert statuses == {200: 50, 429: 270}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_fifty_requests_with_one_idempotency_key_are_one_run(
    database: str, tmp_path: Path, upstream: FakeUpstream, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgres" else f"sqlite:///{tmp_path}/db.sqlite3"
    with eight_processes(url, tmp_path, SERVED_PRIVATE_HOSTS=upstream.host) as server:
        path = f"/api/v1/endpoints/{server.make_endpoint(upstream.url, 'chat')}/run/"

        def run(_number: int) -> tuple[int, str]:
            status, answer = server.call("POST", path, {"input": "Hello"}, **{"Idempotency-Key": "the-one"})
            return status, answer.get("code") or answer["id"]

        answers = Counter(at_once(50, run))
        executions = server.call("GET", "/api/v1/executions/")[1]["results"]
        assert server.call("POST", path, {"input": "Hello"}, **{"Idempotency-Key": "the-one"})[1] == executions[0]
    assert len(executions) == 1
    assert set(answers) <= {(200, executions[0]["id"]), (409, "idempotency_in_flight")}
    assert answers[200, executions[0]["id"]] >= 1


def test_a_claim_is_free_again_when_the_process_that_held_it_is_dead_and_its_lease_over(
    tmp_path: Path, upstream: FakeUpstream, postgres_url: str
) -> None:
    key = {"Idempotency-Key": "killed"}
    with eight_processes(postgres_url, tmp_path, SERVED_PRIVATE_HOSTS=upstream.host) as server:
        path = f"/api/v1/endpoints/{server.make_endpoint(upstream.url, 'chat')}/run/"
        slow = f"/api/v1/modal/endpoints/{server.make_endpoint(upstream.url, 'gated:5')}/stream/"
        with server.send("POST", slow, {"input": "Hello"}, **key) as held:
            assert held.event() == ("started", {"attempt": 1})
            kill_who_serves(server, held)
        assert server.call("POST", slow, {"input": "Hello"}, **key)[1]["code"] == "idempotency_in_flight"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            later = timedelta(seconds=31)
            connection.execute("UPDATE automate_api_idempotencykey SET leased_until = leased_until - %s", [later])
        with server.send("POST", slow, {"input": "Hello"}, **key) as again:
            assert again.event() == ("started", {"attempt": 1})
        assert server.call("POST", path, {"input": "Hello"}, **key)[0] == 422


def kill_who_serves(server: Served, stream: Stream) -> None:
    """Kill the process at the other end of a stream's connection."""
    port = stream.connection.sock.getsockname()[1]
    workers = psutil.Process(server.process.pid).children()
    serving = [w for w in workers if any(c.raddr and c.raddr.port == port for c in w.net_connections("tcp"))]
    assert len(serving) == 1
    serving[0].kill()
    gone, _alive = psutil.wait_procs(serving, timeout=30)
    assert gone == serving


REVOKE_AND_DIE = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from automate_api.models import APIKey
from automate_api.services.api_keys import revoke_key
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))  # before anything else is called
    revoke_key(APIKey.objects.get(pk=sys.argv[1]))
    if sys.argv[2] == "before the commit":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def id_of(key: str) -> str:
    return key.split("_")[1]


def test_eight_processes_that_know_a_key_refuse_it_as_soon_as_it_is_revoked(tmp_path: Path) -> None:
    """Also where whoever revoked it was killed before it could say so."""
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    with eight_processes(url, tmp_path) as server:

        def statuses(who: str) -> set[int]:
            return set(at_once(80, lambda _: server.call("GET", "/api/v1/models/", who=who)[0]))

        def revoke_and_die(who: str, when: str) -> None:
            env = environment(url, AUTOMATE_TEST_REDIS_URL=REDIS_URL, AUTOMATE_TEST_CACHE_PREFIX=str(tmp_path))
            command = [sys.executable, "-c", REVOKE_AND_DIE, id_of(server.keys[who]), when]
            assert subprocess.run(command, env=env, cwd=ROOT, check=False).returncode == -signal.SIGKILL

        for who in ("globex-staff", "globex-member", "acme-member"):
            assert statuses(who) == {200}
        path = f"/api/v1/api-keys/{id_of(server.keys['globex-staff'])}/revoke/"
        assert server.call("POST", path, who="globex-staff")[0] == 200
        revoke_and_die("globex-member", "after the commit")
        revoke_and_die("acme-member", "before the commit")
        assert statuses("globex-staff") == statuses("globex-member") == {401}
        assert statuses("acme-member") == {200}
