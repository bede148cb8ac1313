"""`events/`: one or many are taken, checked as REST framework would, and listed to whom they belong."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from automate_api import events
from automate_api.events import on_event
from automate_api.models import Event, Execution, Job
from automate_api.services.attempts import work_on
from automate_api.v1.serializers.events import EventSerializer, plain_event
from tests.factories import make_user
from tests.hosts.shop.people import with_key
from tests.jobs.fixtures import asked  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

URL = "/api/v1/events/"
PAID = {"type": "order.paid", "source": "shop"}


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_registry", {})


@pytest.fixture
def user() -> Any:
    return make_user()


@pytest.fixture
def client(user: Any) -> APIClient:
    return with_key(user=user)


def send(client: APIClient, body: Any, **headers: str) -> Any:
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def errors(answer: Any) -> list[tuple[str, str]]:
    """The fields and codes of a 400, which has stored nothing."""
    assert answer.status_code == 400, answer.content
    assert Event.objects.count() == 0
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


# -- taken -----------------------------------------------------------------------------------------------------------


def test_one_is_answered_as_one(client: APIClient, user: Any) -> None:
    answer = send(client, {**PAID, "payload": {"order": 7}, "idempotency_key": "k"}, **{"X-Correlation-ID": "c-7"})
    event = Event.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"id": str(event.pk), "status": "accepted"})
    assert (event.user, event.tenant_id, event.correlation_id, event.payload) == (user, "default", "c-7", {"order": 7})
    again = send(client, {**PAID, "idempotency_key": "k"})
    assert (again.status_code, again.json()) == (201, {"id": str(event.pk), "status": "duplicate"})


def test_many_are_answered_in_their_order(client: APIClient) -> None:
    answer = send(client, [{**PAID, "payload": {"n": n}, "idempotency_key": str(n % 600)} for n in range(1000)])
    taken = answer.json()
    assert answer.status_code == 201
    assert [each["status"] for each in taken] == ["accepted"] * 600 + ["duplicate"] * 400
    assert [each["id"] for each in taken[:400]] == [each["id"] for each in taken[600:]]
    stored = {str(pk): n for pk, n in Event.objects.values_list("pk", "payload__n")}
    assert [stored[each["id"]] for each in taken[:600]] == list(range(600))


def test_a_list_of_one_is_a_list(client: APIClient) -> None:
    assert [each["status"] for each in send(client, [PAID]).json()] == ["accepted"]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_list_has_1_to_1000(client: APIClient, count: int) -> None:
    assert errors(send(client, [PAID] * count)) == [("", "length")]


def test_what_is_wrong_with_one_is_said_under_its_place_and_none_is_stored(client: APIClient) -> None:
    bad = {"type": "a b", "payload": []}
    wanted = [("3.type", "invalid"), ("3.source", "required"), ("3.payload", "not_an_object"), ("5", "invalid")]
    assert errors(send(client, [PAID, PAID, PAID, bad, PAID, "x"])) == wanted


def test_what_is_wrong_with_the_only_one_is_said_of_it(client: APIClient) -> None:
    assert errors(send(client, {"type": "a", "idempotency_key": ""})) == [
        ("source", "required"),
        ("idempotency_key", "blank"),
    ]


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        ({"type": "é"}, "type"),
        ({"type": ".a"}, "type"),
        ({"type": "a\n"}, "type"),
        ({"type": "a" * 201}, "type"),
        ({"type": None}, "type"),
        ({"type": ["a"]}, "type"),
        ({"source": ""}, "source"),
        ({"source": " \u00a0"}, "source"),
        ({"source": "a\u0085"}, "source"),
        ({"source": "a\x7f"}, "source"),
        ({"source": "s" * 201}, "source"),
        ({"source": {}}, "source"),
        ({"payload": None}, "payload"),
        ({"payload": "{}"}, "payload"),
        ({"payload": {"a": "x" * 65_536}}, "payload"),
        ({"payload": {"a": "é" * 32_765}}, "payload"),
        ({"idempotency_key": "k" * 256}, "idempotency_key"),
        ({"idempotency_key": "  "}, "idempotency_key"),
        ({"idempotency_key": "a\nb"}, "idempotency_key"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": 7}, "occurred_at"),
    ],
)
def test_what_does_not_fit_is_refused(client: APIClient, event: dict[str, Any], wrong: str) -> None:
    assert {field for field, _code in errors(send(client, {**PAID, **event}))} == {wrong}
    assert {field for field, _code in errors(send(client, [PAID, {**PAID, **event}]))} == {f"1.{wrong}"}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "a" * 200, "source": "s" * 200, "idempotency_key": "k" * 255},
        {"type": "0", "source": "\u00e9 \U0001f600\u202e", "idempotency_key": "a b"},
        {"payload": {"a": "x" * 65_528}},
        {"payload": {"a": "é" * 32_764}},
        {"payload": {"": {}, "list": [{} for _ in range(1000)]}},
        {"occurred_at": "2026-01-31T12:00:00+14:00"},
        {"occurred_at": "9998-12-31T23:59:59Z"},
        {"idempotency_key": None},
        {"id": "mine", "tenant_id": "globex", "user": 1, "created_at": "x", "unknown": {}},
    ],
)
def test_what_just_fits_is_taken(client: APIClient, event: dict[str, Any]) -> None:
    sent = {**PAID, **event}
    assert [each["status"] for each in send(client, [sent]).json()] == ["accepted"]
    assert send(client, sent).status_code == 201
    for stored in Event.objects.all():
        assert stored.tenant_id == "default"
        assert {name: getattr(stored, name) for name in ("type", "source")} == {name: sent[name] for name in PAID}


@pytest.mark.parametrize("levels", [31, 32, 33, 90])
@pytest.mark.parametrize("wide", [{}, {"wide": [[]] * 40}])
def test_a_payload_is_nested_at_most_32_deep(client: APIClient, levels: int, wide: dict[str, Any]) -> None:
    payload: Any = 1
    for level in range(levels - 1):
        payload = {"a": payload} if level % 2 else [payload]
    answer = send(client, [{**PAID, "payload": {"a": payload, **wide}}])
    assert answer.status_code == (201 if levels <= 32 else 400)


def test_how_long_a_payload_may_be_is_the_hosts_to_say(client: APIClient, settings: Settings) -> None:
    settings.AUTOMATE_API_EVENT_MAX_BYTES = 9
    assert send(client, [{**PAID, "payload": {"a": 123}}]).status_code == 201
    Event.objects.all().delete()
    assert errors(send(client, [{**PAID, "payload": {"a": 1234}}])) == [("0.payload", "too_long")]


def test_a_request_that_is_sent_again_is_answered_again(client: APIClient) -> None:
    first, second = (send(client, [PAID, PAID], **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == 2
    assert send(client, [PAID], **{"Idempotency-Key": "once"}).status_code == 422


def test_a_key_needs_the_scope(user: Any) -> None:
    reader, writer = (with_key(user=user, scopes=[f"events:{access}"]) for access in ("read", "write"))
    assert (send(reader, PAID).status_code, reader.get(URL).status_code) == (403, 200)
    assert (send(writer, PAID).status_code, writer.get(URL).status_code) == (201, 403)


def test_another_tenants_key_is_no_duplicate_and_its_id_not_shown(user: Any) -> None:
    event = {**PAID, "idempotency_key": "k"}
    here, there = (send(with_key(user=user, tenant_id=tenant), [event]).json() for tenant in ("acme", "globex"))
    assert here[0]["status"] == there[0]["status"] == "accepted"
    assert here[0]["id"] != there[0]["id"]
    other = send(with_key(tenant_id="acme"), [{**event, "source": "till"}]).json()
    assert (other[0]["status"], Event.objects.count()) == ("accepted", 3)


def test_without_encryption_keys_events_that_somebody_handles_are_refused(
    client: APIClient, settings: Settings
) -> None:
    on_event("*")(handler)
    settings.AUTOMATE_API_ENCRYPTION_KEYS = []
    answer = send(client, PAID)
    assert (answer.status_code, answer.json()["code"], Event.objects.count()) == (503, "not_configured", 0)


def handler(event: Event) -> None:
    """Does nothing."""


@pytest.mark.django_db(transaction=True)
def test_what_handles_events_has_no_endpoint_and_is_not_replayed(asked: Any) -> None:  # noqa: F811
    on_event("order.*")(handler)
    client = with_key(is_staff=True)
    send(client, [PAID, PAID])
    assert work_on(Job.objects.get().pk)
    [shown] = client.get("/api/v1/executions/").json()["results"]
    assert (shown["task_type"], shown["endpoint"], shown["endpoint_version"]) == ("event.handle", None, None)
    assert (shown["status"], shown["output"]) == ("succeeded", {"events": 2, "calls": 2})
    again = client.post(f"/api/v1/executions/{shown['id']}/replay/")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_only_staff_keep_handlers_from_being_called(client: APIClient, asked: Any) -> None:  # noqa: F811
    on_event("*")(handler)
    send(client, PAID)
    path = f"/api/v1/jobs/{Job.objects.get().pk}/"
    assert client.get(path).status_code == 200
    refused = client.post(f"{path}cancel/")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert client.get(path).json()["status"] == "queued"
    assert with_key(is_staff=True, tenant_id="globex").post(f"{path}cancel/").status_code == 404
    assert with_key(is_staff=True).post(f"{path}cancel/").json()["status"] == "cancelled"


@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.django_db(transaction=True)
def test_a_thousand_take_as_many_statements_as_one(
    client: APIClient, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(URL)  # the first use of a key is written
    with django_assert_num_queries(4):  # the key; the transaction and the insertion
        assert send(client, [{**PAID, "idempotency_key": str(n)} for n in range(count)]).status_code == 201


# -- listed ----------------------------------------------------------------------------------------------------------


def test_members_see_their_own_and_staff_all(client: APIClient) -> None:
    send(client, {**PAID, "idempotency_key": "mine"})
    send(with_key(), {**PAID, "idempotency_key": "theirs"})
    send(with_key(tenant_id="globex"), {**PAID, "idempotency_key": "elsewhere"})
    assert [row["idempotency_key"] for row in client.get(URL).json()["results"]] == ["mine"]
    seen = with_key(is_staff=True).get(URL).json()["results"]
    assert [row["idempotency_key"] for row in seen] == ["theirs", "mine"]
    assert list(seen[0]) == list(EventSerializer.Meta.fields)


@pytest.mark.parametrize("rows", [1, 20])
def test_a_page_costs_as_much_however_many_it_shows(
    client: APIClient, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send(client, [PAID] * rows)
    with django_assert_num_queries(2):
        assert len(client.get(URL).json()["results"]) == rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=order.paid", 2),
        ("type=order", 0),
        ("source=till", 1),
        ("idempotency_key=k", 1),
        ("correlation_id=c-1", 3),
        ("user=123456", 0),
        ("created_after=2020-01-01T00:00:00Z", 3),
        ("created_before=2020-01-01T00:00:00Z", 0),
        ("ordering=-occurred_at", 3),
    ],
)
def test_filters_narrow(client: APIClient, query: str, found: int) -> None:
    sent = [PAID, {**PAID, "source": "till", "idempotency_key": "k"}, {**PAID, "type": "order.lost"}]
    send(client, sent, **{"X-Correlation-ID": "c-1"})
    assert len(client.get(f"{URL}?{query}").json()["results"]) == found


def test_a_page_goes_on_through_events_of_one_moment(client: APIClient) -> None:
    send(client, [{**PAID, "payload": {"n": n}} for n in range(7)])
    seen, url = [], f"{URL}?page_size=3"
    while url:
        page = client.get(url).json()
        seen += [row["payload"]["n"] for row in page["results"]]
        url = page["next"]
    assert seen == list(reversed(range(7)))


def test_there_is_no_address_of_one(client: APIClient) -> None:
    send(client, PAID)
    assert client.get(f"{URL}{Event.objects.get().pk}/").status_code == 404
    assert client.delete(URL).status_code == 405


# -- the quick way and the fields ------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(string.printable, max_size=12),
    st.sampled_from(["", " ", "a", "a.b", " a", "a ", "a" * 200, "a" * 201, "k" * 255, "k" * 256, "é", "\x7f", "\x85"]),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.sampled_from(["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "8999-12-31T23:59:59-23:59", "x"]),
    st.sampled_from(["1000-01-01T00:00:00+23:59", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:60Z"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
ITEMS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {"type": st.one_of(TEXTS, st.just("a")), "source": st.one_of(TEXTS, st.just("b"))},
        optional={
            "payload": st.one_of(st.dictionaries(TEXTS, JSON, max_size=4), JSON),
            "idempotency_key": st.one_of(TEXTS, st.none(), JSON),
            "occurred_at": st.one_of(MOMENTS, JSON),
            "id": JSON,
            "unknown": JSON,
        },
    ),
)


@given(ITEMS)
def test_what_is_seen_at_a_glance_is_what_the_fields_make_of_it(item: Any) -> None:
    at_a_glance = plain_event(item, 64 * 1024)
    try:
        made: Any = EventSerializer().run_validation(item)
    except ValidationError:
        made = None
    assert at_a_glance is None or at_a_glance == made


def test_what_is_usual_is_seen_at_a_glance() -> None:
    usual = {**PAID, "payload": {"a": [1, {"b": "c"}]}, "idempotency_key": "k 1", "occurred_at": "2026-01-31T12:00:00Z"}
    assert plain_event(usual, 1000) is not None
    assert plain_event(PAID, 1000) == PAID


class StrictSerializer(EventSerializer):
    """A host's own, which knows one type."""

    def validate_type(self, value: str) -> str:
        if value != "order.paid":
            raise serializers.ValidationError("unknown", code="unknown")
        return value


def test_a_serializer_of_a_hosts_is_asked_about_each() -> None:
    batch = StrictSerializer(data=[PAID, {**PAID, "type": "order.lost"}], many=True)
    assert not batch.is_valid()
    assert StrictSerializer(data=[PAID], many=True).is_valid()
