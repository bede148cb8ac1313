"""The reference pages say what the code does: neither less nor otherwise."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, get_resolver
from django.utils.module_loading import import_string
from pytest_django import Settings
from rest_framework import exceptions as drf
from rest_framework.permissions import SAFE_METHODS

import automate_api
from automate_api import capabilities, conf, exceptions, models
from automate_api.engine.capability import Capability, RunContext, get_capability
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, ErrorCode
from automate_api.v1 import base, views
from automate_api.v1.base import StaffOnlyMixin
from automate_api.v1.base.authenticators import ConfiguredAuthenticators
from automate_api.v1.base.views import BaseAPIView
from automate_api.v1.errors import LengthRequired, PayloadTooLarge, problem_for, status_of
from automate_api.v1.filters import ordering_fields
from automate_api.v1.pagination import MAX_COUNT
from automate_api.v1.permissions import access_of
from automate_api.v1.query_params import filter_params
from automate_api.v1.views.domain import RunsMixin
from automate_modal.api.views import EndpointStreamView
from tests.guides import DOCS, blocks, table, text_of

PACKAGE = Path(automate_api.__file__).parent
NOTHING = "none"


def sections(page: str, level: int = 2) -> dict[str, str]:
    """The page's text by its headings."""
    parts = re.split(rf"^{'#' * level} (.+)$", text_of(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def code_in(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", f"`{cell}`" if "`" not in cell else cell)


# -- settings --------------------------------------------------------------------------------------------------------


def properties() -> dict[str, property]:
    """The properties of `conf.py` by the setting that their documentation names."""
    found = {}
    for value in vars(conf.Settings).values():
        if isinstance(value, property):
            named = re.match(r"`(AUTOMATE_API_\w+)`", value.__doc__ or "")
            assert named, f"{value} names no setting"
            found[named[1]] = value
    return found


def documented_settings() -> dict[str, str]:
    """Each setting's default, as the page writes it."""
    return {
        name: re.search(r"^Default: `(.+)`$", text, re.MULTILINE)[1]  # type: ignore[index]
        for name, text in sections("reference/settings.md", 3).items()
    }


def test_every_setting_has_a_section_and_every_section_a_setting() -> None:
    assert sorted(documented_settings()) == sorted(properties())


@pytest.mark.parametrize("name", sorted(documented_settings()))
def test_a_setting_has_the_default_that_is_written(name: str, settings: Settings) -> None:
    if hasattr(settings, name):
        delattr(settings, name)
    assert properties()[name].__get__(conf.settings) == ast.literal_eval(documented_settings()[name])


@pytest.mark.parametrize("name", sorted(properties()))
def test_a_setting_is_read_live_under_the_name_that_is_written(name: str, settings: Settings) -> None:
    before = properties()[name].__get__(conf.settings)
    other: Any = {"x": {}} if isinstance(before, dict) else 7 if isinstance(before, int | float) else "x"
    setattr(settings, name, other)
    assert properties()[name].__get__(conf.settings) == (bool(other) if isinstance(before, bool) else other)


# -- errors ----------------------------------------------------------------------------------------------------------


def classes() -> Iterator[type[AutomateError]]:
    """The public classes of `exceptions.py` that are raised."""
    for value in vars(exceptions).values():
        if inspect.isclass(value) and issubclass(value, AutomateError):
            yield value


def answered() -> dict[str, set[int]]:
    """The statuses that each code is answered with, by our own errors and by REST framework's."""
    foreign: list[drf.APIException] = [
        drf.ValidationError(),
        drf.ParseError(),
        drf.NotAuthenticated(),
        drf.AuthenticationFailed(),
        drf.PermissionDenied(),
        drf.NotFound(),
        drf.MethodNotAllowed("GET"),
        drf.NotAcceptable(),
        drf.UnsupportedMediaType("text/plain"),
        drf.Throttled(),
        drf.APIException(),
        PayloadTooLarge(),
        LengthRequired(),
    ]
    found: dict[str, set[int]] = {}
    for error in classes():
        found.setdefault(str(error.code), set()).add(status_of(error()))
    for exc in foreign:
        problem = problem_for(exc)
        assert problem is not None
        found.setdefault(str(problem.code), set()).add(problem.status)
    return found


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = table(sections("reference/errors.md")["Codes"], "code", "status", "meaning", "remedy")
    documented = {code: {int(status) for status in statuses.split(", ")} for code, statuses, *_ in rows}
    assert documented == answered()
    assert set(documented) == set(ErrorCode)
    assert all(meaning and remedy for *_, meaning, remedy in rows)


def test_every_class_that_is_raised_is_documented_with_its_code() -> None:
    rows = table(sections("reference/errors.md")["Raise them yourself"], "class", "code")
    documented = dict(rows)
    own = {cls.__name__: str(cls.code) for cls in classes()}
    assert documented == {name: code for name, code in own.items() if name not in {"AutomateError", "UpstreamError"}}


def test_the_example_of_an_error_is_one() -> None:
    example = ast.literal_eval(next(block.code for block in blocks("reference/errors.md") if block.language == "json"))
    fault = exceptions.FieldError("input.question", "required", "This field is required.")
    problem = problem_for(exceptions.InvalidInput([fault]))
    assert problem is not None
    assert example == problem.as_dict()


# -- checks ----------------------------------------------------------------------------------------------------------


def test_every_check_is_documented_with_its_level() -> None:
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    raised = set(re.findall(r"""["'](automate_api\.[EW]\d{3})["']""", sources))
    documented = {row[0]: row[1] for row in table(text_of("reference/checks.md"), "id", "level", "says", "remedy")}
    assert set(documented) == raised
    assert documented == {name: "error" if ".E" in name else "warning" for name in raised}


# -- events ----------------------------------------------------------------------------------------------------------


def test_every_event_is_documented_with_its_data() -> None:
    rows = table(text_of("reference/events.md"), "event", "data", "when")
    assert [row[0] for row in rows] == [str(kind) for kind in EventType]
    promised = dict(re.findall(r"`(\w+) (\{.*?\})`", re.sub(r"\s+", " ", RunEvent.__doc__ or "")))
    assert {event: data for event, data, _when in rows} == promised


# -- routes ----------------------------------------------------------------------------------------------------------


def routed(namespace: str) -> Iterator[tuple[str, str, str, Any]]:
    """Name, method, path and view of each route of one of our namespaces; of a viewset also the action."""
    resolver: Any = next(
        found for found in get_resolver().url_patterns if getattr(found, "namespace", None) == namespace
    )
    for pattern in resolver.url_patterns:
        assert isinstance(pattern, URLPattern)
        callback: Any = pattern.callback
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)|<str:(\w+)>", r"<\1\2>", str(pattern.pattern)).strip("^$")
        methods = getattr(callback, "actions", None) or {
            method: method for method in ("get", "post", "put", "patch", "delete") if hasattr(callback.cls, method)
        }
        for method, action in methods.items():
            if method == "head":  # once a viewset has served a request, it lists HEAD beside GET
                continue
            yield str(pattern.name), method.upper(), path, type("Bound", (callback.cls,), {"bound": action})


def who(view: Any) -> str:
    """Whom the guards of a view let in."""
    if view.check_authenticated.__func__ is not BaseAPIView.check_authenticated:
        return "signed in"
    return "staff" if isinstance(view, StaffOnlyMixin) or view.bound in view.staff_actions else "member"


def scope(view: Any, method: str) -> str:
    """What an API key needs."""
    if view.check_scope.__func__ is not BaseAPIView.check_scope:
        return NOTHING
    request: Any = type("Request", (), {"method": method})()
    return f"{view.scope_resource}:{view.scope_access or access_of(request, view.bound, view.run_actions)}"


@pytest.mark.parametrize("namespace", ["automate_api", "automate_modal"])
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
    lists = {name: view for name, method, _path, view in routed("automate_api") if method == "GET" and "-list" in name}
    paged = {name: view for name, view in lists.items() if name != "model-list"}
    assert {name: filters for name, (filters, _order) in documented.items()} == {
        name: filter_params(view.filterset_class) for name, view in paged.items()
    }
    assert {name: order for name, (_filters, order) in documented.items()} == {
        name: set(ordering_fields(view())) for name, view in paged.items()
    }
    assert f"stops at {MAX_COUNT}" in text_of("reference/routes.md")
    assert all(method in SAFE_METHODS for name, method, *_ in routed("automate_api") if name == "model-list")


# -- commands, models, base classes, capabilities --------------------------------------------------------------------


def test_every_command_is_documented() -> None:
    ours = {name for name, app in get_commands().items() if app in {"automate_api", "automate_modal"}}
    assert set(sections("reference/commands.md")) - {"spectacular"} == ours


@pytest.mark.parametrize("name", [name for name in sections("reference/models.md") if name != "SecretField"])
def test_every_field_of_a_model_is_documented_with_its_type(name: str) -> None:
    rows = table(sections("reference/models.md")[name], "field", "type", "meaning")
    fields = getattr(models, name)._meta.concrete_fields
    assert {field: kind for field, kind, _meaning in rows} == {f.name: f.get_internal_type() for f in fields}


def test_every_model_is_documented() -> None:
    public = {name for name in models.__all__ if hasattr(getattr(models, name), "_meta")}
    assert set(sections("reference/models.md")) == public - {"EndpointGrant", "LLMClientShare"} | {"SecretField"}


def spelled(value: Any) -> str:
    """A default, as the page writes it."""
    if isinstance(value, ConfiguredAuthenticators):
        return "AUTOMATE_API_AUTHENTICATION_CLASSES"
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(value)) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(spelled(item) for item in value) + ")"
    return value.__name__ if inspect.isclass(value) else str(value)


def overridable(cls: type) -> set[str]:
    """What a class's docstring invites to override."""
    listed = re.split(r"^Override.*:\n", inspect.cleandoc(cls.__doc__ or ""), maxsplit=1, flags=re.MULTILINE)[1:]
    heads = re.findall(r"^    (\w.*?): ", "".join(listed), re.MULTILINE)
    return {name for head in heads for name in re.sub(r" ?\((?:`[^`]*`)?[^()]*\)", "", head).split(", ")}


@pytest.mark.parametrize("name", base.__all__)
def test_a_base_class_has_the_attributes_defaults_and_methods_that_are_written(name: str) -> None:
    text, cls = sections("reference/base-classes.md")[name], getattr(base, name)
    attributes = {attribute: default for attribute, default, _ in table(text, "attribute", "default", "meaning")}
    methods = [re.sub(r"\(.*", "", method) for method, _meaning in table(text, "method", "meaning")]
    assert attributes == {attribute: spelled(getattr(cls, attribute)) for attribute in attributes}
    assert [method for method in methods if not callable(getattr(cls, method, None))] == []
    mentioned = {*attributes, *methods, *re.findall(r"`(\w+)`", text)}
    assert [invited for invited in overridable(cls) if invited not in mentioned] == []


def test_every_base_class_and_view_is_documented() -> None:
    found = sections("reference/base-classes.md")
    assert set(base.__all__) == set(found) - {"The package's views"}
    named = set(re.findall(r"`(\w+(?:ViewSet|View))`", found["The package's views"]))
    assert named == {*views.__all__, "EndpointStreamView"}


def test_the_views_have_the_hooks_that_are_written() -> None:
    everything = {name: getattr(views, name) for name in views.__all__} | {"EndpointStreamView": EndpointStreamView}
    rows = table(text_of("reference/base-classes.md"), "view", "hook", "meaning")
    assert rows
    assert [(view, hook) for view, hook, _meaning in rows if not hasattr(everything[view], hook)] == []
    own = {
        (name, hook)
        for name, view in everything.items()
        for hook in {*vars(view), *(vars(RunsMixin) if issubclass(view, RunsMixin) else ())}
        if hook.startswith(("perform_", "get_")) and hook != "get_object" and callable(getattr(view, hook))
    }
    assert own == {(view, hook) for view, hook, _meaning in rows}


@pytest.mark.parametrize("name", ["llm.chat", "llm.embed"])
def test_a_capability_takes_the_parameters_and_configuration_that_are_written(name: str) -> None:
    text, capability = sections("reference/capabilities.md")[name], get_capability(name)
    assert capability is not None
    parameters = {row[0] for row in table(text, "parameter", "values")}
    assert parameters == set(capability.params_schema["properties"])
    assert {row[0] for row in table(text, "config", "meaning")} == set(capability.config_schema.get("properties", {}))
    for parameter, values in table(text, "parameter", "values"):
        schema = capability.params_schema["properties"][parameter]
        if "enum" in schema:
            assert code_in(values) == schema["enum"]
        if "minimum" in schema:
            assert values == f"{schema['minimum']} to {schema['maximum']}"


def test_every_capability_of_the_core_is_documented() -> None:
    ours = {getattr(capabilities, name).task_type for name in capabilities.__all__}
    assert {name for name in sections("reference/capabilities.md") if name.startswith("llm.")} == ours


def test_a_capability_has_the_attributes_and_defaults_that_are_written() -> None:
    text = sections("reference/capabilities.md", 3)
    documented = {name: default for name, default, _ in table(text["Capability"], "attribute", "default", "meaning")}
    assert list(documented) == list(Capability.__annotations__)
    written = {name: ast.literal_eval(default) for name, default in documented.items() if default != NOTHING}
    assert written == {name: getattr(Capability, name) for name in written}
    assert {row[0] for row in table(text["RunContext"], "attribute", "meaning")} == set(RunContext.__annotations__)


# -- all pages -------------------------------------------------------------------------------------------------------


PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def test_every_page_is_in_the_index() -> None:
    index = text_of("index.md")
    assert [page for page in PAGES if page != "index.md" and f"\n{page.removesuffix('.md')}\n" not in index] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    """Dotted paths of ours can be imported, and settings of ours exist."""
    text = text_of(page)
    for dotted in set(re.findall(r"`((?:automate_api|automate_modal)\.[a-z][\w.]*)`", text)):
        module, _, name = dotted.rpartition(".")
        try:
            import_string(f"{module}.{name}")
        except ImportError:
            import_string(f"{dotted}.__name__")
    assert {*re.findall(r"AUTOMATE_API_[A-Z_]+\b", text)} - properties().keys() == set()


def test_the_layout_names_every_module_and_folder_of_the_ground_floor() -> None:
    cells = [cell for row in table(text_of("explanation/layout.md"), "place", "holds") for cell in code_in(row[0])]
    named = {cell.split("/")[0] for cell in cells}
    there = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("__") and path.name != "py.typed"}
    assert there - named == set()
    packages = [
        cell for row in table(text_of("explanation/layout.md"), "place", "holds")[:12] for cell in code_in(row[0])
    ]
    assert [place for place in packages if not (PACKAGE / place).exists()] == []


def test_places_in_the_security_page_exist() -> None:
    cells = [
        cell
        for row in table(text_of("explanation/security.md"), "threat", "guard", "where")
        for cell in code_in(row[2])
    ]
    paths = [cell for cell in cells if "/" in cell]
    assert paths
    assert [path for path in paths if not (PACKAGE / path).exists()] == []
