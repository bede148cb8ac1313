"""JSON bodies: what RFC 8259 and the database admit, and a 4xx that says what is wrong with the rest."""

import json
import re
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.exceptions import ParseError
from rest_framework.test import APIClient, force_authenticate

from automate_api.v1.parsers import MAX_DEPTH, StrictJSONParser
from tests.factories import make_user
from tests.hosts.shop.models import Item
from tests.hosts.shop.people import signed_in, with_key
from tests.hosts.shop.views import EchoView

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.shop.urls")]

JSON = "application/json"


@pytest.fixture
def client() -> APIClient:
    return signed_in()


def nested(depth: int, opening: str = "[", closing: str = "]", inner: str = "") -> bytes:
    """JSON nested that deep."""
    return (opening * depth + inner + closing * depth).encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"name": NaN}', "number"),
        (b'{"name": Infinity}', "number"),
        (b'{"name": -Infinity}', "number"),
        (b'{"name": 1e999}', "number"),
        (b'{"name": 1e308}', "exponent"),
        (b'[{"a": -1e101}]', "exponent"),
        (b'{"name": 9.9e-101}', "exponent"),
        (b'{"name": 5e-324}', "exponent"),
        (b'{"name": ' + b"9" * 5000 + b"}", "number"),
        (b'{"name": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'[{"a": ["\\u0000"]}]', "NUL"),
        (b'{"name": "\\ud83d"}', "surrogate"),
        (b'{"name": "\\uDC00 and more"}', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"name": "\x00"}', "line 1"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b'{"name": "\xed\xa0\x80"}', "UTF-8"),
        ('{"name": "x"}'.encode("utf-16"), "UTF-8"),
        (b'\xef\xbb\xbf{"name": "x"}', "line 1"),
        (b"{name: 1}", "line 1"),
        (b'{"name": "x"', "line 1"),
        (b'{"name": "x"} {}', "line 1"),
        (b"\n\n  nope", "line 3, column 3"),
        (nested(MAX_DEPTH + 1), "deep"),
        (nested(1000), "deep"),
        (nested(1000, '{"a":', "}", "1"), "deep"),
        (nested(100_000), "deep"),
        (nested(300_000, '[{"a":', "}]", "1"), "deep"),
    ],
)
def test_what_is_wrong_with_a_body_is_a_400_that_says_it(client: APIClient, body: bytes, says: str) -> None:
    answer = client.post("/items/", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert says in answer.json()["detail"]
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\\\u0000"}',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": 1.5e100, "b": -1.5e-100, "c": 0e999, "d": -0.0, "e": 1e-999}',
        b'{"a": 123456789012345678901234567890}',
        '{"a": "ä\\u2028"}'.encode(),
        b"[" + b",".join([b"[]"] * 1000) + b"]",
        nested(MAX_DEPTH),
        nested(MAX_DEPTH, inner='"x"'),
        b"17",
        b'""',
    ],
)
def test_what_json_admits_is_taken(client: APIClient, body: bytes) -> None:
    answer = client.post("/echo/", body, content_type=JSON)
    assert (answer.status_code, answer.json()["data"]) == (200, json.loads(body))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.urls("tests.urls")
