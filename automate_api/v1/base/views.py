"""The base views: one policy for every view of this package and of a host that builds on it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.schemas.inspectors import ViewInspector
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import BaseVersioning
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet

from automate_api.security.redaction import forget_revealed
from automate_api.services.idempotency import Claim
from automate_api.v1.authentication import CHALLENGE
from automate_api.v1.base.authenticators import ConfiguredAuthenticators
from automate_api.v1.base.configurable import ConfigurableMixin
from automate_api.v1.base.cors import CORSMixin
from automate_api.v1.base.paginated import PaginationMixin
from automate_api.v1.base.rate_limit import RateLimitMixin
from automate_api.v1.base.tenant import tenant_of_request
from automate_api.v1.correlation import assign_correlation_id, return_correlation_id
from automate_api.v1.errors import exception_handler
from automate_api.v1.filters import FilterBackend, OrderingBackend
from automate_api.v1.idempotency import HEADER, claim_request, settle
from automate_api.v1.negotiation import ContentNegotiation, JSONRenderer, hide_format_suffix
from automate_api.v1.parsers import StrictJSONParser, require_readable_body
from automate_api.v1.permissions import READ, access_of, require_authenticated, require_scope, require_staff
from automate_api.v1.query_params import list_query_params, require_known_query_params
from automate_api.v1.schema import AutoSchema
from automate_api.v1.serializers.representation import prepare

RUN_ACTIONS = frozenset({"run", "stream", "job", "test", "chat", "replay"})


class BaseAPIView(ConfigurableMixin, CORSMixin, RateLimitMixin, APIView):
    """A view with the package's policy: API keys and sessions, scopes, problems, strict JSON, correlation ids.

    Nothing of the host's `REST_FRAMEWORK` setting changes it. The guards stand in `check_permissions()`, in this order:
    somebody is signed in, the API key's scope admits the request, the user has the role, the limit is not reached; a
    subclass' `permission_classes`, `get_permissions()` and `@action` keywords come after them and can only add.

    A POST may carry an `Idempotency-Key`; it is claimed after the guards and before any work. One that only reads, as
    `scope_access` says, is answered anew whatever its key is.

    Override:
        authentication_classes (`AUTOMATE_API_AUTHENTICATION_CLASSES`, read live): the authenticators.
        permission_classes (`()`): further permissions.
        parser_classes (`(StrictJSONParser,)`), renderer_classes (`(JSONRenderer,)`): further forms.
        scope_resource (None): the noun of the scopes `<noun>:read`, `<noun>:write` and `<noun>:run` that an API key
            needs. Without it only sessions and keys with `*` are admitted.
        scope_access (None): `"read"`, `"write"` or `"run"` for all of the view, where method and action do not tell.
        run_actions: the actions that need `run`.
        staff_actions (`frozenset()`): the actions, or on a view without actions the methods in lower case, for staff.
        extra_query_params (`()`): query parameters beside those of filters, ordering and pages; others are a 400.
        rate_limit (None): as of `RateLimitMixin`; without it `AUTOMATE_API_RATE_LIMIT` counts.
        atomic_requests (True): whether `ATOMIC_REQUESTS` holds the handlers. The guards are never inside.
        get_required_scope(): the scope a key needs for this request.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = ConfiguredAuthenticators()
    permission_classes: Sequence[Any] = ()
    throttle_classes: Sequence[type[BaseThrottle]] = ()
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    content_negotiation_class: type[BaseContentNegotiation] = ContentNegotiation
    metadata_class: type[BaseMetadata] | None = None
    versioning_class: type[BaseVersioning] | None = None
    schema: ViewInspector | None = AutoSchema()

    scope_resource: ClassVar[str | None] = None
    scope_access: ClassVar[str | None] = None
    run_actions: ClassVar[frozenset[str]] = RUN_ACTIONS
    staff_actions: ClassVar[frozenset[str]] = frozenset()
    extra_query_params: ClassVar[Collection[str]] = ()
    rate_limit: str | None = None
    atomic_requests: ClassVar[bool] = True

    _claim: Claim | None = None
    _atomic: tuple[str, ...] = ()

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        """The view, outside any transaction of the request: it opens one itself, after the guards."""
        view: Callable[..., Any] = super().as_view(*args, **kwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """REST framework's, in the transaction that `ATOMIC_REQUESTS` asks for; the answer is kept under its key."""
        try:
            with ExitStack() as self._work:
                response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            self._atomic = ()
            if self._claim is not None:
                settle(self._claim, response)
        except BaseException:
            if self._claim is not None:
                self._claim.release()
            raise
        return response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """REST framework's request, with a correlation id."""
        assign_correlation_id(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that is refused before a handler runs: the caller first, then the form of the request."""
        super().initial(request, *args, **kwargs)
        hide_format_suffix(self, request)
        if any(isinstance(value, str) and "\x00" in value for value in kwargs.values()):
            # PostgreSQL cannot even be asked for it.
            raise NotFound
        require_known_query_params(request, self.get_query_params())
        require_readable_body(request)
        self._begin_work(request)

    def _begin_work(self, request: Request) -> None:
        """Claim the request, which commits; only then open the transaction. A request answered before does no work."""
        if request.method == "POST" and HEADER in request.headers and self.scope_access != READ:
            outcome = claim_request(request, tenant_of_request(request))
            if isinstance(outcome, HttpResponse):
                vars(self)["post"] = lambda *args, **kwargs: outcome
                return
            self._claim = outcome
        for connection in connections.all():
            if self.atomic_requests and connection.settings_dict["ATOMIC_REQUESTS"]:
                self._work.enter_context(transaction.atomic(using=connection.alias))
                self._atomic += (connection.alias,)

    def _roll_back(self) -> None:
        """Have the transactions of this request rolled back. One that was open before, as in a test, is not touched."""
        for alias in self._atomic:
            transaction.set_rollback(True, using=alias)

    def check_permissions(self, request: Request) -> None:
        """The package's guards, then the limit and the view's own permissions."""
        self.check_authenticated(request)
        self.check_scope(request)
        self.check_role(request)
        super().check_permissions(request)

    def check_authenticated(self, request: Request) -> None:
        """Raise NotAuthenticated unless somebody is signed in."""
        require_authenticated(request)

    def check_scope(self, request: Request) -> None:
        """Raise PermissionDenied if the API key's scopes do not admit the request."""
        require_scope(request, self.get_required_scope())

    def check_role(self, request: Request) -> None:
        """Raise PermissionDenied if the action is for staff and the user is not; NotAuthenticated if nobody is."""
        if self.get_action() in self.staff_actions:
            require_authenticated(request)
            require_staff(request)

    def get_action(self) -> str:
        """The name of what is done: a viewset's action, else the request's method in lower case."""
        return getattr(self, "action", None) or (self.request.method or "").lower()

    def get_required_scope(self) -> str | None:
        """The scope an API key needs for this request; None: only `*` will do."""
        if self.scope_resource is None:
            return None
        access = self.scope_access or access_of(self.request, self.get_action(), self.run_actions)
        return f"{self.scope_resource}:{access}"

    def get_query_params(self) -> frozenset[str]:
        """The query parameters that this request may have."""
        return frozenset(self.extra_query_params)

    def get_authenticate_header(self, request: Request) -> str:
        """The challenge of a 401: the first that an authenticator has.

        Where all have none, as with sessions alone, REST framework would answer 403; a 401 needs some challenge
        (RFC 9110, section 15.5.2).
        """
        headers = (authenticator.authenticate_header(request) for authenticator in self.get_authenticators())
        return next((header for header in headers if header), CHALLENGE)

    def get_exception_handler(self) -> Any:
        """Problems (RFC 9457), whatever the host's `EXCEPTION_HANDLER` is."""
        return exception_handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """REST framework's response, streams and errors too, with the correlation id."""
        response = super().finalize_response(request, response, *args, **kwargs)
        return_correlation_id(request, response)
        forget_revealed()
        return response


class BaseViewSet(BaseAPIView, GenericViewSet[Any]):
    """`BaseAPIView` for viewsets. One without `queryset` may just define actions.

    Override, beside what `BaseAPIView` and `GenericViewSet` offer:
        filterset_class (None), filterset_fields: declared filters (django-filter); a value that does not fit is a 400.
        ordering (`()`): the order of lists, as `QuerySet.order_by` takes it; else newest first.
        ordering_fields (`()`): what `?ordering=` may name, with `-` for descending.
    """

    pagination_class: type[BasePagination] | None = None
    filter_backends: Sequence[Any] = (FilterBackend, OrderingBackend)
    filterset_class: Any = None
    ordering: Collection[str] | str = ()
    ordering_fields: Collection[str] = ()

    def get_query_params(self) -> frozenset[str]:
        """Also those of filters, ordering and pages, where a list may be asked for."""
        known = super().get_query_params()
        is_detail = (self.lookup_url_kwarg or self.lookup_field) in self.kwargs
        if is_detail or self.request.method not in SAFE_METHODS or not self.request.query_params:
            return known
        return known | list_query_params(self)

    def get_serializer(self, *args: Any, **kwargs: Any) -> BaseSerializer[Any]:
        """REST framework's serializer, made ready to work faster; it gives the same."""
        serializer = super().get_serializer(*args, **kwargs)
        prepare(serializer)
        return serializer


class BaseModelViewSet(PaginationMixin, BaseViewSet, ModelViewSet[Any]):
    """`BaseViewSet` with list, create, retrieve, update, partial update and destroy, in keyset pages, newest first."""


class BaseReadOnlyViewSet(PaginationMixin, BaseViewSet, ReadOnlyModelViewSet[Any]):
    """`BaseViewSet` with list and retrieve, in keyset pages, newest first."""
