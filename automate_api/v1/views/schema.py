"""`schema/`, `docs/` and `redoc/`: the OpenAPI description and two pages to read it with."""

import hashlib
import threading
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.cache import get_conditional_response
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, StaticHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from automate_api.conf import settings
from automate_api.engine.capability import task_types
from automate_api.exceptions import NotConfigured
from automate_api.v1.base import BaseAPIView
from automate_api.v1.schema import SchemaGenerator

_SIDECAR = "drf_spectacular_sidecar"


class _Rendered(BaseRenderer):
    """Passes on what is rendered already."""

    charset = None
    inner: type[BaseRenderer] = OpenApiJsonRenderer

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        return data


class JSON(_Rendered):
    media_type = "application/json"
    format = "json"


class OpenAPIJSON(_Rendered):
    media_type = "application/vnd.oai.openapi+json"
    format = "openapi-json"


class YAML(_Rendered):
    media_type = "application/yaml"
    format = "yaml"
    inner = OpenApiYamlRenderer


class OpenAPIYAML(_Rendered):
    media_type = "application/vnd.oai.openapi"
    format = "openapi"
    inner = OpenApiYamlRenderer


class _SignedInOrPublic(BaseAPIView):
    """For whoever is signed in, by a key of any scope; for all where `AUTOMATE_API_PUBLIC_SCHEMA` is True."""

    def check_authenticated(self, request: Request) -> None:
        """Admit everybody where the schema is public."""
        if not settings.public_schema:
            super().check_authenticated(request)

    def check_scope(self, request: Request) -> None:
        """No scope is needed: the schema shows what there is, not what it holds."""


class SchemaCache:
    """Rendered schemas of this process. Making one takes hundreds of milliseconds, and one at a time is made."""

    size = 16

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rendered: dict[tuple[Any, ...], bytes] = {}

    def get(self, urlconf: Any, renderer: type[BaseRenderer]) -> bytes:
        """The schema of `urlconf` (None: the host's), in the current language, rendered."""
        root = urlconf or django_settings.ROOT_URLCONF
        version = spectacular_settings.OAS_VERSION
        key = (root, renderer, get_language(), get_script_prefix(), version, *task_types())
        found = self._rendered.get(key)
        if found is None:
            with self._lock:
                found = self._rendered.get(key) or self._keep(key, _rendered(urlconf, renderer))
        return found

    def __len__(self) -> int:
        return len(self._rendered)

    def clear(self, **kwargs: Any) -> None:
        """Forget all; also the receiver of changed settings in tests."""
        self._rendered = {}

    def _keep(self, key: tuple[Any, ...], rendered: bytes) -> bytes:
        kept = self._rendered if len(self._rendered) < self.size else {}
        self._rendered = {**kept, key: rendered}
        return rendered


def _rendered(urlconf: Any, renderer: type[BaseRenderer]) -> bytes:
    # Warnings about a host's views are for `manage.py spectacular`, not for a server's output.
    with GENERATOR_STATS.silence():
        generator = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]
        schema = generator.get_schema(request=None, public=True)
    rendered: Any = renderer().render(schema, renderer_context={})
    return bytes(rendered)


@lru_cache(maxsize=SchemaCache.size)
def _etag(schema: bytes) -> str:
    return f'"{hashlib.sha256(schema).hexdigest()[:32]}"'


cache = SchemaCache()
setting_changed.connect(cache.clear, dispatch_uid="automate_api.schema_cache")


_DESCRIBED = OpenApiResponse(
    {"type": "object", "additionalProperties": {}},
    description=_("The description."),
    examples=[OpenApiExample("description", value={"openapi": "3.0.3", "info": {"title": "API"}, "paths": {}})],
)
_ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200, 304], description=_("Changes with the description.")
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description=_("The `ETag` of the description that is known already.")
)


