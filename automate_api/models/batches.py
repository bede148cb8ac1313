"""Many rows by one statement, whatever their number.

Django adapts and binds each value of each row by itself, which takes longer than all the rest. Here what differs from
row to row goes to PostgreSQL as one parameter of JSON, and to SQLite row by row into a statement compiled once.
"""

# ruff: noqa: SLF001, S608 - `_meta` is Django's public name; what is put into statements are names of columns

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


class BatchInsert:
    """Inserts rows but for those that are there already. No signals are sent, as by `bulk_create()`.

    Args:
        model: whose rows.
        columns: those that differ from row to row, by the names of their fields.
        unique: the fields of the unique constraint by which a row is known.
    """

    def __init__(self, model: type[models.Model], *, columns: Sequence[str], unique: Sequence[str]) -> None:
        self._model = model
        self._fields, self._unique = _fields(model, columns), _fields(model, unique)

    def insert(self, rows: Sequence[Mapping[str, Any]], **same: Any) -> int:
        """Insert `rows`, which have all of `columns`, and in each the columns `same`; how many were not there.

        Args:
            rows: values as their fields have them when they are read, such as a UUID and not its text.
            same: what all rows have, by the names of the fields.
        """
        connection = connections[router.db_for_write(self._model)]
        fields = _fields(self._model, list(same))
        common = [field.get_db_prep_save(same[field.name], connection) for field in fields]
        columns = _listed(connection, [*self._fields, *fields])
        into = f"INSERT INTO {_quoted(connection, self._model._meta.db_table)} ({columns})"
        unless = f"ON CONFLICT ({_listed(connection, self._unique)}) DO NOTHING"
        insert = self._insert_recordset if connection.vendor == "postgresql" else self._insert_each
        with transaction.mark_for_rollback_on_error(using=connection.alias):
            return insert(connection, into, unless, rows, common)

    def _insert_recordset(
        self, connection: BaseDatabaseWrapper, into: str, unless: str, rows: Sequence[Any], common: list[Any]
    ) -> int:
        types = (f"{_quoted(connection, field.column)} {field.db_type(connection)}" for field in self._fields)
        marks = ", ".join([_listed(connection, self._fields), *("%s" for _value in common)])
        text = f"{into} SELECT {marks} FROM json_to_recordset(%s::json) AS r({', '.join(types)}) {unless}"
        with connection.cursor() as cursor:
            cursor.execute(text, [*common, json.dumps(rows, default=str)])
            return int(cursor.rowcount)

    def _insert_each(
        self, connection: BaseDatabaseWrapper, into: str, unless: str, rows: Sequence[Any], common: list[Any]
    ) -> int:
        columns = [map(_adapter(field, connection), [row[field.name] for row in rows]) for field in self._fields]
        marks = ", ".join("%s" for _value in [*columns, *common])
        with connection.cursor() as cursor:
            values = list(zip(*columns, *map(repeat, common), strict=False))
            cursor.executemany(f"{into} VALUES ({marks}) {unless}", values)
            return int(cursor.rowcount)


class BatchKeys:
    """Finds the primary keys, UUIDs, of those rows that have one of many combinations of texts, in one query.

    Args:
        model: whose rows.
        by: the fields that make a combination; texts.
        same: the fields that have the same value for all.
    """

    def __init__(self, model: type[models.Model], *, by: Sequence[str], same: Sequence[str]) -> None:
        self._model, self._by, self._same = model, _fields(model, by), _fields(model, same)

    def find(self, wanted: Sequence[tuple[str, ...]], *same: Any) -> dict[tuple[str, ...], UUID]:
        """The keys of the rows with one of the combinations `wanted` and the values `same`, by the combination."""
        connection = connections[router.db_for_write(self._model)]
        with connection.cursor() as cursor:
            cursor.execute(self._text(connection), [json.dumps(wanted), *same])
            return {tuple(row[1:]): _uuid(row[0]) for row in cursor.fetchall()}

    def _text(self, connection: BaseDatabaseWrapper) -> str:
        # One list after the other is looked up in the index, however many there are.
        is_postgresql = connection.vendor == "postgresql"
        each = "json_array_elements(%s::json) AS w(value)" if is_postgresql else "json_each(%s) AS w"
        member = "w.value ->> {}" if is_postgresql else "json_extract(w.value, '$[{}]')"
        columns = [f"t.{_quoted(connection, field.column)}" for field in [_primary(self._model), *self._by]]
        equal = [f"{column} = {member.format(place)}" for place, column in enumerate(columns[1:])]
        equal += [f"t.{_quoted(connection, field.column)} = %s" for field in self._same]
        table = f"{_quoted(connection, self._model._meta.db_table)} AS t"
        return f"SELECT {', '.join(columns)} FROM {each} CROSS JOIN {table} WHERE {' AND '.join(equal)}"


def _adapter(field: Any, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """What makes of a value, which fits the field, what SQLite stores. Django's own would check it once more."""
    match field.get_internal_type():
        case "CharField":
            return _as_it_is
        case "UUIDField":
            return lambda value: value.hex
        case "DateTimeField" if settings.USE_TZ:
            return lambda value: str(value.astimezone(connection.timezone).replace(tzinfo=None))
        case "JSONField":
            return lambda value: connection.ops.adapt_json_value(value, field.encoder)
    return lambda value: field.get_db_prep_save(value, connection)


def _as_it_is(value: Any) -> Any:
    return value


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _fields(model: type[models.Model], names: Sequence[str]) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def _primary(model: type[models.Model]) -> Any:
    return model._meta.pk


def _listed(connection: BaseDatabaseWrapper, fields: Sequence[Any]) -> str:
    return ", ".join(_quoted(connection, field.column) for field in fields)


def _quoted(connection: BaseDatabaseWrapper, name: str) -> str:
    return connection.ops.quote_name(name)
