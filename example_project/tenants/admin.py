"""Tenants in the Django admin."""

from django.contrib import admin

from example_project.tenants.models import Membership, Tenant


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for mypy alone
    """A tenant's members, on the tenant's page."""

    model = Membership
    extra = 0


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tenants with their members."""

    inlines = (MembershipInline,)
    list_display = ("id", "name")
