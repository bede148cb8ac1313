"""The organization admin API: sign in with an API key, list models, download prompt logs."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.exceptions import NotFound, PermissionDenied
from automate_api.models import Actor, PromptLog
from automate_api.organization.authentication import CHALLENGE, OnlyTokenAuthentication
from automate_api.organization.errors import FORM, exception_handler
from automate_api.organization.schema import HEADERS, ORGANIZATION, SIGN_IN, OrganizationSchema
from automate_api.organization.serializers import OrganizationModelsSerializer, OrganizationTokenSerializer
from automate_api.services.models import reachable_models
from automate_api.services.prompt_archive import open_prompt_archive
from automate_api.services.tokens import sign_in
from automate_api.v1.archives import ZIP, ZIP_FILE, ArchiveResponse
from automate_api.v1.base import BaseAPIView, MaintenanceMixin, PublicAPIMixin
from automate_api.v1.base.maintenance import refuse_in_maintenance
from automate_api.v1.negotiation import AnyForm
from automate_api.v1.permissions import key_of
from automate_api.v1.views.domain import is_asgi

PREFIX = "prompt_log_prefix"


class OrganizationView(MaintenanceMixin, BaseAPIView):
    """Base of these routes: tokens, the organization of the path, this protocol's errors, maintenance mode.

    Override:
        may_use_organization(organization): whether the caller may act in an organization of which its API key is not.
    """

    authentication_classes: Any = (OnlyTokenAuthentication,)
    schema = OrganizationSchema()
    error_form = FORM

    def check_permissions(self, request: Request) -> None:
        """The package's guards; the organization comes first of all, once somebody is signed in."""
        self.check_authenticated(request)
        self.check_organization(request)
        super().check_permissions(request)

    def check_organization(self, request: Request) -> None:
        """Raise PermissionDenied unless the caller may act in the organization of the path, if there is one."""
        key, organization = key_of(request), self.kwargs["organization"]
        if key is None or (key.tenant_id != organization and not self.may_use_organization(organization)):
            raise PermissionDenied(_("You may not use this organization."))

    def may_use_organization(self, organization: str) -> bool:
        """Whether the caller may act in `organization`, although its API key is of another; no."""
        return False

    def get_actor(self) -> Actor:
        """Who is calling, in the organization of the path."""
        return Actor(user=self.request.user, tenant_id=self.kwargs["organization"], api_key=key_of(self.request))

    def get_exception_handler(self) -> Any:
        """Errors as this protocol has them."""
        return exception_handler


class SignInView(PublicAPIMixin, OrganizationView):
    """Sign in with an API key."""

    authentication_classes: Any = ()
    public_rate_limit = "5/minute"

    def check_organization(self, request: Request) -> None:
        """Whether the key is of the organization is looked at with the rest of it."""

    def get_authenticate_header(self, request: Request) -> str:
        """The challenge of a 401, which needs some (RFC 9110, section 15.5.2)."""
        return CHALLENGE

    @extend_schema(
        parameters=[ORGANIZATION, *SIGN_IN],
        summary=_("Sign in with API key"),
        description=_(
            "A token for an API key, good for an hour. It ends earlier with the key, with its user's account, and with "
            "the secret that it was given for. Key, id and user must belong together and to the organization. Each "
            "address may try five times a minute."
        ),
        request=None,
        responses=OpenApiResponse(OrganizationTokenSerializer, description=_("The token.")),
    )
    def post(self, request: Request, organization: str) -> Response:
        """A token for the key in the headers."""
        key, key_id, user_id = (request.headers.get(name, "") for name in ("x-api-key", "x-api-key-id", "x-user-id"))
        token = sign_in(organization=organization, api_key=key, key_id=key_id, user_id=user_id)
        if token is None:
            raise AuthenticationFailed(_("The API key, its id, the user and the organization do not belong together."))
        answer = {"id_token": token.text, "expires_at": token.expires_at.isoformat()}
        return Response(answer, headers={"Cache-Control": "no-store"})


class ModelsView(OrganizationView):
    """The models of the organization."""

    scope_resource = "Admin"
    scope_access = "GetModels"
    rate_limit = "20/minute"
    rate_limit_group = "organization.get_models"
    error_statuses: ClassVar[Any] = {"get": (HTTPStatus.FORBIDDEN,)}

    @extend_schema(
        parameters=[ORGANIZATION, *HEADERS],
        summary=_("List models of organization"),
        description=_(
            "Every model that the caller can reach, by name. The API key needs the scope `Admin:GetModels`, which `*` "
            "includes for staff."
        ),
        responses=OpenApiResponse(OrganizationModelsSerializer, description=_("The models.")),
    )
    def get(self, request: Request, organization: str) -> Response:
        """The models by name. Several providers' model of one name is one."""
        models = {model.name: model.params_schema for model in reachable_models(actor=self.get_actor())}
        listed = [{"name": name, "params_model_schema": models[name]} for name in sorted(models)]
        return Response({"models": listed})


class PromptLogsView(OrganizationView):
    """The prompt logs of the organization.

    Override:
        may_read_log(log): whether the caller may read a log of the organization; staff all, others their own.
    """

    scope_resource = "prompt-logs"
    rate_limit = "20/minute"
    rate_limit_group = "organization.get_prompt_logs"
    extra_query_params = (PREFIX,)
    content_negotiation_class = AnyForm
    error_statuses: ClassVar[Any] = {
        "get": (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)
    }

    def may_read_log(self, log: PromptLog) -> bool:
        """Whether the caller may read `log`; if not, the archive says so in its place. It may use the database."""
        actor = self.get_actor()
        return actor.is_staff or (log.user_id is not None and log.user_id == actor.user.pk)

    @extend_schema(
        parameters=[
            ORGANIZATION,
            OpenApiParameter(
                PREFIX,
                str,
                OpenApiParameter.QUERY,
                required=True,
                description=_("How the keys of the logs begin, letter by letter."),
            ),
            *HEADERS,
        ],
        summary=_("Download prompt logs of organization"),
        description=_(
            "The organization's logs of the last 30 days whose key begins with the prefix, as a zip file: of each the "
            "entries `{log_key}-system` and `{log_key}-history`, or `{log_key}-error` where the caller may not read it "
            "or it cannot be had. At most 1000. The API key needs the scope `prompt-logs:read`."
        ),
        responses=ZIP_FILE,
    )
    def get(self, request: Request, organization: str) -> HttpResponseBase:
        """As a zip file, which is made while it is sent."""
        prefix = request.query_params.get(PREFIX, "")
        logs = PromptLog.objects.of_tenant(self.get_actor().tenant_id)
        pages = open_prompt_archive(logs, prefix=prefix, may_read=self.may_read_log)
        is_empty = request.method == "HEAD"
        return ArchiveResponse(
            pages, filename="prompt-logs.zip", content_type=ZIP, is_async=is_asgi(request), is_empty=is_empty
        )


class UnknownRouteView(OrganizationView):
    """Whatever else lies below the routes' first words. Without it Django would redirect where a slash is missing."""

    scope_resource = "organization"
    http_method_names: Any = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse the request; in maintenance mode as everywhere.

        Raises:
            InMaintenance: there is maintenance (503).
            NotFound: there is not (404).
        """
        refuse_in_maintenance()
        raise NotFound(_("There is no such route. Mind the slash at its end."))
