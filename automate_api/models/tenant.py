"""What every row of this package has: a tenant and a time of making."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.exceptions import ValidationError
from django.db import connections, models, router, transaction
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from automate_api.models.api_key import APIKey


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user inside one tenant, perhaps by an API key.

    Querysets and services ask it and nothing else; `tenant_id` is None where no tenant could be told, and then no row
    is visible.
    """

    user: Any
    tenant_id: str | None
    api_key: "APIKey | None" = None

    @property
    def is_staff(self) -> bool:
        """Whether the actor manages the tenant. A superuser has no more than this."""
        return bool(getattr(self.user, "is_staff", False))


class TenantQuerySet(models.QuerySet[Any]):
    """A queryset that knows who may read its rows."""

    def of_tenant(self, tenant_id: str | None) -> Self:
        """The rows of one tenant; none where there is no tenant."""
        return self.none() if tenant_id is None else self.filter(tenant_id=tenant_id)

    def readable_by(self, actor: Actor) -> Self:
        """The rows `actor` may read: by default every row of its tenant."""
        return self.of_tenant(actor.tenant_id)


class OwnedQuerySet(TenantQuerySet):
    """Rows that belong to the user who caused them; tenant staff see all."""

    def readable_by(self, actor: Actor) -> Self:
        rows = super().readable_by(actor)
        return rows if actor.is_staff else rows.filter(user_id=actor.user.pk)


class TenantModel(models.Model):
    """Abstract base of every model of this package."""

    tenant_id = models.CharField(_("tenant"), max_length=64)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


def require_same_tenant(row: TenantModel, *names: str) -> None:
    """Refuse a row whose foreign keys `names` lead into another tenant; only the admin could ask for that.

    Raises:
        ValidationError: one does.
    """
    for name in names:
        other = getattr(row, name, None)
        if other is not None and other.tenant_id != row.tenant_id:
            raise ValidationError({name: ValidationError(_("This belongs to another tenant."), code="other_tenant")})


class SavedAtOnce(models.Model):
    """Abstract: `save()` is one transaction with what its signals have others do."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As Django's, in a transaction of its own where there is none."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        if connections[using].in_atomic_block:
            super().save(*args, **kwargs)
            return
        with transaction.atomic(using=using):
            super().save(*args, **kwargs)


class Grant(models.Model):
    """Abstract: one user or one group that something is open to."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(Group, models.CASCADE, verbose_name=_("group"), null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


def grantees(grants: Iterable[Grant]) -> dict[str, list[Any]]:
    """Whom `grants` admit, as `{"users": [id], "groups": [id]}` in order."""
    return {
        "users": sorted(grant.user_id for grant in grants if grant.user_id is not None),
        "groups": sorted(grant.group_id for grant in grants if grant.group_id is not None),
    }


def granted_to(user: AbstractBaseUser) -> models.Q:
    """The condition on `Grant` rows that admit `user`, itself or through one of its groups."""
    groups = Group.objects.filter(user=user.pk).values("pk")
    return models.Q(user_id=user.pk) | models.Q(group_id__in=groups)


def one_grantee(name: str) -> models.CheckConstraint:
    """The constraint of every `Grant`: a user or a group, never both and never neither."""
    condition = models.Q(user__isnull=False, group__isnull=True) | models.Q(user__isnull=True, group__isnull=False)
    return models.CheckConstraint(condition=condition, name=name)
