"""Time-ordered identifiers (RFC 9562)."""

import os
import threading
import time
from uuid import RFC_4122, UUID

import pytest

from automate_api import ids
from automate_api.ids import uuid7


def test_an_id_is_a_version_7_uuid_of_now() -> None:
    before = time.time_ns() // 1_000_000
    found = uuid7()
    after = time.time_ns() // 1_000_000
    assert (found.version, found.variant) == (7, RFC_4122)
    assert before <= found.int >> 80 <= after + 1


def test_each_id_is_greater_than_the_one_before() -> None:
    found = [uuid7() for _ in range(20_000)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_ids_grow_also_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 0)
    assert uuid7() > first


def test_ids_of_one_millisecond_that_run_out_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = (time.time_ns() // 1_000_000) + 1000
    monkeypatch.setattr(ids, "_last", (now, (1 << 74) - 1))
    assert uuid7().int >> 80 == now + 1


def test_threads_never_share_an_id() -> None:
    found: list[UUID] = []

    def make() -> None:
        mine = [uuid7() for _ in range(2_000)]
        assert mine == sorted(mine)
        found.extend(mine)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8_000


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_processes_never_share_an_id() -> None:
    uuid7()
    reader, writer = os.pipe()
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.write(writer, b"".join(uuid7().bytes for _ in range(50)))
            os._exit(0)
        children.append(pid)
    own = {uuid7().bytes for _ in range(50)}
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        written = pipe.read()
    theirs = {written[start : start + 16] for start in range(0, len(written), 16)}
    assert len(own | theirs) == 150
