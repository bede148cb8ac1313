"""Which operations there are: every pattern of the packages' URL configurations, by every method it answers."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

#: The packages that the wheel holds; a new one is walked from the day it is in there.
PACKAGES = frozenset(tomllib.loads(_PYPROJECT.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Operation:
    """One method of one route. `name` is the route's URL name with its namespaces."""

    name: str
    method: str
    view: Any
    keywords: frozenset[str]

    @property
    def key(self) -> str:
        """How the table of policies calls it."""
        return f"{self.name} {self.method}"

    @property
    def is_safe(self) -> bool:
        """Whether it may change nothing (RFC 9110, section 9.2.1)."""
        return self.method in SAFE


def operations(urlconf: Any = None, packages: Iterable[str] = PACKAGES) -> list[Operation]:
    """All operations of `packages` in `urlconf` (None: the settings')."""
    return list(_operations(get_resolver(urlconf), (), frozenset(packages), ours=False))


def _operations(
    resolver: URLResolver,
    namespaces: tuple[str, ...],
    packages: frozenset[str],
    *,
    ours: bool,
    above: frozenset[str] = frozenset(),
) -> Iterator[Operation]:
    ours = ours or getattr(resolver.urlconf_name, "__name__", "").split(".")[0] in packages
    if resolver.namespace:
        namespaces = (*namespaces, resolver.namespace)
    above = above | _keywords(resolver)
    for pattern in resolver.url_patterns:
        if getattr(pattern, "app_name", None) == "admin":
            # Django's admin asks who is there before each of its views; `test_admin.py` tries ours.
            continue
        if isinstance(pattern, URLResolver):
            yield from _operations(pattern, namespaces, packages, ours=ours, above=above)
        elif ours or _view_of(pattern).__module__.split(".")[0] in packages:
            name = ":".join((*namespaces, pattern.name or str(pattern.pattern)))
            for method in methods_of(pattern.callback):
                yield Operation(name, method, _view_of(pattern), above | _keywords(pattern))


def _view_of(pattern: URLPattern) -> Any:
    callback = pattern.callback
    return getattr(callback, "cls", getattr(callback, "view_class", callback))


def _keywords(pattern: Any) -> frozenset[str]:
    regex = getattr(pattern.pattern, "regex", None)
    return frozenset(pattern.pattern.converters or (regex.groupindex if regex else ()))


def methods_of(callback: Any) -> list[str]:
    """The methods that a routed view has a handler for. `HEAD` goes with `GET`; `OPTIONS` is walked by itself."""
    actions = getattr(callback, "actions", None)
    view = getattr(callback, "cls", getattr(callback, "view_class", None))
    if actions is None and view is None:
        # A plain function answers anything.
        return list(_METHODS)
    allowed = {name.lower() for name in getattr(view, "http_method_names", ())}
    known = actions if actions is not None else [name for name in allowed if hasattr(view, name)]
    return [method for method in _METHODS if method.lower() in known and method.lower() in allowed]
