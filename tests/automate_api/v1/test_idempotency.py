"""`Idempotency-Key`: what is sent again is answered again and not carried out again."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from automate_api.models import APIKey, Execution, IdempotencyKey, Provider
from automate_api.services import leases
from automate_api.v1.base import BaseAPIView
from tests.factories import make_endpoint, make_llm_client, make_provider, make_user
from tests.hosts.shop.models import Item
from tests.hosts.shop.people import signed_in, with_key
from tests.upstream import FakeUpstream

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.guarded.urls")]

REPLAYED = "Idempotent-Replayed"


def send(client: APIClient, path: str, body: Any = None, key: str = "k-1", **options: Any) -> Any:
    options.setdefault("format", "json")
    return client.post(path, body, headers={"Idempotency-Key": key}, **options)


def whole(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


def test_the_second_request_has_the_first_ones_answer_and_does_nothing() -> None:
    client = signed_in()
    first, second = (send(client, "/items/", {"name": "x"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Content-Type"] == first.headers["Content-Type"] == "application/json"
    assert (first.headers.get(REPLAYED), second.headers[REPLAYED]) == (None, "true")
    assert first.headers["X-Correlation-ID"] != second.headers["X-Correlation-ID"]
    assert Item.objects.count() == 1


def test_without_a_key_every_request_is_carried_out() -> None:
    client = signed_in()
    for _ in range(2):
        client.post("/items/", {"name": "x"}, format="json")
    assert (Item.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


def test_another_body_under_the_same_key_is_422() -> None:
    client = signed_in()
    send(client, "/items/", {"name": "x"})
    answer = send(client, "/items/", {"name": "y"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Item.objects.count() == 1


@pytest.mark.parametrize("path", ["/items/busy/", "/items/?x=1", "/cross/"])
def test_so_is_another_path(path: str) -> None:
    client = signed_in()
    body = {"name": "x", "status": 200}
    send(client, "/items/", body)
    assert send(client, path, body).status_code in {400, 422}
    assert Item.objects.count() == 1


def test_the_same_json_in_other_words_is_the_same_body() -> None:
    client = signed_in()
    texts = ('{"name": "x", "rank": 1}', '{ "rank":1,\n"name":"\\u0078" }')
    for text in texts:
        assert send(client, "/items/", text, format=None, content_type="application/json").status_code == 201
    assert Item.objects.count() == 1


@pytest.mark.parametrize(
    ("one", "other"), [([["a"], "b"], ["a", ["b"]]), ("1", 1), (None, False), ({"a": 1}, [["a", 1]])]
)
def test_bodies_that_differ_only_in_structure_differ(one: Any, other: Any) -> None:
    client = signed_in()
    send(client, "/items/", {"name": "x", "more": one})
    assert send(client, "/items/", {"name": "x", "more": other}).status_code == 422


def test_a_key_belongs_to_its_caller() -> None:
    for client in (signed_in(), signed_in()):
        assert REPLAYED not in send(client, "/items/", {"name": "x"}).headers
    assert Item.objects.count() == 2


def test_a_user_in_two_tenants_is_two_callers() -> None:
    user = make_user()
    for tenant in ("acme", "globex"):
        assert REPLAYED not in send(with_key(user=user, tenant_id=tenant), "/items/", {"name": "x"}).headers


def test_a_key_without_the_right_is_refused_the_stored_answer() -> None:
    user = make_user()
    send(signed_in(user=user), "/items/", {"name": "x"})
    assert send(with_key(user=user, scopes=["items:read"]), "/items/", {"name": "x"}).status_code == 403


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve", " ", "a\tb"])
def test_a_key_that_is_none_is_a_400(key: str) -> None:
    answer = send(signed_in(), "/items/", {"name": "x"}, key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Item.objects.exists()


@pytest.mark.parametrize("key", ["x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b", "'; DROP TABLE x; --"])
def test_any_other_printable_text_is_one(key: str) -> None:
    client = signed_in()
    assert [send(client, "/items/", {"name": "x"}, key).status_code for _ in range(2)] == [201, 201]
    assert Item.objects.count() == 1


def test_a_refused_body_is_refused_again_in_the_same_words() -> None:
    client = signed_in()
    first, second = (send(client, "/items/", {}) for _ in range(2))
    assert first.status_code == second.status_code == 400
    assert first.content == second.content
    assert second.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_worth_another_try_is_not_kept(status: int) -> None:
    client = signed_in()
    for _ in range(2):
        assert REPLAYED not in send(client, "/items/busy/", {"status": status}).headers
    assert (Item.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


@pytest.mark.parametrize("status", [200, 202, 204, 404, 409])
def test_every_other_answer_is_kept_with_the_headers_that_are_part_of_it(status: int) -> None:
    client = signed_in()
    first, second = (send(client, "/items/busy/", {"status": status}) for _ in range(2))
    assert first.status_code == second.status_code == status
    assert (second.headers["Retry-After"], second.headers.get("X-Own")) == ("3", None)
    assert Item.objects.count() == 1


def sent_to(view: type[BaseAPIView], *, user: Any) -> Any:
    """The answer of the view itself, as Django's handler gets it: not rendered."""
    request = APIRequestFactory().post("/", {}, format="json", headers={"Idempotency-Key": "k-1"})
    force_authenticate(request, user)
    return view.as_view()(request)


