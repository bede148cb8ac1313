"""Positions in an ordered queryset, and the rows beyond one.

The order is made total by the primary key, and a row's values in it are its position. The rows beyond a position are
found by comparing values, so that rows made or deleted meanwhile shift nothing: each row that stays is met once. NULLs
have the place the database gives them, or the one the order asks for.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connections
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order. `name` is what a filter calls it."""

    name: str
    descending: bool
    nullable: bool
    nulls_first: bool

    def reversed(self) -> "Term":
        """The same column the other way round."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def at(self, value: Any) -> Q:
        """Rows with this value."""
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def beyond(self, value: Any) -> Q | None:
        """Rows that come after this value; None if there can be none."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.nulls_first else None
        rows = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        return rows | Q(**{f"{self.name}__isnull": True}) if self.nullable and not self.nulls_first else rows

    def order(self) -> OrderBy:
        """The term for `order_by`. NULLs are mentioned only where there are some, for an index to serve the rest."""
        if not self.nullable:
            return OrderBy(F(self.name), descending=self.descending)
        place = {"nulls_first": True} if self.nulls_first else {"nulls_last": True}
        return OrderBy(F(self.name), descending=self.descending, **place)


@dataclass(frozen=True, slots=True)
class Keyset:
    """A totally ordered queryset."""

    queryset: QuerySet[Any]
    terms: tuple[Term, ...]

    @property
    def spec(self) -> str:
        """What a cursor is bound to: the model and the order."""
        terms = (f"{'-' if t.descending else ''}{t.name}{'^' if t.nulls_first else ''}" for t in self.terms)
        return f"{self.queryset.model._meta.label_lower}:{','.join(terms)}"  # noqa: SLF001 - Django's public name

    def position_of(self, row: Any) -> list[Any]:
        """The row's values in the order."""
        if isinstance(row, Mapping):
            return [row[term.name] for term in self.terms]
        return [getattr(row, term.name) for term in self.terms]

    def rows(self, position: Sequence[Any] | None, *, backward: bool, inclusive: bool, limit: int) -> list[Any]:
        """At most `limit` rows from `position` on (None: from the start), nearest first.

        Args:
            backward: go towards the start.
            inclusive: a row that is exactly at the position is met too.
        """
        return list(self.select(position, backward=backward, inclusive=inclusive)[:limit])

    def select(self, position: Sequence[Any] | None, *, backward: bool, inclusive: bool) -> QuerySet[Any]:
        """All rows that `rows` would take from."""
        terms = tuple(term.reversed() for term in self.terms) if backward else self.terms
        queryset = self.queryset.order_by(*(term.order() for term in terms))
        return queryset if position is None else queryset.filter(_beyond(terms, position, inclusive=inclusive))


def _beyond(terms: Sequence[Term], position: Sequence[Any], *, inclusive: bool) -> Q:
    """`(a, b) > (x, y)`, spelled out since columns may go different ways: `a > x OR (a = x AND b > y)`."""
    alternatives, same = [], Q()
    for term, value in zip(terms, position, strict=True):
        beyond = term.beyond(value)
        if beyond is not None:
            alternatives.append(same & beyond)
        same &= term.at(value)
    if inclusive:
        alternatives.append(same)
    # A primary key is never NULL, so its term always gave an alternative.
    rows = reduce(or_, alternatives)
    first = terms[0]
    if first.nullable or len(terms) == 1:
        return rows
    # Implied by the rest, but databases use an index for this and not for a disjunction.
    return Q(**{f"{first.name}__{'lte' if first.descending else 'gte'}": position[0]}) & rows


def keyset(queryset: QuerySet[Any], default: Sequence[str]) -> Keyset:
    """`queryset` in its own order (`order_by`), else in the `default` one, made total by the primary key.

    Raises:
        ImproperlyConfigured: the order is random or cannot be paged through.
    """
    order = list(queryset.query.order_by) or list(default)
    terms: list[Term] = []
    for index, item in enumerate(order):
        queryset, term = _term(queryset, item, f"_keyset_{index}")
        terms.append(term)
        if term.name == _key(queryset.model).attname:
            break
    else:
        terms.append(Term(_key(queryset.model).attname, bool(terms) and terms[-1].descending, False, False))
    return Keyset(queryset, tuple(terms))


def _term(queryset: QuerySet[Any], item: Any, alias: str) -> tuple[QuerySet[Any], Term]:
    order = _order_by(item)
    expression = order.expression
    name: str | None = getattr(expression, "name", None) if isinstance(expression, F) else None
    column = _column(queryset.model, name) if name else None
    if column is not None:
        name = column.attname
    elif name is None or name not in queryset.query.annotations:
        # A path or an expression: the row must carry its value for the next page to begin there.
        queryset, name = queryset.annotate(**{alias: expression}), alias
    nullable = column is None or column.null
    term = Term(name, order.descending, nullable, _nulls_first(queryset, order))
    return queryset, term


def _order_by(item: Any) -> OrderBy:
    if isinstance(item, OrderBy):
        return item
    if isinstance(item, str) and item != "?":
        return OrderBy(F(item.removeprefix("-").removeprefix("+")), descending=item.startswith("-"))
    if hasattr(item, "asc") and not isinstance(item, str):
        ascending: OrderBy = item.asc()
        return ascending
    raise ImproperlyConfigured(f"Pages cannot be made of rows ordered by {item!r}.")


def _nulls_first(queryset: QuerySet[Any], order: OrderBy) -> bool:
    if order.nulls_first or order.nulls_last:
        return bool(order.nulls_first)
    largest: bool = connections[queryset.db].features.nulls_order_largest
    return largest is order.descending


def _column(model: type[Model], name: str) -> "Field[Any, Any] | None":
    """The model's own column of that name; None for a path, an annotation or a transform."""
    try:
        field = _key(model) if name == "pk" else model._meta.get_field(name)  # noqa: SLF001 - Django's public name
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) and field.concrete else None


def _key(model: type[Model]) -> "Field[Any, Any]":
    return model._meta.pk  # noqa: SLF001 - Django's public name


_MICROSECOND = datetime.timedelta(microseconds=1)

# How a position's values travel in a cursor: a tag for the type, and JSON that gives the very same value back.
# A type stands before those it is a subclass of.
_CODECS: Mapping[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "n": (type(None), lambda value: None, lambda value: None),
    "b": (bool, bool, bool),
    "i": (int, int, int),
    "f": (float, float, float),
    "s": (str, str, str),
    "d": (Decimal, str, Decimal),
    "u": (UUID, str, UUID),
    "dt": (datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    "da": (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "ti": (datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    "td": (datetime.timedelta, lambda value: value // _MICROSECOND, lambda value: value * _MICROSECOND),
}


def encode_value(value: Any) -> list[Any]:
    """A value as JSON can carry it.

    Raises:
        ImproperlyConfigured: values of its type cannot be carried.
    """
    for tag, (kind, encode, _decode) in _CODECS.items():
        if isinstance(value, kind):
            return [tag, encode(value)]
    raise ImproperlyConfigured(f"Pages cannot be made of rows ordered by values of type {type(value).__name__}.")


def decode_value(encoded: Sequence[Any]) -> Any:
    """What `encode_value` encoded."""
    tag, value = encoded
    return _CODECS[tag][2](value)
