"""Who acts without a request has the rights that it has now."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from pytest_django import Settings

from automate_api.exceptions import PermissionDenied
from automate_api.services.actors import member_acting
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def members(tenant_id: str) -> QuerySet[Any]:
    """Everybody is of the tenant that is named as they are, whether or not they may sign in."""
    found: QuerySet[Any] = get_user_model().objects.filter(username=tenant_id)
    return found


def test_a_member_acts_in_its_tenant_and_in_no_other(settings: Settings) -> None:
    settings.AUTOMATE_API_TENANT_MEMBERS = f"{__name__}.members"
    user = make_user(username="acme", is_staff=True)
    actor = member_acting(user.pk, tenant_id="acme")
    assert (actor.user, actor.tenant_id, actor.api_key, actor.is_staff) == (user, "acme", None, True)
    with pytest.raises(PermissionDenied):
        member_acting(user.pk, tenant_id="other")
    user.is_active = False
    user.save()
    for who in (user.pk, None, 987654):
        with pytest.raises(PermissionDenied):
            member_acting(who, tenant_id="acme")
