"""Routes of views that an ASGI server shall not give a thread for as long as they stream."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.urls import ResolverMatch, URLPattern
from django.urls.resolvers import RoutePattern

from automate_api.engine.storage import has_request_thread, in_file_thread, in_storage_thread

View = Callable[..., HttpResponseBase]
Streams = Callable[[Any], bool]


class StreamPattern(URLPattern):
    """As `path()` makes, of a synchronous view that returns quickly and leaves the work to its response.

    `route` is as for `path()`, or a pattern that Django has made of one.

    Under ASGI Django calls such a view in a thread that the request keeps to its end. Where this route is resolved on
    an event loop, which is what ASGI means, the view is called in one of the few threads that use the ORM instead.

    `streams` tells of a request whether the view answers it with a stream, where it has other answers too, which it
    does not return quickly; those are given as Django gives them. `handles_files` tells whether the view uses files:
    it is called in one of the threads for that.
    """

    def __init__(
        self,
        route: Any,
        view: View,
        *,
        name: str | None,
        streams: Streams | None = None,
        handles_files: Streams | None = None,
    ) -> None:
        pattern = RoutePattern(route, name=name, is_endpoint=True) if isinstance(route, str) else route
        super().__init__(pattern, view, name=name)
        self._on_loop = _on_loop(view, streams, handles_files)

    @classmethod
    def among(cls, routes: Iterable[Any], *names: str, **how: Streams | None) -> Iterator[Any]:
        """The `routes` of a router, those with these names as such patterns; `how` as for one of them."""
        for route in routes:
            is_one = route.name in names
            yield cls(route.pattern, route.callback, name=route.name, **how) if is_one else route

    def resolve(self, path: str) -> ResolverMatch | None:
        """The match, whose `func` is a coroutine function on an event loop."""
        match = super().resolve(path)
        if match is not None and _is_on_loop():
            match.func = self._on_loop
        return match


def always(request: Any) -> bool:
    """For `handles_files` of a view that always does."""
    return True


def is_form(request: Any) -> bool:
    """Whether files may come with the request."""
    return bool(request.content_type == "multipart/form-data")


def _on_loop(view: View, streams: Streams | None, handles_files: Streams | None) -> Callable[..., Any]:
    @wraps(view)
    async def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if streams is not None and not streams(request):
            return await sync_to_async(view, thread_sensitive=True)(request, *args, **kwargs)
        if handles_files is not None and handles_files(request) and has_request_thread():
            return await in_file_thread(view, request, *args, **kwargs)
        return await in_storage_thread(view, request, *args, **kwargs)

    return call


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