def test_an_answer_that_the_server_drops_since_its_client_left_is_kept() -> None:
    class Once(BaseAPIView):
        def post(self, request: Request) -> Response:
            return Response({"id": Item.objects.create(name="once").pk})

    user = make_user()
    sent_to(Once, user=user)
    again = sent_to(Once, user=user)
    assert (again.status_code, again.headers[REPLAYED], Item.objects.count()) == (200, "true", 1)


def test_an_answer_that_cannot_be_rendered_leaves_its_key_free() -> None:
    class Unfit(BaseAPIView):
        def post(self, request: Request) -> Response:
            return Response({1 + 1j: "no JSON"})

    assert sent_to(Unfit, user=make_user()).status_code == 500
    assert not IdempotencyKey.objects.exists()


def test_an_answer_keeps_what_says_how_to_read_it_and_gains_nothing() -> None:
    class Empty(BaseAPIView):
        def post(self, request: Request) -> Response:
            return Response(status=204)

    class Packed(BaseAPIView):
        def post(self, request: Request) -> HttpResponse:
            headers = {"Content-Encoding": "br", "Content-Disposition": "attachment", "Content-Language": "cs"}
            headers["Preference-Applied"] = "respond-async"
            return HttpResponse(b"packed", content_type="application/json", headers=headers)

    for view in (Empty, Packed):
        user = make_user()
        first, second = sent_to(view, user=user), sent_to(view, user=user).render()
        assert first.content == second.content
        said, said_again = (
            {name: text for name, text in answer.headers.items() if name not in {"X-Correlation-ID", REPLAYED}}
            for answer in (first, second)
        )
        assert said == said_again


def test_a_hosts_last_word_on_answers_is_had_once_and_fails_at_none() -> None:
    class Enveloped(BaseAPIView):
        def post(self, request: Request) -> Response:
            return Response({"a": 1})

        def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
            response.data = {"data": {**response.data}}
            return super().finalize_response(request, response, *args, **kwargs)

    user = make_user()
    first, second = (sent_to(Enveloped, user=user).render() for _ in range(2))
    assert first.content == second.content == b'{"data":{"a":1}}'
    assert second.headers[REPLAYED] == "true"


def test_a_user_that_is_no_row_of_its_table_but_names_one_is_that_one() -> None:
    """Such as those of a host's tokens that need no query."""
    row = make_user()
    for user in (row, SimpleNamespace(pk=row.pk, is_authenticated=True)):
        answer = sent_to(type("Named", (BaseAPIView,), {"post": lambda self, request: Response({})}), user=user)
        assert answer.status_code == 200
    assert answer.headers[REPLAYED] == "true"


def test_an_answer_of_any_bytes_is_kept() -> None:
    client = signed_in()
    first, second = (send(client, "/items/plain/") for _ in range(2))
    assert first.content == second.content == b"\xff\x00plain"
    assert second.headers["Content-Type"] == "application/octet-stream"


def test_an_answer_too_large_to_keep_is_not_worked_out_again() -> None:
    client = signed_in()
    size = 1_000_000 - len('{"text":""}')
    assert [len(send(client, "/items/large/", {"size": size}, "a").content) for _ in range(2)] == [1_000_000] * 2
    assert send(client, "/items/large/", {"size": size + 1}, "b").status_code == 200
    again = send(client, "/items/large/", {"size": size + 1}, "b")
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_answer_gone")
    assert Item.objects.count() == 2


