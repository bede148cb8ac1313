"""Keyset pages: `?cursor=&page_size=` and `{"next", "previous", "results"}`.

A cursor is a position between two rows, signed with Django's `SECRET_KEY` and bound to model and order. No page counts
rows or skips over them; `?count=true` counts up to a bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.plumbing import is_jsonschema_compliant
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from automate_api.v1.filters import newest_first
from automate_api.v1.keyset import Keyset, decode_value, encode_value, keyset

# `?count=true` says this for this many rows and for any number beyond.
MAX_COUNT = 10_000

_SALT = "automate_api.v1.pagination"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins, and which way it goes. A row exactly at the position belongs to an inclusive page."""

    position: list[Any] | None = None
    backward: bool = False
    inclusive: bool = False

    def encode(self, spec: str) -> str:
        """The cursor as text, bound to `spec`."""
        values = [encode_value(value) for value in self.position or ()]
        # No timestamp: equal pages are equal bytes.
        return signing.Signer(salt=_SALT).sign_object([spec, int(self.backward), int(self.inclusive), values])

    @classmethod
    def decode(cls, text: str, spec: str) -> "Cursor":
        """The cursor that `encode` wrote.

        Raises:
            ValueError: it was not written here, or for another list.
        """
        try:
            bound_to, backward, inclusive, values = signing.Signer(salt=_SALT).unsign_object(text)
        except signing.BadSignature as exc:
            raise ValueError("not signed here") from exc
        if bound_to != spec:
            raise ValueError("of another list")
        return cls([decode_value(value) for value in values], bool(backward), bool(inclusive))


class KeysetPagination(BasePagination):
    """Pages of a queryset in its own order, else newest first (`-created_at, -pk`, or `-pk`).

    `page_size` (25) and `max_page_size` (200) are attributes of the view.
    """

    parameters = ("cursor", "page_size", "count")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page that `request` asks for.

        Raises:
            ValidationError: a parameter does not fit (400).
            ImproperlyConfigured: the queryset's order cannot be paged through.
        """
        self.request = request
        size = _page_size(request, getattr(view, "page_size", 25), getattr(view, "max_page_size", 200))
        self.count = _bounded_count(queryset) if _wants_count(request) else None
        self.keyset = keyset(queryset, newest_first(queryset.model))
        self.cursor = _cursor(request, self.keyset)
        rows = self.keyset.rows(
            self.cursor.position, backward=self.cursor.backward, inclusive=self.cursor.inclusive, limit=size + 1
        )
        self.has_more = len(rows) > size
        self.page = rows[:size][::-1] if self.cursor.backward else rows[:size]
        return self.page

    def get_paginated_response(self, data: Any) -> Response:
        """The page with the addresses of its neighbours, and `count` if it was asked for."""
        members: dict[str, Any] = {"next": self._link(backward=False), "previous": self._link(backward=True)}
        if self.count is not None:
            members["count"] = self.count
        return Response({**members, "results": data})

    def _link(self, *, backward: bool) -> str | None:
        same_way = backward is self.cursor.backward
        if self.cursor.position is None and backward:
            return None
        if same_way and not self.has_more:
            return None
        if self.page:
            edge = self.page[0] if backward else self.page[-1]
            cursor = Cursor(self.keyset.position_of(edge), backward)
        else:
            # Everything on this page is gone; the way back must still meet the row the position was taken from.
            cursor = Cursor(self.cursor.position, backward, inclusive=not self.cursor.inclusive)
        query = self.request.query_params.copy()
        query["cursor"] = cursor.encode(self.keyset.spec)
        here = urlsplit(self.request.build_absolute_uri())
        return urlunsplit(here._replace(query=query.urlencode()))

    def get_query_params(self, view: Any) -> tuple[str, ...]:
        """The parameters pages read."""
        return self.parameters

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters as OpenAPI has them."""
        size = {"type": "integer", "minimum": 1, "maximum": getattr(view, "max_page_size", 200)}
        size["default"] = getattr(view, "page_size", 25)
        return [
            _parameter("cursor", {"type": "string"}, "Where the page begins: from `next` or `previous` of another."),
            _parameter("page_size", size, "Rows on a page."),
            _parameter("count", {"type": "boolean"}, f"Also count the rows, up to {MAX_COUNT}."),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope as OpenAPI has it."""
        link: dict[str, Any] = {"type": "string", "format": "uri", "nullable": True}
        if is_jsonschema_compliant():  # type: ignore[no-untyped-call]
            link = {"type": ["string", "null"], "format": "uri"}
        count = {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
        count["description"] = f"Only with `count=true`; {MAX_COUNT} stands for any number beyond."
        properties = {
            "next": {**link, "description": "The address of the page after this one; null: this is the last."},
            "previous": {**link, "description": "The address of the page before this one; null: this is the first."},
            "count": count,
            "results": {**schema, "description": "The rows of this page."},
        }
        return {
            "type": "object",
            "description": "A page of a list.",
            "required": ["next", "previous", "results"],
            "properties": properties,
        }


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _page_size(request: Request, default: int, largest: int) -> int:
    asked = request.query_params.get("page_size")
    if asked is None:
        return default
    if asked.isascii() and asked.isdecimal() and len(asked) <= len(str(largest)) and 1 <= int(asked) <= largest:
        return int(asked)
    raise _invalid("page_size", _("A page has 1 to %(largest)d rows.") % {"largest": largest})


def _wants_count(request: Request) -> bool:
    asked = request.query_params.get("count", "false")
    if asked not in {"true", "false"}:
        raise _invalid("count", _("Say true or false."))
    return asked == "true"


def _bounded_count(queryset: QuerySet[Any]) -> int:
    return queryset.order_by()[:MAX_COUNT].count()


def _cursor(request: Request, rows: Keyset) -> Cursor:
    text = request.query_params.get("cursor")
    if text is None:
        return Cursor()
    try:
        return Cursor.decode(text, rows.spec)
    except ValueError as exc:
        raise _invalid("cursor", _("This cursor is not of this list in this order.")) from exc


def _invalid(parameter: str, detail: Any) -> ValidationError:
    errors: dict[str, Sequence[ErrorDetail]] = {parameter: [ErrorDetail(str(detail), "invalid")]}
    return ValidationError(errors)
