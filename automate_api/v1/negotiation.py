"""What form an answer takes: JSON, and an event stream where the view has one."""

import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

from rest_framework import renderers
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches, order_by_precedence
from rest_framework.views import APIView

from automate_api.v1.errors import ProblemResponse, exception_handler

EVENT_STREAM, JSON, HTML = "text/event-stream", "application/json", "text/html"

_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)


def accepts_event_stream(request: Request) -> bool:
    """Whether the caller asks for an event stream by name; `*/*` does not."""
    return any(_essence(part) == EVENT_STREAM for part in request.headers.get("Accept", "").split(","))


def prefers_event_stream(request: Request) -> bool:
    """Whether the caller asks for an event stream by name, and not rather for JSON (RFC 9110, section 12.5.1)."""
    return _prefers(request, EVENT_STREAM)


def prefers_html(request: Request) -> bool:
    """Whether the caller asks for a page by name, as a browser does that follows a link, and not rather for JSON."""
    return _prefers(request, HTML)


def _prefers(request: Request, media_type: str) -> bool:
    weights = dict(_weighted(part) for part in request.headers.get("Accept", "").split(","))
    wanted = weights.get(media_type, 0.0)
    return wanted > 0 and wanted >= weights.get(JSON, 0.0)


def _weighted(part: str) -> tuple[str, float]:
    """A media type of `Accept` and how much it is wanted, from 0 to 1; what is no number counts as 1."""
    media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")), "1")
    return media_type, float(weight) if _WEIGHT.fullmatch(weight) else 1.0


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


class ContentNegotiation(DefaultContentNegotiation):
    """By `Accept`, and by a route's format suffix such as `.json`; no `?format=`.

    A caller that asks for an event stream is never refused.

    Browsers' `EventSource` sends `Accept: text/event-stream` and nothing else; whether a view streams is the view's
    business (`accepts_event_stream`), and its errors come as problems either way.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer that the most specific accepted media type matches.

        Raises:
            NotAcceptable: none matches.
            Http404: none has the format of the suffix.
        """
        renderers = self.filter_renderers(list(renderers), format_suffix) if format_suffix else list(renderers)
        accepted = self.get_accept_list(request)
        for equals in order_by_precedence(accepted):
            for renderer in renderers:
                if any(media_type_matches(renderer.media_type, media_type) for media_type in equals):
                    return renderer, renderer.media_type
        if accepts_event_stream(request):
            return renderers[0], renderers[0].media_type
        raise NotAcceptable(available_renderers=renderers)

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The first parser of the body's media type, which is one type: a range or a list of types has no parser."""
        if any(sign in _essence(request.content_type or "") for sign in "*,"):
            return None
        parser: BaseParser | None = super().select_parser(request, parsers)
        return parser


class AnyForm(ContentNegotiation):
    """For answers that have one form, whatever the caller accepts: a file is of the type that it is."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def hide_format_suffix(view: APIView, request: Request) -> None:
    """Leave the format suffix of a `DefaultRouter`'s route out of what the handler is called with, unless it takes it.

    A handler written `activate(self, request, pk=None)` would fail on `.json`, where its neighbours answer.
    """
    name = view.settings.FORMAT_SUFFIX_KWARG
    if name not in view.kwargs:
        return
    handler = getattr(view, (request.method or "").lower(), view.http_method_not_allowed)
    parameters = inspect.signature(handler).parameters.values()
    if not any(parameter.name == name or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        del view.kwargs[name]


class JSONForPages(ContentNegotiation):
    """For views that browsers ask for a page, such as by a form's POST: they are not refused, and get JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """As `ContentNegotiation`, and the first renderer for whoever wants a page."""
        renderers = list(renderers)
        if prefers_html(request) and not format_suffix:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)


class JSONRenderer(renderers.JSONRenderer):
    """Compact UTF-8 JSON, whatever the host's `REST_FRAMEWORK` says of JSON."""

    ensure_ascii = False
    compact = True
    strict = True

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """`data` as JSON; nothing for None.

        Where it cannot be written, as NaN cannot, the answer becomes the problem that an exception of the view would
        be: Django renders when nobody is left to handle exceptions.
        """
        if data is None:
            return b""
        try:
            return self._encoded(data)
        except Exception as exc:
            response = (renderer_context or {}).get("response")
            if response is None:
                raise
            problem = self.get_problem(exc, renderer_context)
            content: bytes = problem.rendered_content
            response.status_code = problem.status_code
            response.headers["Content-Type"] = problem.headers["Content-Type"]
            return content

    def get_problem(self, exc: Exception, context: Any) -> ProblemResponse:
        """The answer where `exc` keeps the data from being written."""
        return exception_handler(exc, context)

    def _encoded(self, data: Any) -> bytes:
        try:
            return self._dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            # Half a surrogate pair, which a model may have sent: only its escape can be transmitted.
            return self._dumps(data, ensure_ascii=True).encode()

    def _dumps(self, data: Any, *, ensure_ascii: bool) -> str:
        return json.dumps(
            data, cls=self.encoder_class, ensure_ascii=ensure_ascii, allow_nan=False, separators=(",", ":")
        )
