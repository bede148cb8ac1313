"""What the reference pages promise of the code, and where the code differs.

A heading above a block that only imports is about what is imported. Its tables, up to the next such heading, are the
promise: attributes with defaults, methods and functions with signatures. What they do not list is private.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from functools import partial
from importlib import import_module
from types import MemberDescriptorType
from typing import Any

from django.db.models import QuerySet
from rest_framework.viewsets import ModelViewSet

from automate import conf as workflows_conf
from automate_api import conf
from automate_api.v1.base.authenticators import ConfiguredAuthenticators
from tests.guides import DOCS, table

# The names stand on one line, or in parentheses on several.
_ABOUT = re.compile(r"^#+ (.+)\n\n```python\nfrom ([\w.]+) import ([\w, ]+|\([\w,\s]+\))\n```$", re.MULTILINE)
_OVERRIDE = re.compile(r"^Override.*:\n", re.MULTILINE)

#: Stands for a default in a table where there is none.
NOTHING = "none"
#: Public by their names, but read by the OpenAPI description alone.
_OF_THE_SCHEMA = {"error_form", "error_statuses", "get_paginated_response_schema", "get_schema_operation_parameters"}
# What REST framework sets on a viewset once it is routed.
_OF_THE_ROUTER = {"basename", "description", "detail", "name", "suffix"}
# Where classes of ours, and of the tests, are from.
_OWN = ("automate.api.", "automate.services.", "automate.steps", "automate_", "tests.")


@dataclass(frozen=True)
class Promise:
    """What a part of a page says of what it imports."""

    page: str
    heading: str
    module: str
    names: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.heading}"

    @property
    def attributes(self) -> dict[str, str]:
        """Defaults by attribute."""
        return {name: default for name, default, _ in table(self.text, "attribute", "default", "meaning")}

    @property
    def methods(self) -> list[str]:
        """Methods as they are written, with their parameters."""
        return [method for method, _ in table(self.text, "method", "meaning")]

    @property
    def functions(self) -> list[str]:
        """The same of functions."""
        return [function for function, _ in table(self.text, "function", "meaning")]


def promises_of(page: str, text: str) -> list[Promise]:
    """The promises on a page."""
    found = list(_ABOUT.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        Promise(page, match[1], match[2], tuple(re.findall(r"\w+", match[3])), text[match.end() : end])
        for match, end in zip(found, ends, strict=False)
    ]


def promises() -> list[Promise]:
    """All promises of the reference."""
    pages = sorted((DOCS / "reference").rglob("*.md"))
    return [promise for path in pages for promise in promises_of(str(path.relative_to(DOCS)), path.read_text())]


def differences(promise: Promise) -> Iterator[str]:
    """Where the code is not as promised."""
    module = import_module(promise.module)
    for name in promise.names:
        if not hasattr(module, name):
            yield f"{promise.module} has no {name}"
        elif inspect.isclass(getattr(module, name)):
            yield from class_differences(getattr(module, name), promise)
        elif name not in [_name(call) for call in promise.functions]:
            yield f"{name} is imported and its signature is not written"
    for call in promise.functions:
        if _name(call) not in promise.names:
            yield f"{call} is not imported"
        elif (actual := f"{_name(call)}{signature(getattr(module, _name(call), None))}") != call:
            yield f"{actual} is written {call}"


def class_differences(cls: type, promise: Promise) -> Iterator[str]:
    """Where a class is not as promised."""
    for name, default in promise.attributes.items():
        if not is_default(default, inspect.getattr_static(cls, name, _MISSING)):
            yield f"{cls.__name__}.{name} is {spelled(getattr(cls, name, None))}, and is written {default}"
    for call in promise.methods:
        name = _name(call)
        found = cls if name == cls.__name__ else getattr(cls, name, None)
        if not callable(found):
            yield f"{cls.__name__} has no {name}()"
        elif f"{name}{signature(found)}" != call:
            yield f"{cls.__name__}.{name}{signature(found)} is written {call}"
    written = {*promise.attributes, *map(_name, promise.methods)}
    for name in sorted(own_members(cls) - written):
        yield f"{cls.__name__}.{name} is public and not written"
    mentioned = {*written, *re.findall(r"`(\w+)`", promise.text)}
    for name in sorted(invited(cls) - mentioned):
        yield f"{cls.__name__} invites to override {name}, which is not written"


def own_members(cls: type) -> set[str]:
    """What a class brings that the frameworks do not: public names, and attributes even where only their value is.

    A dataclass has them in its signature.
    """
    if is_dataclass(cls):
        return set()
    theirs = {*dir(ModelViewSet), *_OF_THE_ROUTER}
    for base in cls.__mro__:
        if not base.__module__.startswith(_OWN):
            theirs |= set(dir(base))
    brings = {name for base in cls.__mro__ if _is_private(base, cls) for name in vars(base) if name[0] != "_"}
    settable = (
        {name for name in brings if _is_settable(cls, name)} if cls.__module__.startswith(_WITH_VALUES) else set()
    )
    return (brings - theirs - _OF_THE_SCHEMA) | settable


_WITH_VALUES = ("automate_api.v1.base", "automate_api.v1.views", "automate_modal.api", "automate.api", "tests.")


def _is_private(base: type, cls: type) -> bool:
    """Whether what `base` brings is documented with `cls`: it is `cls` itself, or a mixin of the views' own."""
    return base is cls or base.__module__ in {"automate_api.v1.views.domain", "automate.api.children"}


