"""Who compiles and evaluates rules."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from automate.rules import compile_rule
from automate.rules.parsing import parse
from automate.rules.rule import Rule


class Contender(NamedTuple):
    """One implementation: `compile` gives what the others take; those that it has not are None."""

    name: str
    compile: Callable[[str], Any]
    evaluate: Callable[[Any], Any]
    explain: Callable[[Any], Any] | None


def contenders(context: dict[str, Any]) -> Iterator[Contender]:
    """Those that are installed, on one context."""
    yield Contender(
        "automate",
        lambda source: Rule(source, parse(source)),
        lambda rule: rule.evaluate(context),
        lambda rule: rule.explain(context).as_json(),
    )
    yield _cel_python(context)
    if find_spec("cel") is not None:
        yield _common_expression_language(context)


def _cel_python(context: dict[str, Any]) -> Contender:
    import celpy  # noqa: PLC0415 - takes long to import

    environment = celpy.Environment()

    def evaluate(program: Any) -> Any:
        # The context is another with each event.
        return program.evaluate({name: celpy.json_to_cel(value) for name, value in context.items()})

    return Contender("cel-python", lambda source: environment.program(environment.compile(source)), evaluate, None)


def _common_expression_language(context: dict[str, Any]) -> Contender:
    import cel  # noqa: PLC0415 - may not be installed

    return Contender("common-expression-language", cel.compile, lambda program: program.execute(context), None)


def check(rules: dict[str, str], context: dict[str, Any]) -> None:
    """Exit where two disagree about a rule."""
    for name, source in rules.items():
        wanted = compile_rule(source).evaluate(context)
        for contender in contenders(context):
            try:
                found = contender.evaluate(contender.compile(source))
            except Exception as error:  # noqa: BLE001 - whatever it may raise
                print(f"{contender.name} fails on “{name}”: {type(error).__name__}")
            else:
                if bool(found) is not wanted:
                    raise SystemExit(f"{contender.name} says {found} to “{name}”, and we {wanted}")
