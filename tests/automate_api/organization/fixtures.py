"""Callers of the organization routes."""

import base64
from dataclasses import dataclass
from typing import Any

from django.test import Client

from automate_api.models import APIKey
from automate_api.services.api_keys import issue_key
from automate_api.services.tokens import sign_in
from tests.factories import make_user

MODELS, LOGS, SIGN_IN = "admin/get_models/", "admin/get_prompt_logs/", "user/signin_with_api_key"


@dataclass
class Person:
    """Somebody with an API key of an organization."""

    key: APIKey
    text: str

    @property
    def claims(self) -> dict[str, str]:
        """The headers to sign in with."""
        return {"x-api-key": self.text, "x-api-key-id": str(self.key.pk), "x-user-id": str(self.key.user_id)}

    @property
    def token(self) -> str:
        """A token, without asking for it over HTTP."""
        issued = sign_in(
            organization=self.key.tenant_id,
            api_key=self.text,
            key_id=str(self.key.pk),
            user_id=str(self.key.user_id),
        )
        assert issued is not None
        return issued.text

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def basic(self, username: str | None = None, token: str | None = None) -> dict[str, str]:
        named = f"{self.key.tenant_id}_{self.key.user_id}" if username is None else username
        pair = f"{named}:{self.token if token is None else token}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def person(organization: str = "acme", *scopes: str, is_staff: bool = False, user: Any = None) -> Person:
    """Somebody of this organization; by a key with `*` unless scopes are given."""
    user = user or make_user(is_staff=is_staff)
    return Person(*issue_key(tenant_id=organization, user=user, name="k", scopes=scopes or ["*"]))


def ask(path: str, *, organization: str = "acme", method: str = "GET", query: Any = None, **headers: str) -> Any:
    """The answer of a route."""
    return Client().generic(method, f"/v1/{organization}/{path}", query_params=query, headers={**headers})


def told(response: Any) -> tuple[int, str]:
    """Status and code of an error, which has this protocol's form."""
    assert response.headers["Content-Type"] == "application/json", response.content
    assert set(response.json()) == {"detail", "code"}
    assert all(isinstance(value, str) and value for value in response.json().values())
    return response.status_code, response.json()["code"]