def test_what_is_taken_is_not_much_longer_when_the_database_tells_it() -> None:
    body = b'{"type": "x", "source": "s", "payload": {"a": [' + b",".join([b"1e100", b"1e-100"] * 500) + b"]}}"
    owner = with_key()
    assert owner.post("/api/v1/events/", body, content_type=JSON).status_code == 201
    (told,) = owner.get("/api/v1/events/").json()["results"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM automate_api_event")
        (kept,) = cursor.fetchone()
    assert len(str(kept)) < 20 * len(body)
    # PostgreSQL tells whole numbers as such.
    assert list(map(float, told["payload"]["a"])) == [1e100, 1e-100] * 500


@hypothesis_settings(deadline=None)
@given(value=values)
def test_any_value_either_comes_back_as_it_is_or_is_refused(value: Any) -> None:
    text = json.dumps(value)
    try:
        taken = StrictJSONParser().parse(BytesIO(text.encode()))
    except ParseError:
        assert "\\u0000" in text or any(int(found) > 100 for found in re.findall(r"e[+-](\d+)", text))
    else:
        assert taken == value


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml", "application/jsonp", "nonsense"])
def test_a_wrong_or_missing_content_type_is_415(client: APIClient, content_type: str) -> None:
    answer = client.generic("POST", "/items/", b'{"name": "x"}', content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert not Item.objects.exists()


@pytest.mark.parametrize(("charset", "status"), [("utf-8", 200), ("UTF-8", 200), ("latin-1", 415), ("x", 415)])
def test_json_is_utf_8(client: APIClient, charset: str, status: int) -> None:
    answer = client.generic("POST", "/echo/", b'{"a": 1}', content_type=f"application/json; charset={charset}")
    assert answer.status_code == status


@pytest.mark.parametrize("limit", [2_621_440, None])
def test_ten_megabytes_are_413_whatever_django_itself_would_take(
    client: APIClient, settings: Settings, limit: int | None
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit
    answer = client.generic("POST", "/items/", b'{"name": "' + b"x" * 10_000_000 + b'"}', content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert not Item.objects.exists()


def test_the_limit_is_a_setting(client: APIClient, settings: Settings) -> None:
    settings.AUTOMATE_API_MAX_REQUEST_BYTES = 20
    assert client.generic("POST", "/echo/", b'{"a":  "0123456789"}', content_type=JSON).status_code == 413
    assert client.generic("POST", "/echo/", b'{"a": "0123456789"}', content_type=JSON).status_code == 200


def test_a_body_sent_in_chunks_is_not_taken_for_an_empty_one(client: APIClient) -> None:
    item = Item.objects.create(name="old")
    answer = client.patch(f"/items/{item.pk}/", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


def test_a_body_that_is_announced_as_too_long_is_not_even_read(client: APIClient) -> None:
    answer = client.generic("POST", "/echo/", b"{}", content_type=JSON, CONTENT_LENGTH="10000000")
    assert answer.status_code == 413


@pytest.mark.parametrize(("body", "status"), [(b'{"a": 1}', 411), (b"", 200)])
def test_a_body_without_a_length_is_told_from_none_under_asgi(body: bytes, status: int) -> None:
    scope = {"type": "http", "method": "POST", "path": "/echo/", "headers": [(b"content-type", JSON.encode())]}
    request = ASGIRequest(scope, BytesIO(body))
    force_authenticate(request, make_user())
    answer = EchoView.as_view()(request)
    assert answer.status_code == status


def test_an_empty_body_is_an_empty_object(client: APIClient) -> None:
    assert client.generic("POST", "/echo/", b"").json() == {"data": {}}


def test_a_subclass_may_add_parsers(client: APIClient) -> None:
    answer = client.post("/echo/", "a=1", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["data"]) == (200, {"a": "1"})
    assert client.post("/items/", "name=1", content_type="application/x-www-form-urlencoded").status_code == 415


@pytest.mark.parametrize("media_type", ["*/*", "application/*", "application/json, text/plain"])
def test_a_body_has_one_media_type(client: APIClient, media_type: str) -> None:
    assert client.generic("POST", "/items/", b'{"name": "x"}', content_type=media_type).status_code == 415


def test_nothing_is_read_before_the_caller_is_known() -> None:
    assert APIClient().post("/items/", b"{", content_type=JSON).status_code == 401


@pytest.mark.parametrize("path", ["/items/a%00b/", "/echo/a%00b/", "/items/%ff/", "/items/" + "9" * 400 + "/"])
def test_a_path_that_can_name_nothing_is_404(client: APIClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db
@pytest.mark.urls("tests.hosts.guarded.urls")
@pytest.mark.parametrize("body", ["{", "[1,]", '{"a": NaN}', '"\\ud800"'])
def test_a_malformed_body_is_refused_also_where_none_is_asked_for(body: str) -> None:
    client = with_key(is_staff=True)
    key = client.post("/api/v1/api-keys/", {"name": "ci", "scopes": ["*"]}, format="json").json()["id"]
    answer = client.post(f"/api/v1/api-keys/{key}/revoke/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert client.get(f"/api/v1/api-keys/{key}/").json()["revoked_at"] is None


@pytest.mark.django_db
@pytest.mark.urls("tests.hosts.guarded.urls")
def test_a_handler_finds_the_very_bytes_of_a_body() -> None:
    body = b'{ "a" : 1 }'
    assert with_key().post("/items/raw/", body, content_type="application/json").content == body
