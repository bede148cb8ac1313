"""The two questions `automate_api` asks its host about tenants (`AUTOMATE_API_TENANT_RESOLVER`, `…_TENANT_MEMBERS`)."""

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from example_project.tenants.models import Membership


def tenant_of(request: HttpRequest | Request) -> str | None:
    """The tenant of a signed-in user, or None: nothing is seen and nothing made. (An API key brings its own.)"""
    if not request.user.is_authenticated:
        return None
    return Membership.objects.filter(user_id=request.user.pk).values_list("tenant_id", flat=True).first()


def tenant_members(tenant_id: str) -> QuerySet[User]:
    """The active users with whom things in this tenant may be shared."""
    return User.objects.filter(is_active=True, membership__tenant_id=tenant_id)
