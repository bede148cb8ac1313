"""Statements that every request makes, put together once.

Django takes several times longer to build and compile a statement than a database to execute it: that was three
quarters of what a run cost. Here Django compiles each at its first use, and from then on only the values in it change.
"""

# ruff: noqa: SLF001 - `_meta`, `_state` and `_default_manager` are public names of Django's

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import sql
from django.db.models.expressions import RawSQL
from django.db.models.signals import post_save, pre_save

Row = TypeVar("Row", bound=models.Model)

Field: TypeAlias = "models.Field[Any, Any]"
Narrow = Callable[[Any], models.QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of one model within a row, and the foreign key that leads to it; the first has none."""

    link: Any
    model: type[models.Model]
    names: list[str]
    columns: slice


@dataclass(frozen=True, slots=True)
class _Statement:
    """A compiled statement, in which the parameters at `places` change.

    Of a SELECT, `converters` make a row's values the fields', and `parts` are the models a row has columns of.
    """

    text: str
    parameters: list[Any]
    places: list[int]
    converters: Sequence[tuple[int, tuple[Sequence[Callable[..., Any]], Any]]] = ()
    parts: Sequence[_Part] = ()

    def with_values(self, values: Sequence[Any]) -> list[Any]:
        """The parameters, with `values` at their places."""
        parameters = self.parameters.copy()
        for place, value in zip(self.places, values, strict=True):
            parameters[place] = value
        return parameters


class _Marks:
    """Stand-ins for the values of fields while a statement is compiled."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._marks = [object() for _field in fields]
        self.values = {field.name: RawSQL("%s", [mark]) for field, mark in zip(fields, self._marks, strict=True)}

    def places_in(self, parameters: Sequence[Any]) -> list[int]:
        """Where each field's value is among the statement's parameters."""
        return [next(place for place, found in enumerate(parameters) if found is mark) for mark in self._marks]


def _fields(model: type[models.Model], names: Sequence[str]) -> list[Field]:
    return [cast("Field", model._meta.get_field(name)) for name in names]


class PreparedSelect(Generic[Row]):
    """Finds one row by the values of some of its columns, with the rows it refers to, in one query.

    Args:
        model: whose row.
        by: the columns whose values `get()` takes; at most one row has them.
        related: the foreign keys to follow, one after the other, as in `("llm_client", "provider")`.
        rows: narrows the rows that may be found; called once, so nothing in it may depend on the moment.
        also: annotations of `rows` that the row gets as attributes.
    """

    def __init__(
        self,
        model: type[Row],
        *,
        by: Sequence[str],
        related: Sequence[str] = (),
        rows: Narrow = lambda rows: rows,
        also: Sequence[str] = (),
    ) -> None:
        self._model, self._related, self._rows, self._also = model, related, rows, also
        self._fields = _fields(model, by)
        self._statements: dict[str, _Statement] = {}

    def get(self, *values: Any, using: str | None = None) -> Row | None:
        """The row that has `values`, in the order of `by`; None where there is none.

        `using` is the database to read, that of the host's routers unless given.
        """
        alias = using or router.db_for_read(self._model)
        connection, statement = connections[alias], self._statements.get(alias)
        if statement is None:
            statement = self._statements[alias] = self._compiled(alias)
        adapted = [
            field.get_db_prep_value(value, connection) for field, value in zip(self._fields, values, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement.text, statement.with_values(adapted))
            found = cursor.fetchone()
        if found is None:
            return None
        values_found = list(found)
        row = _built(statement, values_found, connection)
        for name, value in zip(self._also, values_found[len(values_found) - len(self._also) :], strict=True):
            setattr(row, name, value)
        return cast("Row", row)

    def _compiled(self, alias: str) -> _Statement:
        marks, (parts, paths) = _Marks(self._fields), self._follow()
        rows = self._rows(self._model._default_manager.using(alias)).filter(**marks.values).order_by()
        compiler = rows.values_list(*paths, *self._also).query.get_compiler(alias)
        text, parameters = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, _sql, _alias in compiler.select])
        return _Statement(text, list(parameters), marks.places_in(parameters), list(converters.items()), parts)

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


class PreparedInsert(Generic[Row]):
    """Inserts rows as `save(force_insert=True)` does, but does not find out the keys that the database gives.

    Where somebody listens to the model's signals, it is just that.
    """

    def __init__(self, model: type[Row]) -> None:
        self._model = model
        self._fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
        self._statements: dict[str, str] = {}

    def insert(self, row: Row) -> None:
        """Insert `row`."""
        if pre_save.has_listeners(self._model) or post_save.has_listeners(self._model):
            row.save(force_insert=True)
            return
        alias = router.db_for_write(self._model, instance=row)
        connection, text = connections[alias], self._statements.get(alias)
        if text is None:
            text = self._statements[alias] = self._compiled(alias, row)
        values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in self._fields]
        _execute(connection, text, values)
        row._state.adding, row._state.db = False, alias

    def _compiled(self, alias: str, row: Row) -> str:
        query = sql.InsertQuery(self._model)
        query.insert_values(self._fields, [row])
        [(text, _parameters)] = query.get_compiler(alias).as_sql()
        return cast("str", text)


class PreparedUpdate:
    """Sets some columns of the rows that have given values in others, as `QuerySet.update()` does.

    Args:
        model: whose rows.
        by: the columns whose values choose the rows.
        columns: those that are set to values.
        also: those that are set to the same value or expression each time, by their names.
        rows: narrows the rows, as for `PreparedSelect`.
    """

    def __init__(
        self,
        model: type[models.Model],
        *,
        by: Sequence[str],
        columns: Sequence[str],
        also: Mapping[str, Any] | None = None,
        rows: Narrow = lambda rows: rows,
    ) -> None:
        self._model, self._rows, self._also = model, rows, dict(also or {})
        self._by, self._columns = _fields(model, by), _fields(model, columns)
        self._statements: dict[str, _Statement] = {}

    def update(self, *by: Any, **columns: Any) -> int:
        """Set `columns`, all of them, of the rows that have the values `by`; the number of rows."""
        alias = router.db_for_write(self._model)
        connection, statement = connections[alias], self._statements.get(alias)
        if statement is None:
            statement = self._statements[alias] = self._compiled(alias)
        values = [field.get_db_prep_value(value, connection) for field, value in zip(self._by, by, strict=True)]
        values += [field.get_db_prep_save(columns[field.name], connection) for field in self._columns]
        return _execute(connection, statement.text, statement.with_values(values))

    def _compiled(self, alias: str) -> _Statement:
        by, columns = _Marks(self._by), _Marks(self._columns)
        rows = self._rows(self._model._default_manager.using(alias)).filter(**by.values).order_by()
        query: Any = rows.query.chain(sql.UpdateQuery)
        query.add_update_values(columns.values | self._also)
        text, parameters = query.get_compiler(alias).as_sql()
        return _Statement(text, list(parameters), by.places_in(parameters) + columns.places_in(parameters))


def _execute(connection: BaseDatabaseWrapper, text: str, parameters: Sequence[Any]) -> int:
    with transaction.mark_for_rollback_on_error(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return int(cursor.rowcount)
