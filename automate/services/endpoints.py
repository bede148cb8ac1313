"""The endpoints that a definition names: whether they are there for its owner, and what they are called elsewhere."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from automate.steps.base import get_step_type
from automate_api.exceptions import FieldError
from automate_api.models import Actor, Endpoint

# An id has one spelling.
_ID = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def check_endpoints(definition: dict[str, Any], *, actor: Actor) -> list[FieldError]:
    """An error for each step of a sound `definition` that names an endpoint which `actor` may not run.

    Another tenant's is like one that there is not.
    """
    named = list(_endpoint_steps(definition["steps"], "definition.steps"))
    known = _known({settings["endpoint"] for _field, settings in named}, actor)
    detail = str(_("There is no such object."))
    return [
        FieldError(f"{field}.endpoint", "does_not_exist", detail)
        for field, settings in named
        if settings["endpoint"] not in known
    ]


def name_by_slug(definition: dict[str, Any], *, actor: Actor) -> None:
    """Have each step of `definition` that names an endpoint by its id name it by its slug; ids differ elsewhere."""
    named = [settings for _field, settings in _endpoint_steps(definition["steps"], "")]
    known = _known({settings["endpoint"] for settings in named}, actor)
    for settings in named:
        settings["endpoint"] = known.get(settings["endpoint"], settings["endpoint"])


def _known(keys: Iterable[str], actor: Actor) -> dict[str, str]:
    """The slugs of those endpoints that `actor` may run, by each of `keys`, which are ids and slugs."""
    by_id = Q(pk__in=[int(key) for key in keys if _ID.fullmatch(key)])
    rows = Endpoint.objects.readable_by(actor).filter(by_id | Q(slug__in=keys)).order_by()
    found: dict[str, str] = {}
    for pk, slug in rows.values_list("pk", "slug"):
        found |= {str(pk): slug, slug: slug}
    return found


def _endpoint_steps(steps: list[Any], field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The settings of every step that names an endpoint as itself, also in bodies, with the way to them."""
    for step in steps:
        settings, here = step.get("with", {}), f"{field}.{step['name']}.with"
        if step["type"] == "endpoint" and isinstance(settings.get("endpoint"), str):
            yield here, settings
        step_type = get_step_type(step["type"])
        for name, body in step_type.bodies(settings).items() if step_type else ():
            yield from _endpoint_steps(body, f"{here}.{name}")
