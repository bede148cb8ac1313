"""A host's tables."""

from typing import Any

from django.db import models
from django.utils import timezone


def tenant_of(user: Any) -> str:
    """The tenant of a user; nobody needs a query to know it."""
    return str(user.last_name)


def tenant_of_request(request: Any) -> str | None:
    """The same, as the package's resolver."""
    return tenant_of(request.user) if request.user.is_authenticated else None


class Category(models.Model):
    """What items are filtered by."""

    tenant_id = models.CharField(max_length=64)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """Twelve columns of the usual kinds."""

    tenant_id = models.CharField(max_length=64)
    category = models.ForeignKey(Category, models.CASCADE)
    status = models.CharField(max_length=16)
    title = models.CharField(max_length=60)
    asked = models.IntegerField()
    answered = models.IntegerField()
    payload: Any = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("tenant_id", "-created_at", "-id"), name="bench_item_list"),
            models.Index(fields=("tenant_id", "category", "-created_at", "-id"), name="bench_item_category"),
        )

    def __str__(self) -> str:
        return self.title
