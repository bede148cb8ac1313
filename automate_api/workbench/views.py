"""The views of the workbench's routes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.exceptions import NotFound
from automate_api.models import Actor, LLMClient
from automate_api.services.client_changes import PEOPLE, scope_of_tenant
from automate_api.services.client_lists import OWNERSHIP, administrator_of, email_of, list_llm_clients
from automate_api.services.kept import KEPT_FOR, kept
from automate_api.services.llm_clients import (
    clone_llm_client,
    delete_llm_client,
    find_llm_client,
    rename_llm_client,
)
from automate_api.services.providers import enabled_providers
from automate_api.v1.base import BaseAPIView
from automate_api.v1.negotiation import JSONForPages, JSONRenderer
from automate_api.v1.permissions import require_authenticated
from automate_api.v1.prefer import location_of
from automate_api.v1.schema.problems import CACHE_AWAY
from automate_api.v1.serializers.llm_clients import NewNameSerializer
from automate_api.v1.views.domain import ActorMixin
from automate_api.workbench.answers import RenderedResponse
from automate_api.workbench.errors import exception_handler
from automate_api.workbench.queries import CLIENT_ID, NEW_NAME, list_parameters, list_query, name_in
from automate_api.workbench.serializers import (
    ClientListSerializer,
    ListedClientSerializer,
    MessageSerializer,
    ProviderListSerializer,
    ProviderMiniSerializer,
)

DEFAULT_PAGE_SIZE = 25
_MAX_PAGE_SIZE = 200

_TAGS = ["workbench"]
_LOGIN = {302: OpenApiResponse(description=_("To the login page: nobody is signed in, and a page is what is wanted."))}
_TO_LOGIN = location_of(_("The login page's address, with where to go after that in `next`."), 302)
_OWNERSHIP = OpenApiParameter(
    "ownership_filter",
    str,
    OpenApiParameter.PATH,
    enum=list(OWNERSHIP),
    description=_("`owned` by the caller, `shared` with it by others, or `all`."),
)


class WorkbenchView(ActorMixin, BaseAPIView):
    """What the workbench's views share: errors with a string `error`, and a redirect to sign in for browsers.

    Nobody who asks for `text/html` by name is sent to `LOGIN_URL`, with `next`; anybody else without credentials gets
    401. Whoever is signed in gets JSON also for `text/html`.
    """

    content_negotiation_class = JSONForPages
    operation_namespace: ClassVar[str] = "automate"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """As everywhere, but whoever is not signed in is told that first, whatever they accept."""
        try:
            return super().perform_content_negotiation(request, force)
        except NotAcceptable:
            require_authenticated(request)
            raise

    def get_exception_handler(self) -> Any:
        """Problems (RFC 9457) with `error`."""
        return exception_handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer is one caller's, at one moment: nobody on its way keeps it."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class PromptListApiView(WorkbenchView):
    """The LLM clients that the caller may read, in numbered pages.

    Override:
        DEFAULT_PAGE_SIZE (25), max_page_size (200): LLM clients on a page.
        cache_seconds (60): for how long a page is kept that nothing has changed of; 0: none is.
        get_answer(actor, ownership, page, page_size): the answer's members. They are kept for each caller and class,
            until LLM clients, shares or providers of the tenant change, or users and their groups: one that depends on
            anything else sets `cache_seconds = 0`, or has `changing()` called where that changes.
    """

    scope_resource = "llm-clients"
    scope_access = "read"
    extra_query_params = ("page", "page_size", "invalidate_cache")
    # It only reads, and what it keeps must not be of a transaction that has begun before.
    atomic_requests: ClassVar[bool] = False

    DEFAULT_PAGE_SIZE: ClassVar[int] = DEFAULT_PAGE_SIZE
    max_page_size: ClassVar[int] = _MAX_PAGE_SIZE
    cache_seconds: ClassVar[int] = KEPT_FOR

    @extend_schema(
        tags=_TAGS,
        parameters=[_OWNERSHIP, *list_parameters(DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE), _TO_LOGIN],
        summary=_("List LLM clients in the workbench"),
        description=_(
            "One page of your LLM clients and those shared with you, or for staff of all of the tenant, the last "
            "changed first. What others change is seen at once."
        ),
        request=None,
        responses={200: OpenApiResponse(ClientListSerializer, description=_("The page.")), **_LOGIN},
    )
    def post(self, request: Request, ownership_filter: str = "all") -> Response:
        """One page of the list."""
        if ownership_filter not in OWNERSHIP:
            raise NotFound
        asked = list_query(request.query_params, page_size=self.DEFAULT_PAGE_SIZE, max_page_size=self.max_page_size)
        actor = self.get_actor()

        def answer() -> bytes:
            return JSONRenderer().render(self.get_answer(actor, ownership_filter, asked.page, asked.page_size))

        if actor.tenant_id is None:
            return RenderedResponse(answer())
        name = [*self._for_whom(actor), ownership_filter, asked.page, asked.page_size]
        scopes = (scope_of_tenant(actor.tenant_id), PEOPLE)
        return RenderedResponse(
            kept(name, answer, scopes=scopes, seconds=self.cache_seconds, anew=asked.invalidate_cache)
        )

    def _for_whom(self, actor: Actor) -> list[Any]:
        """All that an answer depends on beside what is announced when it changes."""
        user, cls = actor.user, type(self)
        who = [str(user.pk), user.get_username(), email_of(user), actor.is_staff, actor.tenant_id]
        return [f"{cls.__module__}.{cls.__qualname__}", *who, timezone.get_current_timezone_name(), get_language()]

    def get_answer(self, actor: Actor, ownership: str, page: int, page_size: int) -> Mapping[str, Any]:
        """The members of the answer, read from the database."""
        found = list_llm_clients(actor=actor, ownership=ownership, number=page, size=page_size)
        return {
            "user": profile(actor.user, actor.tenant_id, with_email=True),
            "admin": profile(administrator_of(actor.tenant_id), actor.tenant_id, with_email=actor.is_staff),
            "objects": ListedClientSerializer(found.clients, many=True, context={"actor": actor}).data,
            "page": found.number,
            "pageSize": found.size,
            "count": found.count,
        }


class _ClientView(WorkbenchView):
    """For views that change one LLM client, or make another of it."""

    scope_resource = "llm-clients"
    error_statuses: ClassVar[Any] = {"post": (CACHE_AWAY,)}

    def get_object(self) -> LLMClient:
        """The LLM client of the path.

        Raises:
            NotFound: there is none that the caller may read.
        """
        return find_llm_client(str(self.kwargs["llm_client_id"]), actor=self.get_actor())

    def _shown(self, client: LLMClient) -> Response:
        return Response(ListedClientSerializer(client, context={"actor": self.get_actor()}).data)


class _NamingView(_ClientView):
    """For views that give an LLM client a name, which stands in the path or in the query."""

    def get_query_params(self) -> frozenset[str]:
        """`new_name`, where the path has none."""
        known = super().get_query_params()
        return known if "new_name" in self.kwargs else known | {"new_name"}

    def get_new_name(self) -> str:
        """The name that is asked for, without a slash at its end.

        Raises:
            InvalidInput, ValidationError: it is none.
        """
        given = self.kwargs["new_name"] if "new_name" in self.kwargs else name_in(self.request.query_params)
        asked = NewNameSerializer(data={"name": given.removesuffix("/")})
        asked.is_valid(raise_exception=True)
        return str(asked.validated_data["name"])


class PromptListApiCloneView(_NamingView):
    """Copy an LLM client that the caller may read.

    Override:
        get_new_name(): what the copy is called.
        perform_clone(client, *, name): makes the copy.
    """

    @extend_schema(
        tags=_TAGS,
        parameters=[CLIENT_ID, *NEW_NAME, _TO_LOGIN],
        summary=_("Clone LLM client in the workbench"),
        description=_(
            "Copy an LLM client that you can see, with its configuration, under another name. The copy is yours: keys, "
            "shares and logs are not copied."
        ),
        request=None,
        responses={200: OpenApiResponse(ListedClientSerializer, description=_("The copy.")), **_LOGIN},
    )
    def post(self, request: Request, llm_client_id: Any, new_name: str | None = None) -> Response:
        """Copy it."""
        return self._shown(self.perform_clone(self.get_object(), name=self.get_new_name()))

    def perform_clone(self, client: LLMClient, *, name: str) -> LLMClient:
        """Copy it; the copy is the caller's."""
        return clone_llm_client(client, actor=self.get_actor(), name=name)


