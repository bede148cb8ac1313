"""Limits of views: who is counted, and what a caller who is over the limit is told."""

import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from pytest_django import Settings
from rest_framework.test import APIClient

from automate_api.v1.base import BaseAPIView, RateLimitMixin
from tests.factories import make_user
from tests.hosts.shop.people import basic_authorization, signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.guarded.urls")]

DEAD = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


def statuses(client: APIClient, path: str, times: int = 3, **request: Any) -> list[int]:
    return [client.get(path, **request).status_code for _ in range(times)]


def plain_client() -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic_authorization(make_user()))
    return client


def test_a_caller_is_admitted_as_often_as_the_limit_says() -> None:
    assert statuses(signed_in(), "/limited/") == [200, 200, 429]


def test_on_a_plain_view_too() -> None:
    assert statuses(plain_client(), "/plain-limited/") == [200, 200, 429]


def test_each_caller_is_counted_apart() -> None:
    assert statuses(signed_in(), "/limited/") == statuses(signed_in(), "/limited/") == [200, 200, 429]


def test_a_users_keys_and_sessions_are_the_same_caller() -> None:
    user = make_user()
    assert statuses(with_key(user=user), "/limited/", 1) + statuses(signed_in(user=user), "/limited/", 2) == [
        200,
        200,
        429,
    ]


def test_each_view_has_a_count_of_its_own_and_its_actions_share_it() -> None:
    client = plain_client()
    assert statuses(client, "/plain-limited/extra/", 1) + statuses(client, "/plain-limited/", 2) == [200, 200, 429]
    assert statuses(signed_in(), "/limited/", 1) == [200]


def test_views_of_a_group_share_a_count() -> None:
    client = signed_in()
    assert statuses(client, "/grouped/", 2) + statuses(client, "/other-grouped/", 1) == [200, 200, 429]


def test_a_429_says_which_limit_it_is_and_when_to_come_back() -> None:
    client = signed_in()
    statuses(client, "/grouped/", 2)
    answer = client.get("/grouped/")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 86_400
    assert answer.headers["RateLimit-Policy"] == '"reports";q=2;w=86400'
    assert re.fullmatch(r'"reports";r=0;t=\d+', answer.headers["RateLimit"])
    problem = answer.json()
    assert (problem["code"], problem["limit"]) == ("rate_limited", {"name": "reports", "rate": "2/day"})
    assert "reports" in problem["detail"]


def test_on_a_plain_view_the_hosts_own_error_format_says_so() -> None:
    client = plain_client()
    statuses(client, "/plain-limited/", 2)
    answer = client.get("/plain-limited/")
    assert answer.headers["Content-Type"] == "application/json"
    assert "PlainLimitedViewSet" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["RateLimit"].startswith('"PlainLimitedViewSet";r=0;')


def test_every_answer_says_what_is_left() -> None:
    client = signed_in()
    assert client.get("/grouped/").headers["RateLimit"].startswith('"reports";r=1;')
    assert client.get("/grouped/").headers["RateLimit"].startswith('"reports";r=0;')


def test_nobody_is_counted_where_there_is_no_limit() -> None:
    assert "RateLimit" not in signed_in().get("/same-origin/").headers


def test_who_is_not_signed_in_is_not_counted_on_a_base_but_refused() -> None:
    client = APIClient()
    assert statuses(client, "/limited/") == [401, 401, 401]


def test_on_a_plain_view_the_address_is_counted_where_nobody_is_signed_in() -> None:
    assert statuses(APIClient(), "/plain-limited/") == [200, 200, 429]
    assert statuses(APIClient(REMOTE_ADDR="198.51.100.7"), "/plain-limited/", 1) == [200]


def test_the_mixin_by_itself_admits_a_hundred_an_hour() -> None:
    answer = APIClient().get("/default-limited/")
    assert answer.headers["RateLimit-Policy"] == '"DefaultLimitedView";q=100;w=3600'
    assert (RateLimitMixin.rate_limit, BaseAPIView.rate_limit) == ("100/hour", None)


def test_a_limit_comes_before_the_views_permissions() -> None:
    assert statuses(signed_in(), "/denied/") == [403, 403, 429]


def test_a_request_is_counted_once_however_often_its_renderer_asks() -> None:
    assert statuses(signed_in(), "/browsable/", headers={"Accept": "text/html"}) == [200, 200, 429]


