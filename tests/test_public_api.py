"""What a host may build on: each path, attribute, default, signature, setting and URL name that the reference lists.

A table in the reference is the promise. A change that a host would notice fails here, and belongs into
`docs/upgrading.md` too.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework import viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.routers import SimpleRouter

from automate.api import viewsets as viewsets_of_automate
from automate_api import exceptions, models
from automate_api.exceptions import AutomateError
from automate_api.models.tenant import TenantModel
from automate_api.v1 import base, views
from automate_api.v1.base import PublicAPIMixin, StaffOnlyMixin
from automate_api.v1.base.views import BaseAPIView
from automate_api.v1.filters import ordering_fields
from automate_api.v1.pagination import MAX_COUNT
from automate_api.v1.permissions import access_of
from automate_api.v1.query_params import filter_params
from tests.guides import code_in, sections, table, text_of
from tests.promises import NOTHING, Promise, differences, promises, promises_of, setting_readers, signature

PROMISES = promises()

# -- classes and functions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("promise", PROMISES, ids=str)
def test_the_code_is_as_promised(promise: Promise) -> None:
    assert list(differences(promise)) == []


@pytest.mark.parametrize(
    "path",
    [
        *(f"automate_api.v1.base.{name}" for name in base.__all__),
        "automate_api.v1.views.ProviderViewSet",
        "automate_api.v1.views.LLMClientViewSet",
        "automate_api.v1.views.EndpointViewSet",
        "automate_api.v1.views.ExecutionViewSet",
        "automate_api.v1.views.JobViewSet",
        "automate_api.v1.views.ArtifactViewSet",
        "automate_api.v1.views.PromptLogViewSet",
        "automate_api.workbench.views.PromptListApiView",
        "automate_api.workbench.views.PromptListApiCloneView",
        "automate_api.workbench.views.PromptListApiDeleteView",
        "automate_api.workbench.views.PromptListApiRenameView",
        "automate_api.workbench.views.ProviderApiView",
        *(f"automate.api.viewsets.{name}" for name in viewsets_of_automate.__all__),
        "automate.api.views.RuleExplainView",
        "automate.services.WorkflowService",
        "automate_modal.api.views.EndpointStreamView",
        "automate_modal.api.views.EndpointJobView",
        "automate_modal.api.views.JobStatusView",
        "automate_modal.api.views.JobEventsView",
        "automate_modal.api.views.ArtifactDownloadView",
    ],
)
def test_what_hosts_import_is_there_and_promised(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert hasattr(import_module(module), name)
    assert [str(promise) for promise in PROMISES if promise.module == module and name in promise.names]


@pytest.mark.parametrize("module", [base, views])
def test_every_public_name_of_a_package_is_promised(module: Any) -> None:
    promised = {name for promise in PROMISES if promise.module == module.__name__ for name in promise.names}
    assert promised == set(module.__all__)


def test_nothing_is_promised_twice() -> None:
    everything = [(promise.module, name) for promise in PROMISES for name in promise.names]
    assert len(everything) == len(set(everything))


def test_the_base_classes_stand_on_what_is_written() -> None:
    rows = table(text_of("reference/base-classes.md"), "class", "stands on", "is")
    written = {code_in(name)[0]: code_in(bases) if bases else [] for name, bases, _ in rows}
    assert sorted(written) == sorted(base.__all__)
    for name, bases in written.items():
        stands_on = [cls for cls in getattr(base, name).__bases__ if cls is not object]
        public = [
            cls.__name__ for cls in stands_on if cls.__name__ in base.__all__ or "rest_framework" in cls.__module__
        ]
        assert public == bases


def test_a_mixin_that_a_base_view_has_already_is_not_named_again() -> None:
    with pytest.raises(TypeError, match="order"):
        type("Wrong", (base.CORSMixin, base.BaseViewSet), {})


def _is_public(cls: type) -> bool:
    return cls.__name__ in base.__all__ or cls.__module__.startswith("rest_framework.")


def test_every_exception_is_made_as_written() -> None:
    calls = [call for call, _code in table(sections("reference/errors.md")["Raise them yourself"], "class", "code")]
    made = {name: f"{name}{signature(cls)}" for name, cls in vars(exceptions).items() if _is_error(cls)}
    assert [made[call.partition("(")[0]] for call in calls] == calls


def _is_error(cls: Any) -> bool:
    return inspect.isclass(cls) and issubclass(cls, AutomateError)


def test_every_model_of_a_tenant_knows_who_may_read_it() -> None:
    named = [name for name in sections("reference/models.md") if hasattr(models, name)]
    documented = [name for name in named if issubclass(getattr(models, name), TenantModel)]
    assert documented
    # What is read by way of the rows it belongs to, and what nobody reads.
    of_others = {"JobEvent", "JobStep", "EndpointVersion", "LLMClientVersion"}
    assert set(named) - set(documented) == of_others | {"ChangeCounter", "Maintenance"}
    for name in documented:
        rows = getattr(models, name).objects.all()
        assert signature(type(rows).readable_by) == "(actor)"
        assert signature(type(rows).of_tenant) == "(tenant_id)"


# -- that a broken promise is found ----------------------------------------------------------------------------------


class Shelf(viewsets.ViewSet):
    """A view that keeps all its promises.

    Override:
        room (3): how much room there is.
    """

    room = 3
    scope_resource: ClassVar[str | None] = None

    def put(self, book: str, *, upright: bool = True) -> None:
        """Put a book there."""


def borrow(book: str, days: int = 7) -> None:
    """Take a book."""


PAGE = """# Shelf