class PromptListApiRenameView(_NamingView):
    """Rename an LLM client where the caller may.

    Override:
        get_new_name(): what it is called from now on.
        perform_rename(client, *, name): renames it.
    """

    @extend_schema(
        tags=_TAGS,
        parameters=[CLIENT_ID, *NEW_NAME, _TO_LOGIN],
        summary=_("Rename LLM client in the workbench"),
        description=_("Rename an LLM client of yours; staff may rename any of the tenant. The slug stays."),
        request=None,
        responses={
            200: OpenApiResponse(ListedClientSerializer, description=_("The LLM client under its new name.")),
            **_LOGIN,
        },
    )
    def post(self, request: Request, llm_client_id: Any, new_name: str | None = None) -> Response:
        """Call it something else."""
        return self._shown(self.perform_rename(self.get_object(), name=self.get_new_name()))

    def perform_rename(self, client: LLMClient, *, name: str) -> LLMClient:
        """Rename it where the caller may."""
        return rename_llm_client(client, actor=self.get_actor(), name=name)


class PromptListApiDeleteView(_ClientView):
    """Delete an LLM client where the caller may.

    Override:
        perform_delete(client): deletes it.
    """

    @extend_schema(
        tags=_TAGS,
        parameters=[CLIENT_ID, _TO_LOGIN],
        summary=_("Delete LLM client in the workbench"),
        description=_(
            "Delete an LLM client of yours that no endpoint uses; staff may delete any of the tenant. Until it expires "
            "it can be restored."
        ),
        request=None,
        responses={200: OpenApiResponse(MessageSerializer, description=_("It is gone.")), **_LOGIN},
    )
    def post(self, request: Request, llm_client_id: Any) -> Response:
        """Delete it."""
        self.perform_delete(self.get_object())
        return Response({"message": str(_("The LLM client was deleted."))})

    def perform_delete(self, client: LLMClient) -> None:
        """Delete it where the caller may and nothing uses it."""
        delete_llm_client(client, actor=self.get_actor())