def _is_settable(cls: type, name: str) -> bool:
    value = inspect.getattr_static(cls, name)
    routine = callable(value) or isinstance(value, classmethod | staticmethod | property | QuerySet)
    return name not in _OF_THE_SCHEMA | _OF_THE_ROUTER and (inspect.isclass(value) or not routine)


def invited(cls: type) -> set[str]:
    """What a class's docstring invites to override."""
    listed = _OVERRIDE.split(inspect.cleandoc(cls.__doc__ or ""), maxsplit=1)[1:]
    heads = re.findall(r"^    (\w.*?): ", "".join(listed), re.MULTILINE)
    return {name for head in heads for name in re.sub(r" ?\((?:`[^`]*`)?[^()]*\)+", "", head).split(", ")}


def is_default(written: str, actual: Any) -> bool:
    """Whether a default is the one that is written, type included."""
    try:
        value = ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return spelled(actual) == written
    return bool(value == actual) and (isinstance(value, set) or type(value) is type(actual))


def spelled(value: Any) -> str:
    """A default that is no literal, as a page writes it."""
    if value is _MISSING or isinstance(value, property | MemberDescriptorType):
        return NOTHING
    if isinstance(value, ConfiguredAuthenticators):
        return "AUTOMATE_API_AUTHENTICATION_CLASSES"
    if inspect.isclass(value):
        return value.__name__
    if isinstance(value, tuple):
        return f"({', '.join(spelled(item) for item in value)}{',' if len(value) == 1 else ''})"
    if value is None or isinstance(value, str | int | float | dict | frozenset):
        return repr(value)
    return f"{type(value).__name__}()"


_MISSING = object()


def signature(function: Any) -> str:
    """A callable's parameters with their defaults, without types and without `self`."""
    found = inspect.signature(function)
    kept = [
        parameter.replace(annotation=parameter.empty)
        for parameter in found.parameters.values()
        if parameter.name not in {"self", "cls"}
    ]
    return str(found.replace(parameters=kept, return_annotation=found.empty)).replace("<factory>", "…")


def _name(call: str) -> str:
    return call.partition("(")[0]


def setting_readers() -> dict[str, Callable[[], Any]]:
    """What reads each setting now, by the name that the documentation of its property in a `conf.py` has."""
    found: dict[str, Callable[[], Any]] = {}
    for module in (conf, workflows_conf):
        for value in vars(module.Settings).values():
            if isinstance(value, property):
                named = re.match(rf"`({module.Settings.prefix}_\w+)`", value.__doc__ or "")
                assert named, f"{value} names no setting"
                found[named[1]] = partial(value.__get__, module.settings)
    return found
