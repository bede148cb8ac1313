"""What the views of the domain's nouns share."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from automate_api.exceptions import NotFound
from automate_api.models import Actor, Endpoint, Execution
from automate_api.services.endpoints import find_runnable
from automate_api.services.runs import prepare_execution
from automate_api.v1.base import TenantFilterMixin
from automate_api.v1.base.tenant import tenant_of_request
from automate_api.v1.correlation import correlation_id_of
from automate_api.v1.permissions import key_of
from automate_api.v1.serializers.endpoints import run_request_of


class ActorMixin:
    """For views without rows of their own: the caller as services know it."""

    request: Any

    def get_actor(self) -> Actor:
        """Who is calling, in which tenant, by which key."""
        return Actor(user=self.request.user, tenant_id=tenant_of_request(self.request), api_key=key_of(self.request))


class DomainMixin(TenantFilterMixin):
    """For views of the domain's rows: those the caller may read."""

    # REST framework's own leaves out what has a dot, and then the host would answer, not with a problem.
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Any:
        """The row of the path; an integer id has one spelling, and `1_0` or `+10` are the ids of nothing."""
        found = super().get_object()
        if isinstance(found.pk, int) and str(found.pk) != self.kwargs["pk"]:
            raise NotFound
        return found

    def get_queryset(self) -> QuerySet[Any]:
        """The rows readable by the caller; a subclass narrows it further."""
        return self._readable_among(super().get_queryset())

    def _readable_among(self, rows: Any) -> QuerySet[Any]:
        """Those of the view's `rows` that the caller may read."""
        readable: QuerySet[Any] = rows.readable_by(self.get_actor())
        return readable


class RunsMixin:
    """For views that run endpoints, beside `ActorMixin` or `DomainMixin`. `ATOMIC_REQUESTS` does not hold them.

    What a run stores must be seen by others while it goes on, and must stay when it fails.

    Override:
        get_runnable(key): the endpoint to run.
    """

    atomic_requests: ClassVar[bool] = False

    def get_execution(self, request: Request, key: str) -> Execution:
        """What the request asks the endpoint for, checked and not stored yet.

        Raises:
            AutomateError: what `get_runnable` and `prepare_execution` raise.
        """
        return prepare_execution(
            self.get_runnable(key),
            actor=self.get_actor(),  # type: ignore[attr-defined]  # from the other mixin
            correlation_id=correlation_id_of(request),
            **run_request_of(request),
        )

    def get_runnable(self, key: str) -> Endpoint:
        """The endpoint with this id or slug, with what a run needs of it.

        Raises:
            NotFound: there is none that the caller may run.
        """
        return find_runnable(key, actor=self.get_actor())  # type: ignore[attr-defined]  # from the other mixin


def is_asgi(request: Any) -> bool:
    """Whether an ASGI server serves this request, so that a stream must be asynchronous."""
    plain: HttpRequest = getattr(request, "_request", request)
    return hasattr(plain, "scope")