```python
from tests.test_public_api import Shelf
```

| attribute | default | meaning |
|---|---|---|
| `room` | `3` | |
| `scope_resource` | `None` | |

| method | meaning |
|---|---|
| `put(book, *, upright=True)` | |

# Books

```python
from tests.test_public_api import borrow
```

| function | meaning |
|---|---|
| `borrow(book, days=7)` | |
"""


def found(page: str) -> list[str]:
    return [difference for promise in promises_of("page.md", page) for difference in differences(promise)]


def test_a_promise_that_is_kept_is_no_difference() -> None:
    assert found(PAGE) == []


@pytest.mark.parametrize(
    ("written", "instead", "difference"),
    [
        ("| `room` | `3` | |", "| `room` | `4` | |", "Shelf.room is 3, and is written 4"),
        ("| `room` | `3` | |", '| `room` | `"3"` | |', 'Shelf.room is 3, and is written "3"'),
        ("| `room` | `3` | |", "| `space` | `3` | |", "Shelf.room is public and not written"),
        ("| `room` | `3` | |\n", "", "Shelf invites to override room, which is not written"),
        ("| `scope_resource` | `None` | |\n", "", "Shelf.scope_resource is public and not written"),
        ("upright=True", "upright=False", "Shelf.put(book, *, upright=True) is written put(book, *, upright=False)"),
        ("`put(book", "`set(book", "Shelf has no set()"),
        ("| `put(book, *, upright=True)` | |\n", "", "Shelf.put is public and not written"),
        ("import Shelf", "import Board", "tests.test_public_api has no Board"),
        ("days=7", "days=8", "borrow(book, days=7) is written borrow(book, days=8)"),
        ("`borrow(book, days=7)`", "`lend(book)`", "lend(book) is not imported"),
        ("| `borrow(book, days=7)` | |\n", "", "borrow is imported and its signature is not written"),
    ],
)
def test_a_promise_that_is_broken_is_a_difference(written: str, instead: str, difference: str) -> None:
    assert written in PAGE
    assert difference in found(PAGE.replace(written, instead, 1))


# -- settings --------------------------------------------------------------------------------------------------------


def documented_settings() -> dict[str, str]:
    """Each setting's default, as the page writes it."""
    return {
        name: re.search(r"^Default: `(.+)`$", text, re.MULTILINE)[1]  # type: ignore[index]
        for name, text in sections("reference/settings.md", 3).items()
    }


def test_every_setting_has_a_section_and_every_section_a_setting() -> None:
    assert sorted(documented_settings()) == sorted(setting_readers())


@pytest.mark.parametrize("name", sorted(documented_settings()))
def test_a_setting_has_the_default_that_is_written(name: str, settings: Settings) -> None:
    if hasattr(settings, name):
        delattr(settings, name)
    assert setting_readers()[name]() == ast.literal_eval(documented_settings()[name])


