"""Organizations."""

from django.conf import settings
from django.db import models


class Organization(models.Model):
    """A tenant."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Which organization somebody is of."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    organization = models.ForeignKey(Organization, models.CASCADE)


class Project(models.Model):
    """A row of the host's own."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name
