"""The demo's tenants, users and API keys."""

from typing import Any

from django.contrib.auth.models import User

from automate_api.services.api_keys import issue_key
from example_project.tenants.models import Membership, Tenant
from example_project.tenants.passwords import ADMIN, demo_password

TENANTS = {"acme": "Acme Corporation", "globex": "Globex Corporation"}
ROLES = ("staff", "ann", "bob")


def seed_user(username: str, *, is_staff: bool, is_superuser: bool = False) -> User:
    """The user, made or found again, with its flags and its demo password."""
    user, _ = User.objects.get_or_create(username=username, defaults={"email": f"{username}@example.com"})
    user.is_staff, user.is_superuser, user.is_active = is_staff, is_superuser, True
    password = demo_password(username)
    if not user.check_password(password):  # setting it anew would end the user's sessions
        user.set_password(password)
    user.save(update_fields=["is_staff", "is_superuser", "is_active", "password"])
    return user


def seed_member(tenant: Tenant, role: str) -> dict[str, Any]:
    """One member of a tenant with a new API key, as `seed_demo --json` prints it."""
    username = f"{tenant.pk}-{role}"
    user = seed_user(username, is_staff=role == "staff")
    Membership.objects.update_or_create(user=user, defaults={"tenant": tenant})
    key, secret = issue_key(tenant_id=tenant.pk, user=user, name=f"demo key of {username}", scopes=["*"])
    return {
        "id": user.pk,
        "username": username,
        "password": demo_password(username),
        "is_staff": user.is_staff,
        "api_key_id": str(key.pk),
        "api_key": secret,
    }


def seed_tenant(slug: str, name: str) -> dict[str, Any]:
    """One tenant with its members. No transaction around it: hashing passwords is slow, and a server may be waiting."""
    tenant, _ = Tenant.objects.get_or_create(id=slug, defaults={"name": name})
    return {"id": tenant.pk, "users": [seed_member(tenant, role) for role in ROLES]}


def seed() -> dict[str, Any]:
    """Everything the demo needs, made or found again; each call issues further API keys. Safe beside a live server.

    Returns `{"tenants": [{"id", "users": [{"id", "username", "password", "is_staff", "api_key_id", "api_key"}]}]}`.
    The Django admin's own superuser, `admin`, belongs to no tenant and is not in it.
    """
    seed_user(ADMIN, is_staff=True, is_superuser=True)
    return {"tenants": [seed_tenant(slug, name) for slug, name in TENANTS.items()]}
