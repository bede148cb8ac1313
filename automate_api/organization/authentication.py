"""Who calls: tokens that `user/signin_with_api_key` gave for an API key."""

import base64
import hmac
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from automate_api.models import APIKey
from automate_api.services.tokens import authenticate_token, looks_like_token

CHALLENGE = 'Bearer realm="organization"'

#: Names the organization that has issued the token.
ISSUER = "X-ORG-ID"

_INVALID = _("The token is not valid.")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, or Basic with the user `{organization}_{user id}` and the token as password.

    `request.user` is the user of the API key that the token stands for and `request.auth` that key, as with the key
    itself. What does not say of itself that it is one of our tokens is left to the next authenticator. `X-ORG-ID`,
    where it is sent, names the organization that has issued the token; naming another is acting for it (403).
    """

    def authenticate(self, request: Request) -> tuple[Any, APIKey] | None:
        """The key's user and the key; None if the request carries no token of ours.

        Raises:
            AuthenticationFailed: it carries one that is not valid, has ended, stands for a key that has, or is not of
                the user that is named beside it. The answer does not say which.
            PermissionDenied: another organization is named as the one that has issued it.
        """
        username, token = _credentials(request)
        if not looks_like_token(token):
            return None
        key = authenticate_token(token)
        # Names may have `_` in them, so that they are put together here and not taken apart.
        if key is None or not (username is None or _same(username, f"{key.tenant_id}_{key.user_id}")):
            raise AuthenticationFailed(_INVALID)
        issuer = request.headers.get(ISSUER)
        if not (issuer is None or _same(issuer, key.tenant_id)):
            raise PermissionDenied(_("You may not use this organization."))
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 (RFC 6750, section 3)."""
        return CHALLENGE


class OnlyTokenAuthentication(TokenAuthentication):
    """The same where there is no next: other credentials are refused, and not passed over."""

    def authenticate(self, request: Request) -> tuple[Any, APIKey] | None:
        """The key's user and the key; None if there is no `Authorization`.

        Raises:
            AuthenticationFailed: there is one that is no valid token.
        """
        found = super().authenticate(request)
        if found is None and "Authorization" in request.headers:
            raise AuthenticationFailed(_INVALID)
        return found

    def authenticate_header(self, request: Request) -> str:
        """The challenges of a 401: many clients send Basic only where it is asked for (RFC 7617, section 2).

        The other class does not ask: a browser would ask its user, on pages of a host that have sessions.
        """
        return f'{CHALLENGE}, Basic realm="organization", charset="UTF-8"'


def _credentials(request: Request) -> tuple[str | None, str]:
    """The user named, if one is, and what may be a token."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return None, value.strip()
    if scheme.lower() != "basic":
        return None, ""
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        return None, ""
    username, _colon, password = pair.partition(":")
    return username, password


def _same(given: str, true: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), true.encode())


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular how a token is sent."""

    target_class = "automate_api.organization.authentication.TokenAuthentication"
    match_subclasses = True
    name = ["AutomateOrganizationBearer", "AutomateOrganizationBasic"]

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Both schemes a token may come by."""
        token = "A token of `user/signin_with_api_key`"  # noqa: S105 - it is about tokens, and none
        basic = f"The user is `{{organization}}_{{user id}}`, the password is the token. {token}."
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": f"{token}."},
            {"type": "http", "scheme": "basic", "description": basic},
        ]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Either will do."""
        return [{name: []} for name in self.name]
