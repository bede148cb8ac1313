"""How these routes describe themselves: with their own errors, and without idempotency keys."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions as drf

from automate_api import exceptions as ours
from automate_api.organization.authentication import ISSUER
from automate_api.v1.schema import AutoSchema
from automate_api.v1.schema.problems import Answer

_header = partial(OpenApiParameter, type=str, location=OpenApiParameter.HEADER)

ORGANIZATION = OpenApiParameter(
    "organization",
    {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    OpenApiParameter.PATH,
    description=_("The organization, which is a tenant's id."),
)
HEADERS = (
    _header(ISSUER, description=_("The organization that has issued the token. It need not be sent.")),
    _header("x-mongo-cluster-name", description=_("Accepted and ignored.")),
)
SIGN_IN = (
    _header("x-api-key", required=True, description=_("The API key.")),
    _header("x-api-key-id", required=True, description=_("Its id.")),
    _header("x-user-id", required=True, description=_("The id of its user.")),
    HEADERS[1],
)


def _misfit() -> ours.InvalidInput:
    return ours.InvalidInput([ours.FieldError("page", "unknown_parameter", "There is no such query parameter.")])


def _too_many() -> ours.Unprocessable:
    return ours.Unprocessable(detail="More than 1000 logs have a key that begins so. Make the prefix longer.")


def _over_the_limit() -> ours.RateLimited:
    return ours.RateLimited("Too many requests: the limit “organization.get_models” is 20/minute.")


_ANSWERS = {
    answer.status: answer
    for answer in (
        Answer(
            400, "BadRequest", "Something that was sent does not fit, or cannot be read.", (_misfit, drf.ParseError)
        ),
        Answer(
            401,
            "Unauthorized",
            "No credentials, or none that are valid and belong together.",
            (drf.NotAuthenticated, lambda: drf.AuthenticationFailed("The token is not valid.")),
            ("WWW-Authenticate",),
        ),
        Answer(
            403,
            "Forbidden",
            "The caller may not use this organization, if there is one, or the key's scopes do not admit this.",
            (lambda: ours.PermissionDenied("You may not use this organization."),),
        ),
        Answer(404, "NotFound", "No log has such a key.", (ours.NotFound,)),
        Answer(406, "NotAcceptable", "`Accept` names no form that this has.", (drf.NotAcceptable,)),
        Answer(422, "Unprocessable", "There is no prefix, or more than 1000 logs have it.", (_too_many,)),
        Answer(
            429,
            "RateLimited",
            "A limit of this server is reached.",
            (_over_the_limit,),
            ("Retry-After", "RateLimit", "RateLimit-Policy"),
        ),
        Answer(
            503,
            "Unavailable",
            "The server is under maintenance, or has no key to sign tokens with.",
            (ours.UnderMaintenance, lambda: ours.NotConfigured("There is no key to sign tokens with.")),
            ("Retry-After",),
        ),
    )
}
_ALWAYS = (400, 401, 406, 429, 503)


class OrganizationSchema(AutoSchema):
    """The package's description. A view's `error_statuses`, by method, are those beside what all answer."""

    def get_tags(self) -> list[str]:
        """One for all, whatever the scopes are called."""
        return ["organization"]

    @property
    def _takes_idempotency_key(self) -> bool:
        return False

    def _problems(self, operation: dict[str, Any]) -> Iterator[Answer]:
        further = getattr(self.view, "error_statuses", {}).get(self.method.lower(), ())
        for status in sorted({*_ALWAYS, *map(HTTPStatus, further)}):
            yield _ANSWERS[status]
