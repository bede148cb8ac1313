"""What is left in a server's process."""

import asyncio
import gc
from zipfile import ZipFile

from django.http import HttpRequest, JsonResponse

from automate_api.engine.driver import Run


def held(request: HttpRequest) -> JsonResponse:
    """How many runs have not ended, and how many tasks still drive one."""
    gc.collect()
    things = gc.get_objects()
    runs = [thing for thing in things if isinstance(thing, Run) and thing.end is None]
    tasks = [thing for thing in things if isinstance(thing, asyncio.Task) and not thing.done()]
    drivers = [task for task in tasks if getattr(task.get_coro(), "__qualname__", "") == "Run.drive"]
    return JsonResponse({"runs": len(runs), "tasks": len(drivers)})


def archives(request: HttpRequest) -> JsonResponse:
    """How many zip files are being written."""
    gc.collect()
    return JsonResponse({"count": sum(isinstance(thing, ZipFile) for thing in gc.get_objects())})
