"""Queries that every request makes, put together once.

Django takes several times longer to build and compile a query with joins than a database to answer it: the two that
find an API key and an endpoint were half of what a run cost. Here Django compiles the statement at its first use, and
from then on only the values in it change.
"""

# ruff: noqa: SLF001 - `_meta` and `_default_manager` are public names of Django's

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of one model within a row, and the foreign key that leads to it; the first has none."""

    link: Any
    model: type[models.Model]
    names: list[str]
    columns: slice


@dataclass(frozen=True, slots=True)
class _Statement:
    """A compiled SELECT: of its parameters those at `places` change, and `converters` make a row's values fields'."""

    sql: str
    parameters: list[Any]
    places: list[int]
    converters: list[tuple[int, tuple[Sequence[Callable[..., Any]], Any]]]
    parts: list[_Part]


class PreparedSelect(Generic[Row]):
    """Finds one row by the values of some of its columns, with the rows it refers to, in one query.

    Args:
        model: whose row.
        by: the columns whose values `get()` takes; at most one row has them.
        related: the foreign keys to follow, one after the other, as in `("llm_client", "provider")`.
        rows: narrows the rows that may be found; called once, so nothing in it may depend on the moment.
    """

    def __init__(
        self,
        model: type[Row],
        *,
        by: Sequence[str],
        related: Sequence[str] = (),
        rows: Callable[[Any], models.QuerySet[Any]] = lambda rows: rows,
    ) -> None:
        self._model, self._related, self._rows = model, related, rows
        self._fields = [cast("models.Field[Any, Any]", model._meta.get_field(name)) for name in by]
        self._statements: dict[str, _Statement] = {}

    def get(self, *values: Any) -> Row | None:
        """The row that has `values`, in the order of `by`; None where there is none."""
        alias = router.db_for_read(self._model)
        connection, statement = connections[alias], self._statements.get(alias)
        if statement is None:
            statement = self._statements[alias] = self._compiled(alias)
        parameters = statement.parameters.copy()
        for place, field, value in zip(statement.places, self._fields, values, strict=True):
            parameters[place] = field.get_db_prep_value(value, connection)
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            found = cursor.fetchone()
        return None if found is None else cast("Row", _built(statement, list(found), connection))

    def _compiled(self, alias: str) -> _Statement:
        marks = [object() for _field in self._fields]
        wanted = {field.name: RawSQL("%s", [mark]) for field, mark in zip(self._fields, marks, strict=True)}
        rows = self._rows(self._model._default_manager.using(alias)).filter(**wanted).order_by()
        parts, paths = self._follow()
        compiler = rows.values_list(*paths).query.get_compiler(alias)
        sql, parameters = compiler.as_sql()
        columns = [expression for expression, _sql, _alias in compiler.select]
        return _Statement(
            sql=sql,
            parameters=list(parameters),
            places=[next(place for place, found in enumerate(parameters) if found is mark) for mark in marks],
            converters=list(compiler.get_converters(columns).items()),
            parts=parts,
        )

    def _follow(self) -> tuple[list[_Part], list[str]]:
        """The parts of a row, and the paths of all its columns."""
        parts: list[_Part] = []
        paths: list[str] = []
        model, prefix = cast("type[models.Model]", self._model), ""
        for name in (None, *self._related):
            link: Any = None if name is None else model._meta.get_field(name)
            if link is not None:
                model, prefix = link.related_model, f"{prefix}{name}__"
            names = [field.attname for field in model._meta.concrete_fields]
            parts.append(_Part(link, model, names, slice(len(paths), len(paths) + len(names))))
            paths += [prefix + name for name in names]
        return parts, paths


def _built(statement: _Statement, values: list[Any], connection: BaseDatabaseWrapper) -> models.Model:
    """The row and those it refers to; where one refers to none, the rest is not there."""
    for place, (converters, expression) in statement.converters:
        for converter in converters:
            values[place] = converter(values[place], expression, connection)
    first, *further = statement.parts
    row = last = first.model.from_db(connection.alias, first.names, values[first.columns])
    for part in further:
        if getattr(last, part.link.attname) is None:
            break
        referred = part.model.from_db(connection.alias, part.names, values[part.columns])
        setattr(last, part.link.name, referred)
        last = referred
    return row
