"""The stream of a job's log by itself: comments in its silence, and what becomes of it when it is left."""

import asyncio
import gc
import threading
from typing import Any

import pytest

from automate_api.engine.transports import COMMENT
from automate_api.models import Job
from automate_api.services import job_feed
from automate_api.services.job_feed import Feed
from automate_api.v1 import job_events
from automate_api.v1.job_events import JobEventStream

HEAD = b"retry: 1000\n\n"


@pytest.fixture(autouse=True)
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    """One without a thread, and streams that are soon silent; the log is empty."""
    feed = Feed()
    feed._thread = threading.current_thread()
    monkeypatch.setattr(job_feed, "feed", feed)
    monkeypatch.setattr(job_events, "WSGI_SILENCE", 0.01)
    monkeypatch.setattr(job_events, "ASGI_SILENCE", 0.01)
    monkeypatch.setattr(job_events, "read_frames", lambda job_id, after: [])
    return feed


def stream(*, is_async: bool) -> Any:
    return JobEventStream(Job(), after=0, is_async=is_async)


def test_a_silent_stream_sends_comments_over_wsgi(feed: Feed) -> None:
    response = stream(is_async=False)
    content = iter(response.streaming_content)
    assert [next(content) for _ in range(3)] == [HEAD, COMMENT, COMMENT]
    response.close()
    assert not [channel for channel in feed._channels.values() if channel.listeners]


async def test_a_silent_stream_sends_comments_over_asgi(feed: Feed) -> None:
    response = stream(is_async=True)
    content = aiter(response.streaming_content)
    assert [await anext(content) for _ in range(3)] == [HEAD, COMMENT, COMMENT]
    response.close()
    assert not [channel for channel in feed._channels.values() if channel.listeners]


async def test_it_is_woken_by_the_feed_and_not_by_the_clock(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "ASGI_SILENCE", 3600)
    response = stream(is_async=True)
    content = aiter(response.streaming_content)
    assert await anext(content) == HEAD
    waiting = asyncio.ensure_future(anext(content, None))
    (channel,) = feed._channels.values()
    channel.has_ended = True
    (listener,) = channel.listeners
    await asyncio.to_thread(listener.wake)
    assert await waiting is None


async def test_a_stream_that_is_cancelled_listens_no_more(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "ASGI_SILENCE", 3600)
    response = stream(is_async=True)
    content = aiter(response.streaming_content)
    assert await anext(content) == HEAD
    waiting = asyncio.ensure_future(anext(content))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert feed._channels == {}


def test_a_stream_that_is_dropped_unclosed_listens_no_more(feed: Feed) -> None:
    response = stream(is_async=False)
    assert next(iter(response.streaming_content)) == HEAD
    del response
    gc.collect()
    assert not [channel for channel in feed._channels.values() if channel.listeners]


def test_a_stream_that_never_began_never_listened(feed: Feed) -> None:
    stream(is_async=False).close()
    assert feed._channels == {}


def test_a_loop_that_is_gone_is_not_woken() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    job_events._tell(loop, asyncio.Event())