def test_neither_is_a_stream_that_is_not_ours() -> None:
    client = signed_in()
    assert whole(send(client, "/items/stream/")) == b"ab"
    assert send(client, "/items/stream/").json()["code"] == "idempotency_answer_gone"
    assert Item.objects.count() == 1


def test_uploads_are_the_same_by_their_content_and_can_still_be_read() -> None:
    client = signed_in()

    def upload(content: bytes) -> Any:
        body = {"name": "x", "file": SimpleUploadedFile("a.txt", content)}
        return send(client, "/items/upload/", body, format="multipart")

    assert [upload(b"hello").json() for _ in range(2)] == [{"size": 5}] * 2
    assert upload(b"other").status_code == 422
    assert Item.objects.count() == 1


def test_a_request_at_work_is_a_409() -> None:
    client = signed_in()
    send(client, "/items/", {"name": "x"})
    IdempotencyKey.objects.update(completed_at=None)
    answer = send(client, "/items/", {"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
    assert send(client, "/items/", {"name": "y"}).status_code == 422


def test_one_whose_process_died_is_carried_out_by_the_next() -> None:
    client = signed_in()
    send(client, "/items/", {"name": "x"})
    IdempotencyKey.objects.update(completed_at=None, leased_until=F("leased_until") - timedelta(seconds=31))
    assert REPLAYED not in send(client, "/items/", {"name": "x"}).headers
    assert send(client, "/items/", {"name": "x"}).headers[REPLAYED] == "true"
    assert Item.objects.count() == 2


def test_a_key_is_kept_for_a_day_and_then_is_anybodys() -> None:
    client = signed_in()
    send(client, "/items/", {"name": "x"})
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=23, minutes=59))
    assert send(client, "/items/", {"name": "x"}).headers[REPLAYED] == "true"
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    assert send(client, "/items/", {"name": "y"}).status_code == 201
    assert (Item.objects.count(), IdempotencyKey.objects.count()) == (2, 1)


def test_other_methods_do_not_read_the_key() -> None:
    client = signed_in()
    item = Item.objects.create(name="x")
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        assert client.patch(f"/items/{item.pk}/", {"name": "y"}, format="json", headers=headers).status_code == 200
        assert client.get("/items/", headers=headers).status_code == 200
    assert not IdempotencyKey.objects.exists()


def test_an_exception_releases_the_key() -> None:
    client = signed_in()
    assert [send(client, "/items/half/").status_code for _ in range(2)] == [500, 500]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True])
