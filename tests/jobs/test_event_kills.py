"""`kill -9` of who handles events and of who takes them in: each event is stored once, each handler called once."""

import http.client
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from tests.jobs.killing import KILLS, SEED, killed
from tests.jobs.workers import Hall, Process, hall
from tests.servers import free_port, until

pytestmark = pytest.mark.slow

IN_FLIGHT, LEASE = 10, 2
BATCH = 1000

Sent = dict[str, Any]
#: What was sent, and what was answered: id and status.
Answers = list[tuple[Sent, dict[str, str]]]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/db.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@dataclass
class Door:
    """A web process at which events come in."""

    process: Process
    port: int
    key: str

    @classmethod
    def opened(cls, host: Hall, key: str) -> Self:
        port = free_port()
        command = "gunicorn tests.hosts.jobs.wsgi -k gthread --threads 8 --timeout 60 --log-level error"
        door = cls(host.start(f"{command} -b 127.0.0.1:{port}"), port, key)
        assert until(door.is_open, seconds=60), door.process.log.read_text()
        return door

    def is_open(self) -> bool:
        return bool(self.take([{"type": "mail.read", "source": "door"}]))

    def take(self, events: list[Sent]) -> Answers | None:
        """Send one batch; None where the process breaks off."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            connection.request("POST", "/events/", json.dumps(events), headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        assert status == 201, body
        return list(zip(events, json.loads(body), strict=True))

    def take_all(self, batches: list[list[Sent]]) -> Answers:
        """Send batches one after the other."""
        found: Answers = []
        for batch in batches:
            answers = self.take(batch)
            assert answers is not None
            found += answers
        return found


def test_events_of_two_writers_are_stored_and_handled_once_whenever_the_worker_dies(
    database_url: str, tmp_path: Path
) -> None:
    chance, answers = random.Random(SEED), Answers()
    with hall("tasks", database_url, tmp_path, JOBS_LEASE=str(LEASE)) as host, ThreadPoolExecutor(2) as writers:
        door, worker = Door.opened(host, host.ask("key")), host.start_worker()
        for wave in range(KILLS):
            batches = [overlapping(wave, chance) for _ in range(IN_FLIGHT - min(IN_FLIGHT, host.ask("unfinished")))]
            sending = [writers.submit(door.take_all, batches[first::2]) for first in (0, 1)]
            worker, _moment = killed(host, worker, chance)
            for each in sending:
                answers += each.result()
        assert host.is_ready(worker)
        assert host.all_end(seconds=120), host.ask("statuses")
        repeated = sum(answer["status"] == "duplicate" for _sent, answer in answers)
        print(
            f"{database_url[:8]}, {KILLS} kills of the worker (seed {SEED}): {len(answers)} events sent, "
            f"{repeated} of them duplicates, jobs {host.ask('statuses')}, attempts {host.ask('attempts')}"
        )
        assert repeated > len(answers) / 4
        assert_stored_once(answers, host)
        assert_handled_once(host)


def overlapping(wave: int, chance: random.Random) -> list[Sent]:
    """Sixty events, of which many are also elsewhere in the batch, in another of this wave, or in one of the last."""
    numbers = chance.choices(range(wave * 50, wave * 50 + 100), k=55)
    keys = [*(f"key-{number}" for number in numbers), *[None] * 5]
    chance.shuffle(keys)
    return [made(key, chance) for key in keys]


def made(key: str | None, chance: random.Random) -> Sent:
    """An event of any type; the later of two with a key may differ from the first."""
    kind = chance.choice(["order.paid", "order.sent", "mail.read"])
    payload = {"total": chance.randrange(1000), "stumble": chance.random() < 0.02}
    return {"type": kind, "source": "shop", "payload": payload, "idempotency_key": key}


def assert_stored_once(answers: Answers, host: Hall) -> None:
    """Each key has one id, which one sender was told first; each event without a key has its own."""
    ids: dict[str, set[str]] = {}
    accepted: Counter[str] = Counter()
    for number, (sent, answer) in enumerate(answers):
        key = sent["idempotency_key"] or f"without-{number}"
        ids.setdefault(key, set()).add(answer["id"])
        accepted[key] += answer["status"] == "accepted"
    assert [key for key, known in ids.items() if len(known) > 1] == []
    assert [key for key in ids if accepted[key] != 1] == []
    stored = {pk for pk, _key in host.ask("events")}
    assert {pk for known in ids.values() for pk in known} <= stored
    # The one is that with which the door was tried.
    assert len(stored) == len(ids) + 1


def assert_handled_once(host: Hall) -> None:
    """Each handler was called once with each event of its types, and each job has ended once."""
    assert host.ask("event_faults") == []
    assert host.ask("faults") == []
    assert set(host.ask("statuses")) == {"succeeded"}


def test_a_batch_is_stored_whole_or_not_at_all_whenever_the_web_process_dies(database_url: str, tmp_path: Path) -> None:
    chance, outcomes = random.Random(SEED), Counter[str]()
    with hall("tasks", database_url, tmp_path, JOBS_LEASE=str(LEASE)) as host, ThreadPoolExecutor(1) as writer:
        door, worker = Door.opened(host, host.ask("key")), host.start_worker()
        began = time.monotonic()
        door.take_all([keyed(KILLS)])
        took = time.monotonic() - began
        for number in range(KILLS):
            batch = keyed(number)
            sending = writer.submit(door.take, batch)
            assert door.process.lives(chance.uniform(0, took * 2))
            door.process.kill()
            answered, stored = sending.result(), stored_of(batch, host)
            outcomes["answered" if answered else "stored" if stored else "nothing"] += 1
            assert len(stored) in ({BATCH} if answered else {0, BATCH})
            door = Door.opened(host, door.key)
            again = door.take_all([batch])
            # What had been handed over may be committed after the process's end, but then too it is all or nothing.
            assert len({answer["status"] for _sent, answer in again}) == 1
            assert stored_of(batch, host) == {sent["idempotency_key"]: answer["id"] for sent, answer in again}
            assert stored.items() <= stored_of(batch, host).items()
        print(f"{database_url[:8]}, {KILLS} kills of the web process (seed {SEED}) within {took:.2f} s: {outcomes}")
        assert host.is_ready(worker)
        assert host.all_end(seconds=60 + 5 * KILLS), host.ask("statuses")
        assert_handled_once(host)


def keyed(number: int) -> list[Sent]:
    """A batch of keys that no other has; a handler wants every twentieth."""
    return [
        {
            "type": "mail.read" if place % 20 else "order.paid",
            "source": "shop",
            "idempotency_key": f"batch{number}-{place}",
        }
        for place in range(BATCH)
    ]


def stored_of(batch: list[Sent], host: Hall) -> dict[str, str]:
    """The ids of those that are stored, by their keys."""
    prefix = batch[0]["idempotency_key"].partition("-")[0]
    found = [(key, pk) for pk, key in host.ask("events", prefix=f"{prefix}-")]
    assert len(found) == len(dict(found))
    return dict(found)
