"""Streams over real sockets, from real servers, with a model server that sends only when it is told to."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers import SERVERS, Served, environment, seed, served, until
from tests.upstream import TEXT, FakeUpstream

LEAVERS = 200


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model_server: FakeUpstream
) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    env = environment(f"sqlite:///{folder}/db.sqlite3", SERVED_PRIVATE_HOSTS=model_server.host)
    with served(request.param, env, seed(env), folder / "server.log") as running:
        yield running


def tokens_of(events: list[tuple[str, Any]]) -> str:
    return "".join(data["text"] for kind, data in events if kind == "token")


def test_a_stream_is_the_whole_answer_and_is_stored_when_it_ends(server: Served, model_server: FakeUpstream) -> None:
    with server.stream(server.make_endpoint(model_server.url, "chat")) as stream:
        assert stream.response.status == 200
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        events = list(stream.events())
        correlation_id = stream.response.headers["X-Correlation-ID"]
    assert [events[0][0], events[-1][0]] == ["started", "final"]
    assert tokens_of(events) == TEXT == events[-1][1]["output"]["text"]
    _status, page = server.call("GET", f"/api/v1/executions/?correlation_id={correlation_id}")
    assert [row["status"] for row in page["results"]] == ["succeeded"]


def test_a_chat_without_an_endpoint_is_a_stream_too(server: Served, model_server: FakeUpstream) -> None:
    """The model server sends the next piece only after the client has read the one before."""
    endpoint = server.make_endpoint(model_server.url, "gated:3")
    client = server.call("GET", f"/api/v1/endpoints/{endpoint}/")[1]["llm_client"]
    with server.chat(client) as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        assert stream.event() == ("started", {"attempt": 1})
        model_server.allow()  # the event that only names the role
        for number in range(3):
            model_server.allow()
            assert stream.event() == ("token", {"text": f"{number} "})
        for _ in range(4):
            model_server.allow()
        kind, data = stream.event() or ("", {})
        assert (kind, data["output"]["text"]) == ("final", "0 1 2 ")
        assert stream.event() is None
    assert server.running() == 0


def test_a_chat_ends_with_its_client(server: Served, model_server: FakeUpstream) -> None:
    endpoint = server.make_endpoint(model_server.url, "gated:7")
    client = server.call("GET", f"/api/v1/endpoints/{endpoint}/")[1]["llm_client"]
    with server.chat(client) as stream:
        assert stream.event() == ("started", {"attempt": 1})
    assert until(lambda: server.running() == 0)
    _status, page = server.call("GET", "/api/v1/executions/?status=cancelled")
    assert any(row["llm_client"] == client and row["endpoint"] is None for row in page["results"])


def test_a_stream_sent_again_under_its_key_is_its_terminal_event(server: Served, model_server: FakeUpstream) -> None:
    path = f"/api/v1/modal/endpoints/{server.make_endpoint(model_server.url, 'chat')}/stream/"
    key = {"Idempotency-Key": "once"}
    with server.send("POST", path, {"input": "Hello"}, **key) as stream:
        *_before, last = stream.events()
    with server.send("POST", path, {"input": "Hello"}, **key) as again:
        assert again.response.headers["Idempotent-Replayed"] == "true"
        assert list(again.events()) == [last]


def test_a_stream_comes_chunk_by_chunk(server: Served, model_server: FakeUpstream) -> None:
    """The model server sends the next piece only after the client has read the one before."""
    with server.stream(server.make_endpoint(model_server.url, "gated:5")) as stream:
        assert stream.event() == ("started", {"attempt": 1})
        model_server.allow()  # the event that only names the role
        for number in range(5):
            model_server.allow()
            assert stream.event() == ("token", {"text": f"{number} "})
        for _ in range(4):
            model_server.allow()
        kind, data = stream.event() or ("", {})
        assert (kind, data["output"]["text"]) == ("final", "0 1 2 3 4 ")
        assert stream.event() is None


def test_an_upstream_that_breaks_ends_the_stream_with_an_error(server: Served, model_server: FakeUpstream) -> None:
    with server.stream(server.make_endpoint(model_server.url, "break:cut:0.6:chunked")) as stream:
        events = list(stream.events())
    kind, data = events[-1]
    assert (kind, data["code"]) == ("error", "upstream_broke_off")
    assert data["partial"] == tokens_of(events)
    assert data["partial"]
    assert TEXT.startswith(data["partial"])


def test_a_client_that_leaves_mid_stream_stops_the_upstream(server: Served, model_server: FakeUpstream) -> None:
    endpoint = server.make_endpoint(model_server.url, "gated:9")
    stream = server.stream(endpoint)
    assert stream.event() == ("started", {"attempt": 1})
    model_server.allow()
    model_server.allow()
    assert stream.event() == ("token", {"text": "0 "})
    upstream = model_server.requests[-1].connection
    stream.leave()
    assert upstream.closed.wait(10)
    assert upstream.closed_by_client
    assert until(lambda: server.running() == 0)
    newest = server.call("GET", "/api/v1/executions/?page_size=1")[1]["results"][0]
    assert (newest["status"], newest["output"]) == ("cancelled", {"partial": "0 "})


def test_clients_that_leave_before_the_first_byte_leave_nothing_behind(
    server: Served, model_server: FakeUpstream, record_property: Any
) -> None:
    """Half of them leave at once, half when the model server has been called and is silent."""
    endpoint = server.make_endpoint(model_server.url, "silent")
    slowest = 0.0
    for _ in range(LEAVERS // 50):
        for _ in range(25):
            server.leave_early(endpoint).close()
        seen = len(model_server.requests)
        waiting = [server.leave_early(endpoint) for _ in range(25)]
        assert model_server.until(lambda count=seen + 25: len(model_server.requests) >= count)
        for client in waiting:
            client.close()
        left = time.monotonic()
        assert model_server.until(lambda: not model_server.open_connections)
        slowest = max(slowest, time.monotonic() - left)
    record_property("seconds from leaving to the last upstream connection closed", round(slowest, 2))
    print(f"slowest of {LEAVERS} leavers: {slowest:.2f} s until the model server was let go")
    assert until(lambda: server.running() == 0)
    assert until(lambda: server.held() == {"runs": 0, "tasks": 0}), server.held()
    assert model_server.open_connections == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_waiting_stream_holds_no_database_connection(
    name: str, tmp_path: Path, postgres_url: str, model_server: FakeUpstream
) -> None:
    env = environment(postgres_url, SERVED_PRIVATE_HOSTS=model_server.host)
    with served(name, env, seed(env), tmp_path / "server.log") as server:
        endpoint, seen = server.make_endpoint(model_server.url, "silent"), len(model_server.requests)
        with contextlib.ExitStack() as clients:
            for _ in range(20):
                clients.enter_context(server.leave_early(endpoint))
            assert model_server.until(lambda: len(model_server.requests) >= seen + 20)
            require_no_connection(postgres_url)
        assert until(lambda: server.running() == 0)


def require_no_connection(postgres_url: str) -> None:
    """Nobody else is connected to the database, or will soon be."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert until(lambda: (connection.execute(query).fetchone() or [99])[0] == 0)
