"""Tenants and who belongs to them."""

from django.conf import settings
from django.db import models


class Tenant(models.Model):
    """A customer. Its id is what rows of `automate_api` carry as `tenant_id`."""

    id = models.SlugField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's place in a tenant. In this host a user has one."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membership")

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"
