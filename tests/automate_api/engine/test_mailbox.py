"""Events reach their reader whole, in order, and no faster than it reads."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from automate_api.engine.events import EventType, RunEvent
from automate_api.engine.mailbox import SIZE, LoopMailbox, ThreadMailbox
from automate_api.engine.portal import portal

Mailbox = LoopMailbox | ThreadMailbox


def event(number: int) -> RunEvent:
    return RunEvent(EventType.PROGRESS, {"done": number})


def numbers(batch: list[RunEvent]) -> list[int]:
    return [each.data["done"] for each in batch]


async def take(mailbox: Mailbox, silence: float = 5) -> list[RunEvent]:
    if isinstance(mailbox, LoopMailbox):
        return await mailbox.take(silence)
    return await asyncio.to_thread(mailbox.take, silence)


async def put_all(put: Callable[[RunEvent], Awaitable[None]], count: int) -> None:
    for number in range(count):
        await put(event(number))


@pytest.fixture(params=[LoopMailbox, ThreadMailbox])
def mailbox(request: pytest.FixtureRequest) -> Mailbox:
    made: Mailbox = request.param()
    return made


async def test_all_that_waits_is_taken_at_once(mailbox: Mailbox) -> None:
    await put_all(mailbox.put, 3)
    assert numbers(await take(mailbox)) == [0, 1, 2]


async def test_a_reader_waits_for_the_first(mailbox: Mailbox) -> None:
    reading = asyncio.create_task(take(mailbox))
    await asyncio.sleep(0)
    await mailbox.put(event(7))
    assert numbers(await reading) == [7]


async def test_silence_is_an_empty_batch(mailbox: Mailbox) -> None:
    assert await take(mailbox, 0.01) == []
    await mailbox.put(event(1))
    assert numbers(await take(mailbox)) == [1]


async def test_a_writer_waits_for_a_reader_that_is_far_behind(mailbox: Mailbox) -> None:
    writing = asyncio.create_task(put_all(mailbox.put, SIZE + 1))
    for _ in range(SIZE * 2):
        await asyncio.sleep(0)
    assert not writing.done()
    assert len(await take(mailbox)) == SIZE
    await writing
    assert numbers(await take(mailbox)) == [SIZE]


async def test_what_must_be_told_is_told_to_a_full_one(mailbox: Mailbox) -> None:
    writing = asyncio.create_task(put_all(mailbox.put, SIZE))
    for _ in range(SIZE * 2):
        await asyncio.sleep(0)
    writing.cancel()
    mailbox.put_now(event(-1))
    assert numbers(await take(mailbox))[-1] == -1


def test_a_thread_reads_what_the_portal_writes_in_order() -> None:
    mailbox, read = ThreadMailbox(), list[int]()
    writing = portal.submit(put_all(mailbox.put, 20_000))
    while len(read) < 20_000:
        batch = mailbox.take(5)
        assert 0 < len(batch) <= SIZE + 1
        read += numbers(batch)
    assert read == list(range(20_000))
    writing.result(20)


async def test_a_reader_that_leaves_loses_nothing_for_the_next() -> None:
    mailbox = LoopMailbox()
    reading = asyncio.create_task(mailbox.take(5))
    await asyncio.sleep(0)
    reading.cancel()
    await mailbox.put(event(1))
    assert numbers(await mailbox.take(5)) == [1]


def test_a_writer_is_woken_from_any_thread() -> None:
    mailbox = ThreadMailbox()
    writing = portal.submit(put_all(mailbox.put, SIZE * 3))
    seen: list[RunEvent] = []

    def read() -> None:
        while len(seen) < SIZE * 3:
            seen.extend(mailbox.take(5))

    reader = threading.Thread(target=read)
    reader.start()
    writing.result(20)
    reader.join(20)
    assert numbers(seen) == list(range(SIZE * 3))
