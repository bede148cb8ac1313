"""What the services of the domain's nouns share: slugs, clashes and versions."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from automate_api.exceptions import Conflict, FieldError, InvalidInput, NotFound, PermissionDenied
from automate_api.models.tenant import Actor
from automate_api.services.client_changes import ending_what_is_undone

Row = TypeVar("Row", bound=models.Model)

_SLUG_LENGTH = 64
_MOST_ATTEMPTS = 10


def tenant_of(actor: Actor) -> str:
    """The tenant to create in.

    Raises:
        PermissionDenied: there is none.
    """
    if actor.tenant_id is None:
        raise PermissionDenied(_("There is no tenant to create this in."))
    return actor.tenant_id


def create_named(rows: models.QuerySet[Any], fields: dict[str, Any], create: Callable[[dict[str, Any]], Row]) -> Row:
    """What `create` makes of `fields`, in one transaction; with a slug made of the name where there is none.

    Where somebody else takes that slug at the same moment, another is tried. A slug that the caller named is not
    replaced.

    Args:
        rows: those among which the slug is unique.
        fields: the row's columns; `name` is there.
        create: saves a new row with the columns it is given.

    Raises:
        Conflict: the slug that the caller named is taken, or something else that must be unique.
        InvalidInput: a field does not fit its column.
    """
    if fields.get("slug"):
        with storing():
            return create(fields)
    for attempt in range(_MOST_ATTEMPTS):
        # Losers of the same race would meet again at the next free slug, so they spread out.
        slug = free_slug(rows, fields["name"], skip=secrets.randbelow(2**attempt))
        try:
            with storing():
                return create({**fields, "slug": slug})
        except Conflict:
            if not rows.filter(slug=slug).exists():
                raise
    raise Conflict(_("Too many are made with this name at once. Name a slug."))


def free_slug(rows: models.QuerySet[Any], name: str, *, skip: int = 0) -> str:
    """A slug made of `name` that none of `rows` has, after `skip` others: `chat`, `chat-2`, `chat-3` …

    Two callers at once may get the same; the unique constraint decides between them.
    """
    base = slugify(name)[: _SLUG_LENGTH - 24]
    if not base or base.isdigit():
        # A slug of digits alone would be taken for an id.
        base = f"{rows.model._meta.model_name}-{base}".rstrip("-")  # noqa: SLF001 - Django's public _meta
    taken = set(rows.filter(slug__startswith=base).values_list("slug", flat=True))
    number, slug = 1, base
    while slug in taken or skip:
        skip -= slug not in taken
        number += 1
        slug = f"{base}-{number}"
    return slug


@contextmanager
def storing(clash: Any = None) -> Iterator[None]:
    """One transaction in which a clash with a unique constraint is a `Conflict` and a bad value an `InvalidInput`."""
    try:
        with ending_what_is_undone(), transaction.atomic():
            yield
    except IntegrityError as exc:
        raise Conflict(clash or _("Another one already has this name or slug.")) from exc
    except ValidationError as exc:
        raise InvalidInput(_field_errors(exc)) from exc


def locked(row: Row) -> Row:
    """The same row as it is now, locked until the transaction ends.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    manager = type(row)._default_manager  # noqa: SLF001 - Django's public name for it
    current = manager.select_for_update().filter(pk=row.pk).first()
    if current is None:
        raise NotFound
    return current


def assign(row: models.Model, fields: Mapping[str, Any]) -> None:
    """Set `fields` on `row` and check each of its own columns.

    A row that a foreign key was set to has been read, so nobody looks again whether it exists; the database will.

    Raises:
        ValidationError: a value does not fit its column.
    """
    for name, value in fields.items():
        setattr(row, name, value)
    row.clean_fields(exclude=_read_before(row))


def _read_before(row: models.Model) -> set[str]:
    """The foreign keys of `row` whose own rows came from the database."""
    fields: list[Any] = [field for field in row._meta.concrete_fields if field.is_relation]  # noqa: SLF001 - public
    others = {field.name: field.get_cached_value(row, default=None) for field in fields}
    return {name for name, other in others.items() if other is not None and not other._state.adding}  # noqa: SLF001


def delete(row: models.Model, *, in_use: Any) -> None:
    """Delete `row`.

    Raises:
        Conflict: something that must not lose it still refers to it; `in_use` says what.
    """
    try:
        row.delete()
    except (ProtectedError, IntegrityError) as exc:
        # The latter where somebody began to use it between the look and the deletion.
        raise Conflict(in_use) from exc


def set_grants(grants: Any, **grantees: Any) -> None:
    """Make `grants` (a related manager of `Grant` rows) exactly the given `user` and `group` lists; one left out stays.

    Whoever is named twice is granted once.
    """
    for kind, chosen in grantees.items():
        grants.filter(**{f"{kind}__isnull": False}).delete()
        grants.bulk_create([grants.model(**grants.core_filters, **{kind: grantee}) for grantee in set(chosen)])


def _field_errors(exc: ValidationError) -> list[FieldError]:
    if not hasattr(exc, "error_dict"):
        return [FieldError("", error.code or "invalid", " ".join(error.messages)) for error in exc.error_list]
    return [
        FieldError(field, error.code or "invalid", " ".join(error.messages))
        for field, errors in exc.error_dict.items()
        for error in errors
    ]
