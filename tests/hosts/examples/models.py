"""What the examples are about."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest


class Organization(models.Model):
    """A tenant."""

    name = models.CharField(max_length=50)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="organizations")

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """Of a tenant, and of those who work on it."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    name = models.CharField(max_length=50)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="projects")

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    """Of a project."""

    project = models.ForeignKey(Project, models.CASCADE)
    text = models.CharField(max_length=50)
    active = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.text


def organization_of(request: HttpRequest) -> int | None:
    """The resolver: a user's organization."""
    user: Any = request.user
    organization = user.organizations.first() if user.is_authenticated else None
    return organization.pk if organization else None


class Colleague(User):
    """A user under another name, as a host's admin may show it."""

    class Meta:
        proxy = True
