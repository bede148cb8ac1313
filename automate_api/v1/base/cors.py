"""Cross-origin requests (Fetch standard, section 3.2), decided by the view."""

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from corsheaders.conf import conf
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from rest_framework.views import APIView

from automate_api.v1.base.order import ViewMixin

if TYPE_CHECKING:
    _View = APIView
else:
    _View = object

logger = logging.getLogger(__name__)

ANY = "*"


class CORSMixin(ViewMixin, _View):
    """Lets pages of other origins call the view. Preflights are answered before anybody is authenticated.

    Where the middleware of django-cors-headers is installed it answers instead: it is told to admit this view's
    origins, and methods, headers and credentials are the middleware's.

    Override:
        cors_origins (`()`): origins such as `https://app.example.com`, or `*`; none: no other origin.
        cors_methods (None): methods that may be used; None: those the view answers.
        cors_headers: request headers that may be sent.
        cors_expose_headers: answer headers that a page may read.
        cors_allow_credentials (False): whether cookies may be sent; never together with `*`.
        cors_max_age (86400): seconds for which a browser may remember a preflight.
    """

    cors_origins: Collection[str] = ()
    cors_methods: Collection[str] | None = None
    cors_headers: Collection[str] = (
        "accept",
        "authorization",
        "content-type",
        "idempotency-key",
        "last-event-id",
        "prefer",
        "x-api-key",
        "x-correlation-id",
        "x-csrftoken",
    )
    cors_expose_headers: Collection[str] = (
        "content-disposition",
        "etag",
        "idempotent-replayed",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-correlation-id",
    )
    cors_allow_credentials = False
    cors_max_age = 86_400

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        """As REST framework's.

        Raises:
            ImproperlyConfigured: credentials are allowed to any origin, or `cors_origins` is a single string.
        """
        origins = kwargs.get("cors_origins", cls.cors_origins)
        if isinstance(origins, str):
            raise ImproperlyConfigured(f"{cls.__name__}.cors_origins is a list of origins, not a string.")
        to_any = isinstance(origins, Collection) and ANY in origins
        if to_any and kwargs.get("cors_allow_credentials", cls.cors_allow_credentials):
            raise ImproperlyConfigured(f"{cls.__name__} allows credentials to any origin: name the origins.")
        return super().as_view(*args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As REST framework's, after preflights."""
        if not is_preflight(request) or not self.cors_origins:
            return super().dispatch(request, *args, **kwargs)
        response = HttpResponse(status=204)
        self._allow_origin(request, response)
        if "Access-Control-Allow-Origin" in response.headers:
            methods = self.allowed_methods if self.cors_methods is None else self.cors_methods
            response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            response.headers["Access-Control-Allow-Headers"] = ", ".join(self.cors_headers)
            response.headers["Access-Control-Max-Age"] = str(self.cors_max_age)
        return response

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """REST framework's response, errors too, with what a page of another origin may see of it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        plain: HttpRequest = getattr(request, "_request", request)
        if self.cors_origins and not _is_left_to_middleware(plain):
            self._allow_origin(plain, response)
            if "Access-Control-Allow-Origin" in response.headers and self.cors_expose_headers:
                response.headers["Access-Control-Expose-Headers"] = ", ".join(self.cors_expose_headers)
        return response

    def _allow_origin(self, request: HttpRequest, response: HttpResponseBase) -> None:
        patch_vary_headers(response, ("Origin",))
        origin = request.headers.get("Origin", "")
        if origin and admits_origin(self, origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            if self.cors_allow_credentials and origin in self.cors_origins:
                response.headers["Access-Control-Allow-Credentials"] = "true"


def admits_origin(view: CORSMixin, origin: str, *, with_credentials: bool = False) -> bool:
    """Whether the view admits `origin`, in which nothing but the whole counts; by `*` only without credentials."""
    any_origin = ANY in view.cors_origins and not (with_credentials or view.cors_allow_credentials)
    return origin in view.cors_origins or any_origin


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks in advance for a page of another origin."""
    asks = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and asks


def _is_left_to_middleware(request: HttpRequest) -> bool:
    # What django-cors-headers' middleware leaves on a request that it answers for.
    return bool(getattr(request, "_cors_enabled", False))


def admit_in_middleware(sender: Any, request: HttpRequest, **kwargs: Any) -> bool:
    """Receiver of django-cors-headers' `check_request_enabled`: whether the view of this path admits the origin."""
    origin = request.headers.get("Origin")
    if not origin:
        return False
    try:
        view = _view_of(request)
        return view is not None and admits_origin(view, origin, with_credentials=conf.CORS_ALLOW_CREDENTIALS)
    except Exception:
        # The middleware asks before anybody is signed in, say, which a host's `setup()` may not expect.
        logger.exception("The view of %s cannot say which origins it admits, so it admits none.", request.path_info)
        return False


def _view_of(request: HttpRequest) -> CORSMixin | None:
    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return None
    cls = getattr(match.func, "cls", None)
    if not (isinstance(cls, type) and issubclass(cls, CORSMixin)):
        return None
    view: CORSMixin = cls(**getattr(match.func, "initkwargs", {}))
    view.setup(request, *match.args, **match.kwargs)
    return view