@pytest.mark.parametrize("name", sorted(setting_readers()))
def test_a_setting_is_read_live_under_the_name_that_is_written(name: str, settings: Settings) -> None:
    before = setting_readers()[name]()
    other: Any = {"x": {}} if isinstance(before, dict) else 7 if isinstance(before, int | float) else "x"
    setattr(settings, name, other)
    assert setting_readers()[name]() == (bool(other) if isinstance(before, bool) else other)


# -- routes ----------------------------------------------------------------------------------------------------------


def routed(namespace: str) -> Iterator[tuple[str, str, str, Any]]:
    """Name, method, path and view of each route of one of our namespaces; of a viewset also the action."""
    resolvers: list[Any] = [found for found in get_resolver().url_patterns if isinstance(found, URLResolver)]
    names = {
        found.namespace or found.urlconf_name.__name__.split(".")[-2]: found for found in resolvers if _is_ours(found)
    }
    for pattern in names[namespace].url_patterns:
        assert isinstance(pattern, URLPattern)
        callback: Any = pattern.callback
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)|<\w+:(\w+)>", r"<\1\2>", str(pattern.pattern)).strip("^$")
        methods = getattr(callback, "actions", None) or {
            method: method for method in ("get", "post", "put", "patch", "delete") if hasattr(callback.cls, method)
        }
        for method, action in methods.items():
            if method == "head":  # once a viewset has served a request, it lists HEAD beside GET
                continue
            yield str(pattern.name), method.upper(), path, type("Bound", (callback.cls,), {"bound": action})


def _is_ours(resolver: Any) -> bool:
    return getattr(resolver.urlconf_name, "__name__", "").startswith(("automate.", "automate_"))


def who(view: Any) -> str:
    """Whom the guards of a view let in."""
    if isinstance(view, PublicAPIMixin):
        return "anybody"
    if view.check_authenticated.__func__ is not BaseAPIView.check_authenticated:
        return "signed in"
    return "staff" if isinstance(view, StaffOnlyMixin) or view.bound in view.staff_actions else "member"


def scope(view: Any, method: str) -> str:
    """What an API key needs."""
    if view.check_scope.__func__ is not BaseAPIView.check_scope:
        return NOTHING
    request: Any = type("Request", (), {"method": method})()
    return f"{view.scope_resource}:{view.scope_access or access_of(request, view.bound, view.run_actions)}"


@pytest.mark.parametrize(
    "namespace", ["automate_api", "automate", "automate_modal", "automate_openai", "automate_organization", "workbench"]
)
def test_every_route_is_documented_with_who_and_scope(namespace: str) -> None:
    columns = ("name", "method", "path", "who", "scope")
    documented = {tuple(row) for row in table(sections("reference/routes.md")[namespace], *columns)}
    actual = {
        (name, method, path or "the prefix itself", who(view()), scope(view(), method))
        for name, method, path, view in routed(namespace)
    }
    assert documented == actual


def test_every_list_is_documented_with_its_filters_and_orders() -> None:
    rows = table(sections("reference/routes.md")["Lists"], "list", "filters", "`ordering` by")
    documented = {
        name: (set(code_in(re.sub(r"\(.*?\)", "", filters))), set(code_in(order))) for name, filters, order in rows
    }
    routes = [*routed("automate_api"), *routed("automate")]
    lists = {name: view for name, method, _path, view in routes if method == "GET" and "-list" in name}
    paged = {name: view for name, view in lists.items() if name != "model-list"}
    assert {name: filters for name, (filters, _order) in documented.items()} == {
        name: filter_params(view.filterset_class) for name, view in paged.items()
    }
    assert {name: order for name, (_filters, order) in documented.items()} == {
        name: set(ordering_fields(view())) for name, view in paged.items()
    }
    assert f"stops at {MAX_COUNT}" in text_of("reference/routes.md")
    assert all(method in SAFE_METHODS for name, method, *_ in routed("automate_api") if name == "model-list")


@pytest.mark.parametrize(
    ("package", "app"),
    [
        ("automate_api", "automate_api"),
        ("automate", "automate"),
        ("automate_modal", "automate_modal"),
        ("automate_api.openai", "automate_openai"),
        ("automate_api.organization", "automate_organization"),
    ],
)
def test_each_app_has_one_include_under_its_own_name(package: str, app: str) -> None:
    urls = import_module(f"{package}.urls")
    assert urls.app_name == app
    assert urls.urlpatterns
    assert type(urls.router) is SimpleRouter