def test_the_claim_commits_before_the_work_and_outlives_its_failure(
    atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    seen: list[tuple[bool, bool]] = []
    create = Item.objects.create

    def look(**fields: Any) -> Item:
        seen.append((connection.in_atomic_block, IdempotencyKey.objects.filter(completed_at=None).exists()))
        return create(**fields)

    monkeypatch.setattr(Item.objects, "create", look)
    assert send(signed_in(), "/items/half/").status_code == 500
    assert seen == [(atomic, True)]
    assert Item.objects.count() == (0 if atomic else 1)
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic", [False, True])
def test_an_answer_is_kept_under_atomic_requests_too(atomic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    client = signed_in()
    first, second = (send(client, "/items/", {"name": "x"}) for _ in range(2))
    assert (first.content, second.headers[REPLAYED], Item.objects.count()) == (second.content, "true", 1)


# -- the package's routes --------------------------------------------------------------------------------------------


def test_a_run_sent_again_is_one_run(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/endpoints/{endpoint(upstream).pk}/run/"
    first, second = (send(client, path, {"input": "Hello"}) for _ in range(2))
    assert (first.status_code, second.content) == (200, first.content)
    assert Execution.objects.count() == 1


def test_a_run_that_failed_upstream_is_run_again(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/endpoints/{endpoint(upstream, 'status:500').pk}/run/"
    assert [send(client, path, {"input": "Hello"}).status_code for _ in range(2)] == [502, 502]
    assert Execution.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_stream_sent_again_is_its_terminal_event(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/modal/endpoints/{endpoint(upstream).pk}/stream/"
    first, second = (send(client, path, {"input": "Hello"}) for _ in range(2))
    events = whole(first).split(b"\n\n")
    second = send(client, path, {"input": "Hello"})
    assert second.content == events[-2] + b"\n\n"
    assert b"event: final" in second.content
    assert second.headers["Content-Type"] == "text/event-stream"
    assert second.headers[REPLAYED] == "true"
    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_stream_at_work_is_a_409_until_it_ends(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/modal/endpoints/{endpoint(upstream).pk}/stream/"
    first = send(client, path, {"input": "Hello"})
    assert send(client, path, {"input": "Hello"}).json()["code"] == "idempotency_in_flight"
    whole(first)
    assert send(client, path, {"input": "Hello"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_stream_that_failed_upstream_is_run_again(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/modal/endpoints/{endpoint(upstream, 'status:500').pk}/stream/"
    for _ in range(2):
        assert b"event: error" in whole(send(client, path, {"input": "Hello"}))
    assert Execution.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_stream_whose_client_left_is_answered_as_cancelled(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/modal/endpoints/{endpoint(upstream, 'gated:5').pk}/stream/"
    left = send(client, path, {"input": "Hello"})
    next(left.streaming_content)
    left.close()
    again = send(client, path, {"input": "Hello"})
    assert b"event: cancelled" in again.content
    assert Execution.objects.get().status == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_stream_that_nobody_began_releases_its_key(upstream: FakeUpstream) -> None:
    client = with_key()
    path = f"/api/v1/modal/endpoints/{endpoint(upstream).pk}/stream/"
    send(client, path, {"input": "Hello"}).close()
    assert not IdempotencyKey.objects.exists()
    assert not Execution.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_renewed_from_the_streams_first_step_to_its_last(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ASGI Django drops a stream unclosed where the client leaves while the view runs."""
    monkeypatch.setattr(leases, "keeper", leases.LeaseKeeper())
    path = f"/api/v1/modal/endpoints/{endpoint(upstream, 'gated:1').pk}/stream/"
    answer = send(with_key(), path, {"input": "Hello"})
    assert len(leases.keeper._leases) == 0
    next(answer.streaming_content)
    assert {type(lease).__name__ for lease in leases.keeper._leases} == {"Claim", "Recorder"}
    for _ in range(10):
        upstream.allow()
    whole(answer)
    assert len(leases.keeper._leases) == 0
    assert IdempotencyKey.objects.get().completed_at


def test_an_answer_that_shows_a_secret_once_is_stored_encrypted_and_shown_again_to_its_caller() -> None:
    client = with_key(is_staff=True)
    body = {"name": "ci", "scopes": ["endpoints:run"]}
    first, second = (send(client, "/api/v1/api-keys/", body) for _ in range(2))
    assert first.json()["api_key"] == second.json()["api_key"]
    assert second.headers["Cache-Control"] == "no-store"
    assert APIKey.objects.filter(name="ci").count() == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {IdempotencyKey._meta.db_table}")
        assert first.json()["api_key"][37:] not in repr(cursor.fetchall())


def test_without_an_encryption_key_the_answer_is_given_and_not_kept(settings: Settings) -> None:
    settings.AUTOMATE_API_ENCRYPTION_KEYS = []
    client = with_key(is_staff=True)
    body = {"name": "ci", "scopes": ["endpoints:run"]}
    assert send(client, "/api/v1/api-keys/", body).status_code == 201
    assert send(client, "/api/v1/api-keys/", body).json()["code"] == "idempotency_answer_gone"


@pytest.mark.parametrize("path", ["rotate", "revoke"])
def test_what_changes_a_key_is_done_once(path: str) -> None:
    client = with_key(is_staff=True)
    key = client.post("/api/v1/api-keys/", {"name": "ci", "scopes": ["*"]}, format="json").json()["id"]
    first, second = (send(client, f"/api/v1/api-keys/{key}/{path}/") for _ in range(2))
    assert (first.status_code, first.content, second.headers[REPLAYED]) == (200, second.content, "true")


def test_a_provider_is_made_once_and_its_key_is_nowhere_in_clear() -> None:
    client = with_key(is_staff=True)
    secret = f"sk-{uuid4().hex}"
    body = {"name": "p", "base_url": "https://model.example/v1", "api_key": secret}
    for _ in range(2):
        assert send(client, "/api/v1/providers/", body).status_code == 201
    assert Provider.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {IdempotencyKey._meta.db_table}")
        assert secret not in repr(cursor.fetchall())


def endpoint(upstream: FakeUpstream, model: str = "chat") -> Any:
    provider = make_provider(base_url=upstream.url)
    return make_endpoint(llm_client=make_llm_client(provider=provider, model=model))
