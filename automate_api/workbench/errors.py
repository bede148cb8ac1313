"""Errors as the workbench's front ends read them: problems with a string `error`, and a way to sign in."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions as drf
from rest_framework.request import Request

from automate_api.v1 import errors
from automate_api.v1.negotiation import prefers_html


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """A problem (RFC 9457) with `error` beside its members; for a browser that nobody is signed in with, a redirect."""
    request: Request | None = context.get("request")
    if isinstance(exc, drf.NotAuthenticated) and request is not None and prefers_html(request):
        return _to_login(request)
    response = errors.exception_handler(exc, context)
    response.data = with_error(response.data)
    return response


def with_error(problem: Mapping[str, Any]) -> dict[str, Any]:
    """`problem` with `error`: all that is wrong, in one text for people."""
    faults = [f"{fault['field']}: {fault['detail']}".removeprefix(": ") for fault in problem.get("errors", ())]
    return {**problem, "error": " ".join(faults) or problem["detail"]}


def _to_login(request: Request) -> HttpResponse:
    # Of its own address only the path and the query: where to go after that is on this host, whatever they say.
    response = redirect_to_login(request.get_full_path())
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
    return response
