"""The guards of the base views, as functions that raise.

They are called from `check_permissions()`, which a subclass' `permission_classes` cannot replace. The order is: is
anyone signed in, may the key do this at all, has the user the role. Only then come the subclass' own permissions.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from automate_api.models import APIKey

EVERYTHING = "*"

#: Scopes of this noun `*` includes for staff alone.
ADMIN = "Admin:"

READ, WRITE, RUN = "read", "write", "run"


def key_of(request: Request) -> APIKey | None:
    """The API key the request was made with; None for a session or a host's own kind of credentials."""
    auth: Any = request.auth
    return auth if isinstance(auth, APIKey) else None


def require_authenticated(request: Request) -> None:
    """Raise NotAuthenticated (401) unless somebody is signed in."""
    if not getattr(request.user, "is_authenticated", False):
        raise NotAuthenticated


def require_staff(request: Request) -> None:
    """Raise PermissionDenied (403) unless the user is staff."""
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied(_("This is for staff."))


def require_scope(request: Request, scope: str | None) -> None:
    """Raise PermissionDenied (403) if the request was made with a key that has neither `scope` nor `*`.

    Without a scope to ask for, only a key with `*` passes. `*` of a user who is not staff does not include scopes of
    `Admin`. Callers without a key of ours are not narrowed.
    """
    key = key_of(request)
    if key is None or scope in key.scopes:
        return
    is_for_staff = scope is not None and scope.startswith(ADMIN)
    if EVERYTHING not in key.scopes or (is_for_staff and not getattr(request.user, "is_staff", False)):
        raise PermissionDenied(_("The API key's scopes do not include this."))


def access_of(request: Request, action: str | None, run_actions: frozenset[str]) -> str:
    """What a request does with a resource: `read`, `run` or `write`."""
    if action in run_actions:
        return RUN
    return READ if request.method in SAFE_METHODS else WRITE
