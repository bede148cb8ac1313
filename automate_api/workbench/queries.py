"""What may stand behind the question mark of the workbench's routes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from automate_api.exceptions import FieldError, InvalidInput

MOST_PAGES = 10**9

# A number has one spelling, and this many digits.
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which page of the list, and whether it is made anew."""

    page: int
    page_size: int
    invalidate_cache: bool


def list_query(params: Any, *, page_size: int, max_page_size: int) -> ListQuery:
    """What `params`, the query of a request, asks of the list.

    Raises:
        InvalidInput: a parameter is not what it should be, or comes twice.
    """
    found = Values(params)
    asked = ListQuery(
        page=found.number("page", 1, most=MOST_PAGES),
        page_size=found.number("page_size", page_size, most=max_page_size),
        invalidate_cache=found.flag("invalidate_cache"),
    )
    found.require_no_faults()
    return asked


def name_in(params: Any) -> str:
    """The `new_name` in the query of a request; empty where there is none.

    Raises:
        InvalidInput: it comes twice.
    """
    found = Values(params)
    name = found.text("new_name")
    found.require_no_faults()
    return name or ""


class Values:
    """The values of query parameters, and what is wrong with them."""

    def __init__(self, params: Any) -> None:
        self._params = params
        self._faults: list[FieldError] = []

    def text(self, name: str) -> str | None:
        """The one value of `name`; None where there is none."""
        values: list[str] = self._params.getlist(name)
        if len(values) > 1:
            self._fault(name, _("Only one is possible."))
        return values[0] if values else None

    def number(self, name: str, default: int, *, most: int) -> int:
        """The number `name`, from 1 to `most`."""
        text = self.text(name)
        if text is None:
            return default
        if _NUMBER.fullmatch(text) and int(text) <= most:
            return int(text)
        self._fault(name, _("This is a number from 1 to %(most)d.") % {"most": most})
        return default

    def flag(self, name: str) -> bool:
        """Whether `name` is `true`."""
        text = self.text(name)
        if text is not None and text.lower() not in _FLAGS:
            self._fault(name, _("This is `true` or `false`."))
        return _FLAGS.get((text or "").lower(), False)

    def require_no_faults(self) -> None:
        """Raise InvalidInput with all that is wrong."""
        if self._faults:
            raise InvalidInput(self._faults)

    def _fault(self, name: str, detail: Any) -> None:
        self._faults.append(FieldError(name, "invalid", str(detail)))


def list_parameters(page_size: int, max_page_size: int) -> list[OpenApiParameter]:
    """The list's parameters in the OpenAPI description."""
    number: Mapping[str, Any] = {"type": "integer", "minimum": 1}
    return [
        OpenApiParameter(
            "page",
            {**number, "maximum": MOST_PAGES, "default": 1},
            description=_("Which page, from 1; one past the end is a 400."),
        ),
        OpenApiParameter(
            "page_size",
            {**number, "maximum": max_page_size, "default": page_size},
            description=_("LLM clients on a page."),
        ),
        OpenApiParameter(
            "invalidate_cache",
            {"type": "boolean", "default": False},
            description=_("Read the database, whatever is kept of the list. What is kept is never older than that."),
        ),
    ]


CLIENT_ID = OpenApiParameter(
    "llm_client_id", OpenApiTypes.INT64, OpenApiParameter.PATH, description=_("The id of an LLM client.")
)

_NAME = {"type": "string", "minLength": 1, "maxLength": 200}
#: Of the routes that have it in their path, and of those that have not.
NEW_NAME = [
    OpenApiParameter("new_name", _NAME, OpenApiParameter.PATH, description=_("What it shall be called.")),
    OpenApiParameter("new_name", _NAME, required=False, description=_("What it shall be called. It must be there.")),
]
