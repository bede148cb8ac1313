"""Calls in threads of their own, begun at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from automate_api.exceptions import AutomateError


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What came of each, in their order: what it returned, or the error of ours that it raised."""
    results: dict[int, Any] = {}
    start = threading.Barrier(len(calls))

    def work(number: int) -> None:
        try:
            start.wait(timeout=30)
            results[number] = calls[number]()
        except AutomateError as exc:
            results[number] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return [results[number] for number in range(len(calls))]
