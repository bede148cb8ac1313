"""Threads in which event loops use the ORM, and those in which they use files."""

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")

#: Threads for all requests of a process. The ORM's work is mostly Python's, so more of them would not do more.
THREADS = 8
#: Others for files: a storage that does not answer keeps nobody waiting but for files.
FILE_THREADS = 8

_ORM, _FILES = "automate-storage", "automate-files"

_pools: dict[str, ThreadPoolExecutor] = {}
# More than one loop may run in a process.
_making = threading.Lock()


class _Here(threading.local):
    is_storage_thread = False


_here = _Here()


async def in_storage_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`, which uses the ORM, in one of a few threads that all requests of this process share.

    An ASGI server gives each request a thread with database connections of its own, to be opened each time. These
    threads keep theirs for as long as `CONN_MAX_AGE` says. Where a request has no thread of its own, as with Django's
    test client, the function is called where Django calls synchronous views: a test's transaction is open there.
    """
    if not has_request_thread():
        return await sync_to_async(function)(*args, **kwargs)
    return await _call_in(_threads(_ORM, THREADS), function, args, kwargs)


async def in_file_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`, which reads or writes files and may use the ORM, in one of a few threads that do only this."""
    return await _call_in(_threads(_FILES, FILE_THREADS), function, args, kwargs)


def has_request_thread() -> bool:
    """Whether the request has a thread of its own, as those of ASGI servers have."""
    return SyncToAsync.thread_sensitive_context.get(None) is not None


async def _call_in(threads: ThreadPoolExecutor, function: Callable[..., T], args: Any, kwargs: Any) -> T:
    context = contextvars.copy_context()
    call = asyncio.get_running_loop().run_in_executor
    return await call(threads, lambda: context.run(_in_good_order, function, args, kwargs))


async def release_request_thread() -> None:
    """End the thread in which an ASGI server's request has had its middleware called, before a long wait.

    With it go the database connections that a middleware has opened there. It is made again where Django needs it.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    # One that somebody has brought along is theirs.
    is_given = getattr(context, "_executor", None) is not None
    if context is None or is_given or context not in SyncToAsync.context_to_thread_executor:
        return
    await sync_to_async(release_connections)()
    thread = SyncToAsync.context_to_thread_executor.pop(context, None)
    if thread is not None:
        thread.shutdown(wait=False)


def release_connections() -> None:
    """Let go of this thread's database connections, of which a server has only so many, before a long wait.

    Those of a transaction stay, and those of the threads here; and SQLite's, which are no more than open files, where
    the thread keeps them between requests anyway.
    """
    if _here.is_storage_thread:
        return
    for connection in connections.all(initialized_only=True):
        kept = connection.vendor == "sqlite" and connection.settings_dict["CONN_MAX_AGE"] is None
        if not kept and not connection.in_atomic_block:
            connection.close()


def _threads(name: str, number: int) -> ThreadPoolExecutor:
    with _making:
        if name not in _pools:
            _pools[name] = ThreadPoolExecutor(number, name, _mark)
        return _pools[name]


def _mark() -> None:
    _here.is_storage_thread = True


def _in_good_order(function: Callable[..., T], args: Any, kwargs: Any) -> T:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


def _forget_threads() -> None:
    # A child of a fork has none of them.
    global _making
    _making = threading.Lock()
    _pools.clear()


os.register_at_fork(after_in_child=_forget_threads)
