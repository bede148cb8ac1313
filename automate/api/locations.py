"""Where things are, for the header `Location`."""

from typing import Any

from django.urls import NoReverseMatch
from rest_framework.request import Request
from rest_framework.reverse import reverse

from automate_api.v1.prefer import url_of

_ROUTE = "workflow-run-detail"


def location_of_run(request: Request, run: Any) -> dict[str, str]:
    """The header that says where a run is: beside this route, else in the package's routes; none without either."""
    try:
        return {"Location": url_of(request, _ROUTE, run)}
    except NoReverseMatch:
        # A host has mounted the view of this request by itself.
        pass
    try:
        return {"Location": str(reverse(f"automate:{_ROUTE}", kwargs={"pk": run.pk}))}
    except NoReverseMatch:
        return {}
