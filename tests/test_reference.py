"""The reference pages say what the code does: neither less nor otherwise."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.utils.module_loading import import_string
from rest_framework import exceptions as drf

import automate_api
from automate.capabilities.run import RunCapability
from automate.capabilities.step import StepCapability
from automate.capabilities.wake import WakeCapability
from automate_api import capabilities, exceptions, models
from automate_api.engine.capability import Capability, RunContext, get_capability
from automate_api.engine.events import EventType, RunEvent
from automate_api.exceptions import AutomateError, ErrorCode
from automate_api.v1.errors import LengthRequired, PreconditionFailed, RangeNotSatisfiable, problem_for, status_of
from automate_modal import capabilities as modal
from tests.guides import DOCS, blocks, code_in, sections, table, text_of
from tests.promises import NOTHING, setting_readers

PACKAGE = Path(automate_api.__file__).parent


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
        LengthRequired(),
        PreconditionFailed(),
        RangeNotSatisfiable(),
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
    documented = {call.partition("(")[0]: code for call, code in rows}
    own = {cls.__name__: str(cls.code) for cls in classes()}
    assert {call.partition("(")[0]: code for call, code in documented.items()} == {
        name: code for name, code in own.items() if name not in {"AutomateError", "UpstreamError"}
    }


def test_the_example_of_an_error_is_one() -> None:
    example = ast.literal_eval(next(block.code for block in blocks("reference/errors.md") if block.language == "json"))
    fault = exceptions.FieldError("input.question", "required", "This field is required.")
    problem = problem_for(exceptions.InvalidInput([fault]))
    assert problem is not None
    assert example == problem.as_dict()


# -- checks ----------------------------------------------------------------------------------------------------------


def test_every_check_is_documented_with_its_level() -> None:
    packages = (PACKAGE, PACKAGE.with_name("automate"))
    sources = "".join(path.read_text() for package in packages for path in package.rglob("*.py"))
    raised = set(re.findall(r"""["'](automate(?:_api)?\.[EW]\d{3})["']""", sources))
    documented = {row[0]: row[1] for row in table(text_of("reference/checks.md"), "id", "level", "says", "remedy")}
    assert set(documented) == raised
    assert documented == {name: "error" if ".E" in name else "warning" for name in raised}


# -- events ----------------------------------------------------------------------------------------------------------


def test_every_event_is_documented_with_its_data() -> None:
    rows = table(text_of("reference/events.md"), "event", "data", "when")
    assert [row[0] for row in rows] == [str(kind) for kind in EventType]
    promised = dict(re.findall(r"`(\w+) (\{.*?\})`", re.sub(r"\s+", " ", RunEvent.__doc__ or "")))
    assert {event: data for event, data, _when in rows} == promised


# -- commands, models, capabilities -----------------------------------------------------------------------------------


def test_every_command_is_documented() -> None:
    ours = {name for name, app in get_commands().items() if app in {"automate", "automate_api", "automate_modal"}}
    assert set(sections("reference/commands.md")) - {"spectacular"} == ours


@pytest.mark.parametrize("name", [name for name in sections("reference/models.md") if name != "SecretField"])
def test_every_field_of_a_model_is_documented_with_its_type(name: str) -> None:
    rows = table(sections("reference/models.md")[name], "field", "type", "meaning")
    fields = getattr(models, name)._meta.concrete_fields
    assert {field: kind for field, kind, _meaning in rows} == {f.name: f.get_internal_type() for f in fields}


def test_every_model_is_documented() -> None:
    public = {name for name in models.__all__ if hasattr(getattr(models, name), "_meta")}
    assert set(sections("reference/models.md")) == public - {"EndpointGrant", "LLMClientShare"} | {"SecretField"}


@pytest.mark.parametrize("name", ["llm.chat", "llm.embed", "audio.stt", "audio.tts", "image.text2img", "workflow.run"])
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


def test_every_capability_is_documented() -> None:
    ours = {getattr(module, name).task_type for module in (capabilities, modal) for name in module.__all__}
    ours |= {RunCapability.task_type, StepCapability.task_type, WakeCapability.task_type}
    prefixes = ("llm.", "openai.", "audio.", "image.", "event.", "workflow.")
    named = {name for name in sections("reference/capabilities.md") if name.startswith(prefixes)}
    assert named == ours


def test_a_capability_has_the_attributes_and_defaults_that_are_written() -> None:
    text = sections("reference/capabilities.md", 3)
    documented = {name: default for name, default, _ in table(text["Capability"], "attribute", "default", "meaning")}
    assert list(documented) == list(Capability.__annotations__)
    written = {name: ast.literal_eval(default) for name, default in documented.items() if default != NOTHING}
    assert written == {name: getattr(Capability, name) for name in written}
    assert {row[0] for row in table(text["RunContext"], "attribute", "meaning")} == set(RunContext.__annotations__)


# -- all pages -------------------------------------------------------------------------------------------------------


PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def listed(page: str) -> set[str]:
    """The pages that a page's tables of contents lead to, and those that these lead to."""
    folder = Path(page).parent
    trees = re.findall(r"^```{toctree}\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)
    names = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    below = {(folder / f"{name}.md").as_posix() for name in names}
    return below.union(*(listed(name) for name in below))


def test_every_page_is_in_the_index() -> None:
    assert sorted(listed("index.md")) == [page for page in PAGES if page != "index.md"]


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
    assert {*re.findall(r"AUTOMATE_(?:API|RULE)_[A-Z_]+\b", text)} - setting_readers().keys() == set()


def test_the_layout_names_every_module_and_folder_of_the_ground_floor() -> None:
    cells = [cell for row in table(text_of("explanation/layout.md"), "place", "holds") for cell in code_in(row[0])]
    named = {cell.split("/")[0] for cell in cells}
    there = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("__") and path.name != "py.typed"}
    assert there - named == set()
    inside = sections("explanation/layout.md")["Inside automate_api"]
    packages = [cell for row in table(inside, "place", "holds") for cell in code_in(row[0])]
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
