"""Tokens: what they stand for, when they end, and what is none."""

import base64
import hashlib
import hmac
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from automate_api.models import Actor, APIKey
from automate_api.services import tokens
from automate_api.services.api_keys import authenticate_key, revoke_key, rotate_key
from tests.automate_api.organization.fixtures import MODELS, SIGN_IN, Person, ask, person, told

pytestmark = pytest.mark.django_db

KEYS = ["a signing key that is long enough", "another signing key, as long as that"]
CLAIMS = ("x-api-key", "x-api-key-id", "x-user-id")


@pytest.fixture
def staff() -> Person:
    return person(is_staff=True)


@pytest.fixture
def unlimited(settings: Settings) -> None:
    """As if every request came in another minute."""
    settings.RATELIMIT_ENABLE = False


def signed(claims: dict[str, Any], key: str, **header: Any) -> str:
    """A token as an attacker or another service makes it."""
    return jwt.encode(claims, key, headers={"typ": tokens.TYPE, **header})


def opened(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def statuses(*headers: dict[str, str]) -> set[tuple[int, str]]:
    return {told(ask(MODELS, **each)) for each in headers}


# -- signing in ------------------------------------------------------------------------------------------------------


def test_a_key_gives_a_token_for_an_hour(staff: Person) -> None:
    before = datetime.now(tz=UTC)
    answer = ask(SIGN_IN, method="POST", **staff.claims, **{"x-mongo-cluster-name": "any"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"id_token", "expires_at"}
    expires_at = datetime.fromisoformat(answer.json()["expires_at"])
    assert expires_at.utcoffset() == timedelta(0)
    assert timedelta(minutes=59) < expires_at - before <= timedelta(hours=1, seconds=2)
    claims = opened(answer.json()["id_token"])
    assert claims["exp"] == expires_at.timestamp()
    assert claims["exp"] - claims["iat"] == 3600
    assert (claims["iss"], claims["sub"]) == ("acme", str(staff.key.user_id))
    assert answer.headers["Cache-Control"] == "no-store"
    assert staff.text not in answer.content.decode()
    assert staff.key.digest not in str(claims)
    used = ask(MODELS, Authorization=f"Bearer {answer.json()['id_token']}")
    assert used.status_code == 200


@pytest.mark.usefixtures("unlimited")
def test_what_does_not_belong_together_is_one_401(staff: Person) -> None:
    other, elsewhere = person(is_staff=True), person("globex", is_staff=True)
    dead = {name: person() for name in ("revoked", "expired", "left")}
    revoke_key(dead["revoked"].key)
    APIKey.objects.filter(pk=dead["expired"].key.pk).update(expires_at=timezone.now() - timedelta(days=1))
    type(dead["left"].key.user).objects.filter(pk=dead["left"].key.user_id).update(is_active=False)
    wrong = [
        {},
        *({**staff.claims, name: value} for name in CLAIMS for value in ("", "x", "\xff", other.claims[name])),
        *({**staff.claims, name: staff.claims[name].upper()} for name in CLAIMS[:2]),
        {**staff.claims, "x-api-key-id": staff.key.pk.hex},
        {**staff.claims, "x-api-key": f"aak_{staff.key.pk.hex}_{'x' * 43}"},
        elsewhere.claims,
        *(each.claims for each in dead.values()),
    ]
    answers = [ask(SIGN_IN, method="POST", **headers) for headers in wrong]
    answers += [ask(SIGN_IN, method="POST", organization=name, **staff.claims) for name in ("globex", "nowhere")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert told(answers[0]) == (401, "authentication_failed")
    assert all(answer.headers["WWW-Authenticate"] for answer in answers)
    assert ask(SIGN_IN, method="POST", **staff.claims).status_code == 200


def test_an_address_may_try_five_times_a_minute_and_keeps_nobody_else_out(staff: Person, settings: Settings) -> None:
    other = person("globex")
    for number in range(5):
        # Neither another organization nor another key makes it more.
        wrong = [staff, other][number % 2].claims | {"x-user-id": "0"}
        answer = ask(SIGN_IN, method="POST", organization=["acme", "globex", "nowhere"][number % 3], **wrong)
        assert answer.status_code == 401
    limited = ask(SIGN_IN, method="POST", **staff.claims)
    assert told(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    elsewhere = Client(REMOTE_ADDR="198.51.100.7").post(f"/v1/acme/{SIGN_IN}", headers=staff.claims)
    assert elsewhere.status_code == 200


# -- what a token is good for ----------------------------------------------------------------------------------------


def test_it_is_sent_as_bearer_or_as_password(staff: Person) -> None:
    odd = person("acme_and_co", is_staff=True)
    for headers in (staff.bearer, staff.basic(), {**staff.bearer, "X-ORG-ID": "acme"}):
        assert ask(MODELS, **headers).status_code == 200
    assert ask(MODELS, organization="acme_and_co", **odd.basic()).status_code == 200
    user = staff.key.user_id
    mismatches = [staff.basic(name) for name in ("", "acme", f"globex_{user}", f"acme_{user}0", f"acme__{user}", "_")]
    mismatches.append(odd.basic(f"acme_{odd.key.user_id}"))
    assert statuses(*mismatches) == {(401, "authentication_failed")}


def test_whoever_names_another_organization_as_the_issuer_acts_for_it(staff: Person) -> None:
    named = [{**staff.bearer, "X-ORG-ID": name} for name in ("globex", "", "ACME", "\xff")]
    assert statuses(*named, {**staff.basic(), "X-ORG-ID": "globex"}) == {(403, "permission_denied")}
    assert statuses({"Authorization": "Bearer x.y.z", "X-ORG-ID": "globex"}) == {(401, "authentication_failed")}


def test_a_client_that_waits_to_be_asked_for_basic_is_asked() -> None:
    challenges = urllib.request.parse_http_list(ask(MODELS).headers["WWW-Authenticate"])
    assert challenges == ['Bearer realm="organization"', 'Basic realm="organization"', 'charset="UTF-8"']
    # Elsewhere a browser would ask its user.
    assert "Basic" not in Client().get("/api/v1/models/").headers["WWW-Authenticate"]


def test_it_ends_at_once_with_its_key_its_user_and_its_secret(staff: Person, settings: Settings) -> None:
    held, yesterday = staff.bearer, timezone.now() - timedelta(days=1)
    users = type(staff.key.user).objects.filter(pk=staff.key.user_id)
    for end, again in (
        (lambda: APIKey.objects.update(expires_at=yesterday), lambda: APIKey.objects.update(expires_at=None)),
        (lambda: users.update(is_active=False), lambda: users.update(is_active=True)),
        (lambda: rotate_key(staff.key, actor=Actor(staff.key.user, "acme")), lambda: None),
    ):
        assert ask(MODELS, **held).status_code == 200
        end()
        assert statuses(held) == {(401, "authentication_failed")}
        again()
    fresh = Person(*rotate_key(staff.key, actor=Actor(staff.key.user, "acme")))
    held = fresh.bearer
    assert ask(MODELS, **held).status_code == 200
    revoke_key(fresh.key)
    assert statuses(held) == {(401, "authentication_failed")}


def test_it_ends_with_the_secret_that_it_was_given_for(staff: Person) -> None:
    before = staff.bearer
    fresh = Person(*rotate_key(staff.key, actor=Actor(staff.key.user, "acme"), overlap_seconds=3600))
    held = (before, staff.bearer, fresh.bearer)
    assert [ask(MODELS, **headers).status_code for headers in held] == [200, 200, 200]
    APIKey.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert [ask(MODELS, **headers).status_code for headers in held] == [401, 401, 200]


def test_a_secret_that_ends_while_it_signs_in_gives_no_token_of_the_next(
    staff: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rotated_meanwhile(text: str) -> APIKey | None:
        found = authenticate_key(text)
        assert found is not None
        rotate_key(found, actor=Actor(found.user, "acme"))
        # One from the cache has no digest, and reads it when it is asked for it.
        known: APIKey = APIKey.objects.defer("digest").get(pk=found.pk)
        return known

    monkeypatch.setattr(tokens, "authenticate_key", rotated_meanwhile)
    assert statuses(staff.bearer) == {(401, "authentication_failed")}


def test_the_first_key_signs_and_all_verify(staff: Person, settings: Settings) -> None:
    settings.AUTOMATE_API_SIGNING_KEYS = KEYS[:1]
    old = staff.bearer
    settings.AUTOMATE_API_SIGNING_KEYS = KEYS[::-1]
    new = staff.bearer
    assert [ask(MODELS, **headers).status_code for headers in (old, new)] == [200, 200]
    kids = {jwt.get_unverified_header(each["Authorization"].split()[1])["kid"] for each in (old, new)}
    assert len(kids) == 2
    assert not [kid for kid in kids for key in KEYS if kid in key]
    settings.AUTOMATE_API_SIGNING_KEYS = KEYS[1:]
    assert ask(MODELS, **new).status_code == 200
    assert statuses(old) == {(401, "authentication_failed")}


@pytest.mark.parametrize("keys", [[], ["short"], "a string of letters, which are not keys", [None]])
def test_without_a_key_that_is_long_enough_nobody_signs_in(staff: Person, settings: Settings, keys: Any) -> None:
    held = staff.bearer
    settings.AUTOMATE_API_SIGNING_KEYS = keys
    assert told(ask(SIGN_IN, method="POST", **staff.claims)) == (503, "not_configured")
    assert told(ask(MODELS, **held)) == (503, "not_configured")


def test_it_opens_no_other_route_unless_the_host_says_so(staff: Person, settings: Settings) -> None:
    client = Client()
    for headers in (staff.bearer, staff.basic()):
        assert client.get("/api/v1/models/", headers=headers).status_code == 401
    # Nor does an API key, or a session, open these.
    client.force_login(staff.key.user)
    assert client.get(f"/v1/acme/{MODELS}").status_code == 401
    assert statuses({"Authorization": f"Bearer {staff.text}"}, {"X-API-Key": staff.text}) == {
        (401, "authentication_failed"),
        (401, "not_authenticated"),
    }
    settings.AUTOMATE_API_AUTHENTICATION_CLASSES = [
        "automate_api.organization.authentication.TokenAuthentication",
        "automate_api.v1.authentication.APIKeyAuthentication",
    ]
    for headers in (staff.bearer, staff.basic(), {"Authorization": f"Bearer {staff.text}"}):
        assert Client().get("/api/v1/models/", headers=headers).status_code == 200
    narrow = person("acme", "models:read")
    assert Client().get("/api/v1/models/", headers=narrow.bearer).status_code == 200
    assert Client().get("/api/v1/providers/", headers=narrow.bearer).status_code == 403


# -- what is none ----------------------------------------------------------------------------------------------------


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def forged(staff: Person, settings: Settings) -> dict[str, str]:
    """Tokens that nobody here has signed, or not so."""
    key = settings.AUTOMATE_API_SIGNING_KEYS[0]
    good = staff.token
    head, body, signature = good.split(".")
    kid = jwt.get_unverified_header(good)["kid"]
    claims = opened(good)
    now = int(datetime.now(tz=UTC).timestamp())

    def by_hand(header: Any, payload: bytes | None = None) -> str:
        text = f"{_encoded(json.dumps(header).encode())}.{_encoded(payload) if payload is not None else body}"
        return f"{text}.{_encoded(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"

    return {
        "unsigned": f"{_encoded(json.dumps({'alg': 'none', 'typ': tokens.TYPE, 'kid': kid}).encode())}.{body}.",
        "alg none, signed": by_hand({"alg": "none", "typ": tokens.TYPE, "kid": kid}),
        "alg of another kind": by_hand({"alg": "RS256", "typ": tokens.TYPE, "kid": kid}),
        "alg in other letters": by_hand({"alg": "hs256", "typ": tokens.TYPE, "kid": kid}),
        "HS512": jwt.encode(claims, key * 2, algorithm="HS512", headers={"typ": tokens.TYPE, "kid": kid}),
        "another key": signed(claims, KEYS[0], kid=kid),
        "an empty key": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": ""}),
        "no kid": signed(claims, key),
        "a kid that is a list": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": [kid]}),
        "a kid that is a path": signed(claims, key, kid="../../dev/null"),
        "a critical extension": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": kid, "crit": ["x"], "x": 1}),
        "a detached payload": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": kid, "b64": False, "crit": ["b64"]}),
        "a header that is a list": by_hand([1]),
        "a header in depth": f"{_encoded(b'[' * 1400)}.{body}.{signature}",
        "a payload in depth": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": kid}, b"[" * 1200),
        "a payload that is a list": by_hand({"alg": "HS256", "typ": tokens.TYPE, "kid": kid}, b"[]"),
        "a long one": f"{head}.{'x' * 100_000}.{signature}",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "a flipped bit": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "a slash": f"{head}.{body}.{signature[:-1]}/",
        "padded": f"{good}=",
        "another type": jwt.encode(claims, key, headers={"typ": "JWT", "kid": kid}),
        "another audience": signed(claims | {"aud": "shop"}, key, kid=kid),
        "another issuer": signed(claims | {"iss": "globex"}, key, kid=kid),
        "another user": signed(claims | {"sub": "0"}, key, kid=kid),
        "another secret": signed(claims | {"ver": "0" * 32}, key, kid=kid),
        "an unknown key": signed(claims | {"key": "0" * 32}, key, kid=kid),
        "ended": signed(claims | {"iat": now - 3601, "exp": now - 1}, key, kid=kid),
        "an end that is none": signed(claims | {"exp": "tomorrow"}, key, kid=kid),
        **{f"without {name}": signed({k: v for k, v in claims.items() if k != name}, key, kid=kid) for name in claims},
    }


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_what_is_no_token_is_a_401_and_never_worse(staff: Person, settings: Settings) -> None:
    settings.AUTOMATE_API_SIGNING_KEYS = ["k" * 32]
    for what, token in forged(staff, settings).items():
        for headers in ({"Authorization": f"Bearer {token}"}, staff.basic(token=token)):
            assert told(ask(MODELS, **headers)) == (401, "authentication_failed"), what
    good = staff.token
    for value in (
        "", "x", "Bearer", "Bearer ", "Bearer \xff", f"Token {good}", good, f"Bearer {good} x", "Basic", "Basic !!!",
        "Basic Og==", "Basic /w==", f"Basic {good}", "Basic " + base64.b64encode(b"acme").decode(), "x" * 50_000,
    ):  # fmt: skip
        assert told(ask(MODELS, Authorization=value))[0] == 401, value


def test_a_token_costs_one_query_and_a_forged_one_none(
    staff: Person, settings: Settings, django_assert_num_queries: Any
) -> None:
    token, forgery = staff.token, forged(staff, settings)["another key"]
    with django_assert_num_queries(1):
        assert tokens.authenticate_token(token) == staff.key
    with django_assert_num_queries(0):
        assert tokens.authenticate_token(forgery) is None
