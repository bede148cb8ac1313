"""System checks on the views that are routed."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from corsheaders.conf import conf as cors
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from rest_framework.generics import GenericAPIView
from rest_framework.views import APIView

from automate_api.checks.reading import TAG, has_cors_middleware, url_patterns
from automate_api.security.limits import is_rate
from automate_api.v1.base import BaseAPIView, TenantFilterMixin
from automate_api.v1.base.cors import ANY, CORSMixin
from automate_api.v1.base.public import PublicAPIMixin
from automate_api.v1.base.rate_limit import RateLimitMixin
from automate_api.v1.schema.names import is_ours

_COLUMN = TenantFilterMixin.tenant_field
# As browsers spell one (RFC 6454, section 6.2): nothing after the port, and no port that the scheme implies.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_IMPLIED_PORT = re.compile(r"http://.*:80|https://.*:443")


@dataclass(frozen=True)
class Routed:
    """A view and what its route says otherwise."""

    view: type[APIView]
    kwargs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The view's full name."""
        return f"{self.view.__module__}.{self.view.__qualname__}"

    def get(self, name: str, untold: Any = None) -> Any:
        """An attribute of the view as its route has it; `untold` where only a request can tell."""
        value = self.kwargs.get(name, getattr(self.view, name, None))
        return untold if isinstance(value, property) else value


def on_views(find: Callable[[Routed], Iterator[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    """Register what `find` finds on each routed view, once."""

    def run(**kwargs: Any) -> list[CheckMessage]:
        found: list[CheckMessage] = []
        for message in (message for routed in _routed() for message in find(routed)):
            if message not in found:
                found.append(message)
        return found

    run.__name__, run.__doc__ = find.__name__, find.__doc__
    return register(TAG)(run)


def _routed() -> Iterator[Routed]:
    for pattern in url_patterns():
        view = getattr(pattern.callback, "cls", None)
        if isinstance(view, type) and issubclass(view, APIView):
            yield Routed(view, getattr(pattern.callback, "initkwargs", {}))


@on_views
def check_tenant_filters(routed: Routed) -> Iterator[CheckMessage]:
    """W006: a view shows a model that has the tenant column, and does not filter by it."""
    model = _model_of(routed) if issubclass(routed.view, GenericAPIView) else None
    if model is None or issubclass(routed.view, TenantFilterMixin):
        return
    if any(field.name == _COLUMN for field in model._meta.concrete_fields):  # noqa: SLF001 - Django's public name for it
        message = f"{routed.name} shows rows of every tenant: its model has {_COLUMN!r}."
        hint = "Put automate_api.v1.base.TenantFilterMixin first in its bases, or silence this if that is meant."
        yield checks.Warning(message, hint=hint, obj=routed.view, id="automate_api.W006")


def _model_of(routed: Routed) -> Any:
    """The model of a view's rows: its queryset's, else the one its serializer or its filters are made for."""
    sources = (
        routed.get("queryset"),
        getattr(routed.get("serializer_class"), "Meta", None),
        getattr(routed.get("filterset_class"), "_meta", None),
    )
    models = (getattr(source, "model", None) for source in sources)
    return next((model for model in models if hasattr(model, "_meta")), None)


@on_views
def check_policy(routed: Routed) -> Iterator[CheckMessage]:
    """E016: a view of this package says nowhere what an API key needs for it."""
    if is_ours(routed.view) and not _has_policy(routed):
        message = f"{routed.name} has no policy: which API keys it admits is written nowhere."
        hint = "Give it a scope_resource on a base of automate_api.v1.base, or a check_scope() of its own."
        yield Error(message, hint=hint, obj=routed.view, id="automate_api.E016")


def _has_policy(routed: Routed) -> bool:
    view = routed.view
    if not issubclass(view, BaseAPIView):
        return False
    own = (
        view.check_scope is not BaseAPIView.check_scope or view.get_required_scope is not BaseAPIView.get_required_scope
    )
    return own or bool(routed.get("scope_resource"))


@on_views
def check_credentials(routed: Routed) -> Iterator[CheckMessage]:
    """E013: a view is open to every origin, and to credentials."""
    if ANY not in _origins(routed):
        return
    if routed.get("cors_allow_credentials"):
        message = f"{routed.name} has '*' among its cors_origins and cors_allow_credentials: browsers refuse both."
    elif has_cors_middleware() and cors.CORS_ALLOW_CREDENTIALS:
        message = f"{routed.name} has '*' among its cors_origins, which admits nobody with CORS_ALLOW_CREDENTIALS."
    else:
        return
    hint = "Name the origins, or allow no credentials."
    yield Error(message, hint=hint, obj=routed.view, id="automate_api.E013")


@on_views
def check_origins(routed: Routed) -> Iterator[CheckMessage]:
    """E014: an origin of a view is none, or one that any page can have."""
    for origin in _origins(routed):
        if origin != ANY and not _is_origin(origin):
            message = f"{routed.name} has {origin!r} among its cors_origins, which is no origin of a page."
            hint = "Write scheme, host and port as in 'https://app.example.com:8443': lower case, no path, no slash."
            yield Error(message, hint=hint, obj=routed.view, id="automate_api.E014")


def _origins(routed: Routed) -> Collection[Any]:
    origins = routed.get("cors_origins") if issubclass(routed.view, CORSMixin) else ()
    if isinstance(origins, str):
        return (origins,)
    return origins if isinstance(origins, Collection) else ()


def _is_origin(origin: Any) -> bool:
    return bool(isinstance(origin, str) and _ORIGIN.fullmatch(origin) and not _IMPLIED_PORT.fullmatch(origin))


@on_views
def check_rates(routed: Routed) -> Iterator[CheckMessage]:
    """E017: a limit of a view is not a rate, or nobody is counted."""
    for problem in _rate_problems(routed):
        hint = "Write a rate as '1000/hour', '10/m' or '5/30s'; count 'user', 'ip', 'tenant', or what a callable says."
        yield Error(f"{routed.name}: {problem}.", hint=hint, obj=routed.view, id="automate_api.E017")


def _rate_problems(routed: Routed) -> Iterator[str]:
    public = routed.get("public_rate_limit", untold=PublicAPIMixin.public_rate_limit)
    if issubclass(routed.view, PublicAPIMixin) and not is_rate(public):
        yield f"public_rate_limit is {public!r}, which is not a rate"
    if not issubclass(routed.view, RateLimitMixin):
        return
    rate, key = routed.get("rate_limit"), routed.get("rate_limit_key")
    if rate is not None and not is_rate(rate):
        yield f"rate_limit is {rate!r}, which is not a rate"
    if isinstance(key, str) and key not in {"user", "ip", "tenant"}:
        yield f"rate_limit_key is {key!r}, which counts nobody"
    setting = f"{routed.get('setting_prefix')}_RATE_LIMIT"
    own = getattr(settings, setting, None)
    if rate is None and own is not None and setting != "AUTOMATE_API_RATE_LIMIT" and not is_rate(own):
        yield f"{setting} is {own!r}, which is not a rate"
