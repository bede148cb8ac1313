"""Endpoints in a host's subclass."""

from typing import Any

import pytest
from rest_framework.routers import SimpleRouter

from automate_api.models import Endpoint
from automate_api.v1.views import EndpointViewSet
from tests.factories import make_endpoint
from tests.hosts.shop.people import with_key


class ForgetfulViewSet(EndpointViewSet):
    """Forgets the tenant."""

    def get_queryset(self) -> Any:
        return Endpoint.objects.all()


router = SimpleRouter()
router.register("endpoints", ForgetfulViewSet, basename="forgetful")
urlpatterns = router.urls


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("key", ["pk", "slug"])
def test_a_subclass_that_forgets_the_tenant_shows_no_other_tenants_endpoint(method: str, key: str) -> None:
    theirs, client = make_endpoint(tenant_id="globex"), with_key(tenant_id="acme", is_staff=True)
    body = {"name": "mine"} if method == "patch" else None
    answer = getattr(client, method)(f"/endpoints/{getattr(theirs, key)}/", body, format="json")
    assert answer.status_code == 404
    assert Endpoint.objects.get(pk=theirs.pk).name == theirs.name
