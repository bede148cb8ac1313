"""Callers of the shop."""

import base64
from collections.abc import Sequence
from typing import Any

from rest_framework.test import APIClient

from automate_api.services.api_keys import issue_key
from tests.factories import make_user


def signed_in(*, is_staff: bool = False, user: Any = None) -> APIClient:
    """A client with a session of its own, past the sign-in form."""
    client = APIClient()
    client.force_login(user or make_user(is_staff=is_staff))
    return client


def with_key(
    *, scopes: Sequence[str] = ("*",), tenant_id: str = "default", is_staff: bool = False, user: Any = None
) -> APIClient:
    """A client that sends a real API key."""
    user = user or make_user(is_staff=is_staff)
    _key, text = issue_key(tenant_id=tenant_id, user=user, name="test", scopes=scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def tenant_of_header(request: Any) -> str | None:
    """A host's resolver: the tenant stands in a header."""
    tenant: str | None = request.headers.get("X-Tenant")
    return tenant


def basic_authorization(user: Any) -> str:
    """The header for a user whose password this sets."""
    user.set_password("secret")
    user.save()
    return "Basic " + base64.b64encode(f"{user.get_username()}:secret".encode()).decode()
