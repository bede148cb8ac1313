"""The stream's route: one view, called in a thread by WSGI servers and awaited by ASGI servers."""

import asyncio
import inspect
import json
import threading
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, RequestFactory
from django.urls import resolve, reverse

from automate_api.engine.storage import in_storage_thread
from automate_api.models import Execution
from automate_api.services.api_keys import issue_key
from automate_api.v1.base import routing
from tests.factories import make_endpoint, make_llm_client, make_provider, make_user
from tests.upstream import TEXT, FakeUpstream

PATH = "/api/v1/modal/endpoints/ask/stream/"


def test_a_thread_resolves_it_to_the_view_itself() -> None:
    match = resolve(PATH)
    assert not inspect.iscoroutinefunction(match.func)
    assert match.view_name == "automate_modal:endpoint-stream"
    assert match.kwargs == {"pk": "ask"}
    assert reverse(match.view_name, kwargs={"pk": "ask"}) == PATH


CHAT = "/api/v1/llm-clients/{}/chat/"


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_one_that_streams_only_where_it_is_asked_to(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    """What is no stream takes long, and must not keep one of the few threads that all requests share."""
    shared: list[str] = []

    async def noted(function: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        shared.append(request.headers["Accept"])
        return await in_storage_thread(function, request, *args, **kwargs)

    monkeypatch.setattr(routing, "in_storage_thread", noted)
    client = make_llm_client(provider=make_provider(base_url=upstream.url))
    _key, text = issue_key(tenant_id="default", user=client.owner, name="x", scopes=["llm-clients:run"])

    async def ask() -> None:
        headers = {"Authorization": f"Bearer {text}", "Accept": accept}
        path, body = CHAT.format(client.pk), {"input": "Hello"}
        answer = await AsyncClient().post(path, body, content_type="application/json", headers=headers)
        assert answer.headers["Content-Type"].startswith(accept)
        if answer.streaming:
            assert b"event: final" in b"".join([piece async for piece in answer.streaming_content])

    async_to_sync(ask)()
    assert Execution.objects.get().output["text"] == TEXT
    assert shared == ([accept] if accept == "text/event-stream" else [])


async def test_an_event_loop_resolves_it_to_a_coroutine_function_with_the_views_marks() -> None:
    func = resolve(PATH).func
    plain = await asyncio.to_thread(lambda: resolve(PATH).func)
    assert inspect.iscoroutinefunction(func)
    assert func.csrf_exempt is plain.csrf_exempt is True
    assert func._non_atomic_requests == plain._non_atomic_requests == {"default"}
    assert func.cls is plain.cls


@pytest.mark.django_db
@pytest.mark.parametrize("atomic", [False, True])
def test_it_streams_to_djangos_async_client_within_a_tests_transaction(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)
    client = make_llm_client(provider=make_provider(base_url=upstream.url))
    make_endpoint(slug="ask", llm_client=client)
    _key, text = issue_key(tenant_id="default", user=make_user(), name="x", scopes=["endpoints:run"])

    async def stream() -> str:
        headers = {"Authorization": f"Bearer {text}"}
        answer = await AsyncClient().post(PATH, {"input": "Hello"}, content_type="application/json", headers=headers)
        return b"".join([piece async for piece in answer.streaming_content]).decode()

    events = async_to_sync(stream)().split("\n\n")
    final = json.loads(events[-2].partition("data: ")[2])
    assert final["output"]["text"] == TEXT
    assert Execution.objects.get().status == Execution.Status.SUCCEEDED
    assert Execution.objects.get().prompt_log.response == TEXT


@pytest.mark.parametrize(("content_type", "threads"), [
    ("application/json", "automate-storage"), ("multipart/form-data", "automate-files"),
])  # fmt: skip
async def test_what_uses_files_has_threads_of_its_own(content_type: str, threads: str) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(threading.current_thread().name)

    pattern = routing.StreamPattern("x/", view, name="x", handles_files=routing.is_form)
    match = pattern.resolve("x/")
    assert match is not None
    async with ThreadSensitiveContext():
        answer = await match.func(RequestFactory().post("/x/", b"x", content_type=f"{content_type}; boundary=x"))
    assert answer.content.decode().startswith(threads)


@pytest.mark.parametrize("path", ["/api/v1/artifacts/x/download/", "/api/v1/modal/artifacts/x/download/", PATH])
async def test_so_do_the_routes_of_files(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    called = []

    async def in_file_thread(view: Any, request: Any, **kwargs: Any) -> None:
        called.append(request)

    monkeypatch.setattr(routing, "in_file_thread", in_file_thread)
    form = RequestFactory().post(path, b"x", content_type="multipart/form-data; boundary=x")
    async with ThreadSensitiveContext():
        await resolve(path).func(form)
    assert called == [form]
