"""Who is of which organization."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from tests.hosts.by_organization.models import Membership, Organization


def organization_of(request: HttpRequest) -> int | None:
    """The resolver."""
    membership = Membership.objects.filter(user_id=request.user.pk).first()
    return membership.organization_id if membership else None


def members(tenant_id: str) -> QuerySet[User]:
    """The members."""
    return User.objects.filter(membership__organization_id=int(tenant_id), is_active=True)


def join(user: Any, name: str) -> str:
    """Make somebody a member of the organization of this name, made on demand; its id is the tenant."""
    organization, _made = Organization.objects.get_or_create(name=name)
    Membership.objects.create(user=user, organization=organization)
    return str(organization.pk)