def test_a_whole_tenant_is_one_caller() -> None:
    acme, globex = with_key(tenant_id="acme"), with_key(tenant_id="globex")
    assert statuses(acme, "/by-tenant/", 1) + statuses(with_key(tenant_id="acme"), "/by-tenant/", 2) == [200, 200, 429]
    assert statuses(globex, "/by-tenant/", 1) == [200]


@pytest.mark.parametrize("path", ["/by-device/", "/by-method/", "/by-function/", "/by-default/"])
def test_a_callable_says_who_is_counted(path: str) -> None:
    one, other = {"X-Device": "one"}, {"X-Device": "other"}
    assert statuses(signed_in(), path, 2, headers=one) == [200, 200]
    assert statuses(signed_in(), path, 1, headers=one) == [429]
    assert statuses(signed_in(), path, 1, headers=other) == [200]


def test_an_address_is_what_connected_whatever_the_caller_says_it_is() -> None:
    client = signed_in()
    forged = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(3)]
    assert [client.get("/by-address/", headers=headers).status_code for headers in forged] == [200, 200, 429]


@pytest.mark.parametrize(
    ("proxies", "header", "same"),
    [
        (1, "6.6.6.6, 198.51.100.7", "1.1.1.1, 198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7, 10.9.9.9"),
        (1, "198.51.100.7:4711", "198.51.100.7"),
        (1, "2001:db8:1:2::1", "[2001:db8:1:2:ffff::2]:443"),
        (1, "[2001:db8:1:2::1]", "2001:db8:1:2::2"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "nonsense", "<script>"),
    ],
)
def test_behind_proxies_it_is_what_the_outermost_of_them_saw(
    proxies: int, header: str, same: str, settings: Settings
) -> None:
    settings.AUTOMATE_API_PROXY_COUNT = proxies
    client = signed_in()
    assert statuses(client, "/by-address/", 2, headers={"X-Forwarded-For": header}) == [200, 200]
    assert statuses(client, "/by-address/", 1, headers={"X-Forwarded-For": same}) == [429]
    another = {"X-Forwarded-For": "192.0.2.1" + ", 10.0.0.1" * (proxies - 1)}
    assert statuses(client, "/by-address/", 1, headers=another) == [200]


def test_who_goes_around_the_proxies_is_who_connected(settings: Settings) -> None:
    settings.AUTOMATE_API_PROXY_COUNT = 2
    client = signed_in()
    assert statuses(client, "/by-address/", 2, headers={"X-Forwarded-For": "6.6.6.6"}) == [200, 200]
    assert statuses(client, "/by-address/", 1, headers={"X-Forwarded-For": "7.7.7.7"}) == [429]


def test_the_setting_limits_every_view_of_the_package(settings: Settings) -> None:
    settings.AUTOMATE_API_RATE_LIMIT = "2/day"
    client = signed_in()
    assert statuses(client, "/api/v1/providers/") == [200, 200, 429]
    assert statuses(client, "/api/v1/models/", 1) == [200]


def test_a_views_prefix_chooses_the_setting(settings: Settings) -> None:
    settings.SHOP_RATE_LIMIT = "1/day"
    assert statuses(signed_in(), "/chosen/", 2) == [200, 429]


def test_a_limit_that_is_none_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(signed_in(), "/wrong-limit/", 1) == [500]
    assert "'often' is not a rate" in caplog.text


@pytest.mark.parametrize(("is_open", "expected"), [(False, 429), (True, 200)])
def test_without_the_counters_the_hosts_choice_counts_and_one_line_is_logged(
    is_open: bool, expected: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed_in()
    with override_settings(CACHES=DEAD, RATELIMIT_FAIL_OPEN=is_open):
        answer = client.get("/limited/")
    assert answer.status_code == expected
    assert [record.name for record in caplog.records if "does not answer" in record.message] == [
        "automate_api.security.limits"
    ]
    assert "RateLimit" not in answer.headers
    assert (answer.headers.get("Retry-After") == "10") is not is_open


def test_a_key_of_no_known_kind_is_a_fault_of_the_host() -> None:
    class Mistaken(BaseAPIView):
        rate_limit_key = "colour"

    with pytest.raises(ImproperlyConfigured, match="'colour'"):
        Mistaken()._caller(None)  # type: ignore[arg-type]