class ProviderApiView(WorkbenchView):
    """The providers that the caller may choose from; never kept.

    Override:
        get_providers(): which they are.
    """

    scope_resource = "providers"
    scope_access = "read"

    @extend_schema(
        tags=_TAGS,
        parameters=[_TO_LOGIN],
        summary=_("List providers in the workbench"),
        description=_("The tenant's providers that are switched on, by name. The list is not in pages."),
        request=None,
        responses={200: OpenApiResponse(ProviderListSerializer, description=_("The providers.")), **_LOGIN},
    )
    def post(self, request: Request) -> Response:
        """The providers."""
        return Response({"providers": ProviderMiniSerializer(self.get_providers(), many=True).data})

    def get_providers(self) -> Any:
        """Those that are switched on and that the caller may read."""
        return enabled_providers(actor=self.get_actor())


def profile(user: Any, tenant_id: str | None, *, with_email: bool) -> dict[str, Any]:
    """Somebody within a tenant; nulls where `user` is None."""
    username = None if user is None else user.get_username()
    email = None if user is None or not with_email else email_of(user)
    return {"user": {"username": username, "email": email}, "account": {"accountNumber": tenant_id}}


__all__ = [
    "DEFAULT_PAGE_SIZE",
    "PromptListApiCloneView",
    "PromptListApiDeleteView",
    "PromptListApiRenameView",
    "PromptListApiView",
    "ProviderApiView",
    "ProviderMiniSerializer",
]
