"""Who calls: API keys, beside whatever else `AUTOMATE_API_AUTHENTICATION_CLASSES` lists."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from automate_api.models import APIKey
from automate_api.services.api_keys import authenticate_key, looks_like_key

CHALLENGE = 'Bearer realm="api"'


class APIKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>` or `X-API-Key: <key>`.

    A bearer token that has not the shape of our keys is left to the next authenticator; `X-API-Key` holds one of ours
    or nothing. `request.user` is the key's user and `request.auth` the `APIKey`.
    """

    def authenticate(self, request: Request) -> tuple[Any, APIKey] | None:
        """The key's user and the key; None if the request carries no key of ours.

        Raises:
            AuthenticationFailed: it carries one that is malformed, unknown, expired or revoked, or whose user is
                inactive. The answer does not say which.
        """
        raw = _bearer(request)
        if raw is None or not looks_like_key(raw):
            raw = request.headers.get("X-API-Key")
            if raw is None:
                return None
        key = authenticate_key(raw)
        if key is None:
            raise AuthenticationFailed(_("The API key is not valid."))
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 (RFC 6750, section 3)."""
        return CHALLENGE


def _bearer(request: Request) -> str | None:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class APIKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular how a key is sent."""

    target_class = "automate_api.v1.authentication.APIKeyAuthentication"
    match_subclasses = True
    name = ["AutomateBearer", "AutomateAPIKey"]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Both headers a key may come in."""
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key of this package."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key of this package."},
        ]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Either header will do."""
        return [{name: []} for name in self.name]
