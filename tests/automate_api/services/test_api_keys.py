"""API keys open what they are for, and nothing when they are over."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from automate_api.exceptions import Conflict, InvalidInput, PermissionDenied
from automate_api.models import Actor, APIKey
from automate_api.services.api_keys import (
    authenticate_key,
    create_key,
    issue_key,
    looks_like_key,
    revoke_key,
    rotate_key,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def issue(**fields: Any) -> tuple[APIKey, str]:
    given = {"tenant_id": "acme", "user": make_user(), "name": "ci", "scopes": ["*"], **fields}
    return issue_key(**given)


def test_a_key_is_recognised_with_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key, text = issue()
    with django_assert_num_queries(1):
        found = authenticate_key(text)
        assert found == key
        assert found is not None
        assert found.user.is_active


def test_nothing_stored_or_shown_holds_the_secret() -> None:
    _key, text = issue()
    secret = text.rpartition("_")[2] if "_" not in text[37:] else text[37:]
    row = str(APIKey.objects.values().get())
    assert secret not in row


def test_the_secret_must_match_and_the_id_alone_opens_nothing() -> None:
    (key, text), (_other, other_text) = issue(), issue()
    assert authenticate_key(text[:37] + other_text[37:]) is None
    assert authenticate_key(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    assert authenticate_key(key.pk.hex) is None
    assert not looks_like_key("sk-something")
    assert looks_like_key(text)


def test_an_expired_or_revoked_key_or_one_of_an_inactive_user_opens_nothing() -> None:
    _expired, text = issue(expires_at=timezone.now() - timedelta(seconds=1))
    assert authenticate_key(text) is None
    revoked, text = issue()
    revoke_key(revoked)
    assert authenticate_key(text) is None
    inactive, text = issue()
    inactive.user.is_active = False
    inactive.user.save()
    assert authenticate_key(text) is None


def test_rotation_ends_the_old_secret_at_once() -> None:
    key, old = issue()
    _key, new = rotate_key(key, actor=Actor(user=key.user, tenant_id="acme"))
    assert authenticate_key(old) is None
    assert authenticate_key(new) == key


def test_a_revoked_key_is_not_rotated_and_stays_revoked() -> None:
    key, _text = issue()
    revoke_key(key)
    with pytest.raises(Conflict):
        rotate_key(key, actor=Actor(user=key.user, tenant_id="acme"))


@pytest.mark.parametrize("scopes", [[], ["endpoints"], ["endpoints:delete"], ["**"], ["Endpoints:read"], ["*", "x"]])
def test_scopes_are_of_a_known_form(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput):
        issue(scopes=scopes)


def test_a_key_makes_no_key_that_may_do_more() -> None:
    narrow, _text = issue(scopes=["api-keys:write", "endpoints:run"])
    actor = Actor(user=narrow.user, tenant_id="acme", api_key=narrow)
    for scopes in (["*"], ["providers:write"]):
        with pytest.raises(PermissionDenied):
            create_key(actor=actor, name="more", scopes=scopes)
    wide, _text = issue()
    with pytest.raises(PermissionDenied):
        rotate_key(wide, actor=actor)
    assert create_key(actor=actor, name="same", scopes=["endpoints:run"])[0].tenant_id == "acme"


def test_a_key_makes_no_key_that_outlives_it() -> None:
    end = timezone.now() + timedelta(hours=1)
    expiring, _text = issue(expires_at=end)
    lasting, _text = issue()
    actor = Actor(user=expiring.user, tenant_id="acme", api_key=expiring)
    for later in (None, end + timedelta(seconds=1)):
        with pytest.raises(PermissionDenied):
            create_key(actor=actor, name="longer", scopes=["*"], expires_at=later)
    with pytest.raises(PermissionDenied):
        rotate_key(lasting, actor=actor)
    assert create_key(actor=actor, name="as long", scopes=["*"], expires_at=end)[0].expires_at == end
    assert rotate_key(expiring, actor=actor)[0] == expiring
