"""Where event loops use the ORM, and files."""

import asyncio
import contextvars
import threading
from typing import IO, Any
from uuid import uuid4

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync
from django.db import connection, transaction

from automate_api.engine.artifacts import ReadArtifact
from automate_api.engine.capability import RunContext
from automate_api.engine.storage import THREADS, in_storage_thread, release_connections
from automate_api.models import Provider
from tests.factories import make_provider

who = contextvars.ContextVar("who", default="nobody")


async def test_requests_share_a_few_threads() -> None:
    async def request() -> str:
        async with ThreadSensitiveContext():
            return await in_storage_thread(lambda: threading.current_thread().name)

    names = await asyncio.gather(*[request() for _ in range(THREADS * 4)])
    assert 1 <= len(set(names)) <= THREADS
    assert all(name.startswith("automate-storage") for name in names)


async def test_the_context_goes_along_and_does_not_stay() -> None:
    async with ThreadSensitiveContext():
        who.set("ann")
        assert await in_storage_thread(who.get) == "ann"
    who.set("nobody")
    async with ThreadSensitiveContext():
        assert {await in_storage_thread(who.get) for _ in range(THREADS)} == {"nobody"}


async def test_what_is_raised_is_raised() -> None:
    async with ThreadSensitiveContext():
        with pytest.raises(ZeroDivisionError):
            await in_storage_thread(lambda: 1 / 0)


@pytest.mark.django_db
def test_a_tests_transaction_is_seen_where_there_is_no_request() -> None:
    make_provider(slug="seen")
    assert async_to_sync(in_storage_thread)(Provider.objects.get).slug == "seen"


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_released_but_not_in_the_midst_of_a_transaction() -> None:
    with transaction.atomic():
        make_provider()
        release_connections()
        assert connection.connection is not None
    release_connections()
    assert connection.connection is None


@pytest.mark.django_db(transaction=True)
async def test_the_threads_keep_connections_only_as_long_as_the_host_says() -> None:
    def connected() -> bool:
        Provider.objects.exists()
        release_connections()
        return connection.connection is not None

    async with ThreadSensitiveContext():
        # Released by its own thread it would be opened anew for each step; CONN_MAX_AGE, here 0, ends it afterwards.
        assert await in_storage_thread(connected)
        kept = [await in_storage_thread(lambda: connection.connection is not None) for _ in range(THREADS)]
        assert kept == [False] * THREADS


class HangingStore:
    """Files in a storage that does not answer until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def read(self, artifact_id: str, *, max_bytes: int) -> ReadArtifact:
        self.answers.wait()
        return ReadArtifact("a", "text/plain", b"")

    def write(self, content: IO[bytes], *, name: str, content_type: str) -> dict[str, Any]:
        self.answers.wait()
        return {"id": "1", "kind": "text", "content_type": content_type, "size": 1}


async def test_a_storage_that_hangs_keeps_nobody_waiting_but_for_files() -> None:
    """A loop has 32 threads at most, in which it looks up names of hosts too."""
    store = HangingStore()
    context = RunContext(run_id=uuid4(), tenant_id="t", correlation_id="c", input="", artifacts=store)
    saving = [context.save_artifact(b"x", name="x", content_type="text/plain") for _ in range(20)]
    reading = [context.read_artifact("x", max_bytes=1) for _ in range(20)]
    try:
        async with ThreadSensitiveContext(), asyncio.timeout(20):
            hanging = asyncio.gather(*saving, *reading)
            await asyncio.sleep(0)
            assert await context.db(int) == 0
            assert await in_storage_thread(int) == 0
            assert await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
    finally:
        store.answers.set()
        await hanging
