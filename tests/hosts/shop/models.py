"""Tables of a host: rows with a tenant, with a tenant further up, and with none."""

import uuid
from typing import Any

from django.db import models


class Organization(models.Model):
    """What this host's tenants are."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """Belongs to a tenant by a foreign key."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """Belongs to a tenant through its project."""

    project = models.ForeignKey(Project, models.CASCADE, null=True)
    name = models.CharField(max_length=50)
    tags = models.ManyToManyField(Organization, related_name="tagged_tasks")

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """Belongs to a tenant by a plain column; has columns of every kind that a list may be ordered by."""

    tenant_id = models.CharField(max_length=64, default="default")
    name = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, choices=[("new", "New"), ("used", "Used")], default="new")
    created_at = models.DateTimeField(null=True)
    rank = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    weight = models.FloatField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    lasts = models.DurationField(null=True)
    code = models.UUIDField(default=uuid.uuid4)
    sold = models.BooleanField(default=False)
    project = models.ForeignKey(Project, models.CASCADE, null=True)
    notes: Any = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