class SchemaView(_SignedInOrPublic):
    """The OpenAPI description of every route of this host that can be described: JSON, or YAML by `Accept`."""

    scope_resource = "schema"
    renderer_classes = (JSON, OpenAPIJSON, OpenAPIYAML, YAML)

    @extend_schema(
        summary=_("This description"),
        description=_("The OpenAPI description of this API, as JSON or as YAML."),
        parameters=[_IF_NONE_MATCH, _ETAG],
        responses={
            **{(200, renderer.media_type): _DESCRIBED for renderer in renderer_classes},
            304: OpenApiResponse(description=_("It has not changed.")),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The OpenAPI description of this API."""
        renderer: Any = request.accepted_renderer
        schema = cache.get(getattr(request, "urlconf", None), renderer.inner)
        etag = _etag(schema)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        headers["Content-Disposition"] = f'inline; filename="openapi.{"json" if "json" in renderer.format else "yaml"}"'
        return get_conditional_response(request, etag=etag, response=Response(schema, headers=headers))


class _Page(_SignedInOrPublic, ABC):
    """A page that shows the schema with assets of this host only."""

    renderer_classes = (StaticHTMLRenderer,)
    schema = None
    schema_url_name: ClassVar[str] = "schema"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The page, which may load nothing from elsewhere (Content Security Policy, level 3)."""
        headers = {"Content-Security-Policy": _policy(), "Cache-Control": "private, no-store"}
        return Response(self.get_html(request), headers=headers)

    @abstractmethod
    def get_html(self, request: Request) -> str:
        """The document."""

    def get_schema_url(self, request: Request) -> str:
        """Where the schema is, relative to this host."""
        match = request.resolver_match
        namespace = f"{match.namespace}:" if match and match.namespace else ""
        return str(reverse(namespace + self.schema_url_name))


class SwaggerView(_Page):
    """Swagger UI."""

    def get_html(self, request: Request) -> str:
        """Swagger UI, which sends the CSRF token along so that a session can try what changes things."""
        return format_html(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="{css}"><link rel="icon" href="{icon}"></head><body>'
            '<div id="swagger-ui" data-schema-url="{url}" data-csrf-header="{header}" data-csrf-token="{token}"></div>'
            '<script src="{bundle}"></script><script src="{start}"></script></body></html>',
            title=spectacular_settings.TITLE or "API",
            css=_asset("swagger-ui-dist/swagger-ui.css"),
            icon=_asset("swagger-ui-dist/favicon-32x32.png"),
            url=self.get_schema_url(request),
            header=django_settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
            token=get_token(request._request),  # noqa: SLF001 - REST framework's documented way to Django's request
            bundle=_asset("swagger-ui-dist/swagger-ui-bundle.js"),
            start=_static("automate_api/docs.js"),
        )


class RedocView(_Page):
    """Redoc."""

    def get_html(self, request: Request) -> str:
        """Redoc."""
        return format_html(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>'
            '<div id="redoc" data-schema-url="{url}"></div>'
            '<script src="{bundle}"></script><script src="{start}"></script></body></html>',
            title=spectacular_settings.TITLE or "API",
            url=self.get_schema_url(request),
            bundle=_asset("redoc/bundles/redoc.standalone.js"),
            start=_static("automate_api/docs.js"),
        )


def _asset(path: str) -> str:
    if not apps.is_installed(_SIDECAR):
        raise NotConfigured(
            _("The schema pages need django-automate-api[schema-ui], and drf_spectacular_sidecar in INSTALLED_APPS.")
        )
    return _static(f"{_SIDECAR}/{path}")


def _static(path: str) -> str:
    try:
        return static(path)
    except (ImproperlyConfigured, ValueError) as exc:
        raise NotConfigured(_("The schema pages need STATIC_URL, and static files that are collected.")) from exc


def _policy() -> str:
    assets = _origin(_static("automate_api/docs.js"))
    servers = {_origin(server.get("url", "")) for server in spectacular_settings.SERVERS or ()} | {"'self'"}
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {assets}",
            f"style-src {assets} 'unsafe-inline'",
            f"img-src {assets} data:",
            f"font-src {assets} data:",
            f"connect-src {' '.join(sorted(servers))}",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else "'self'"
