"""System checks: what would only be found out in production otherwise. Ids are never used again."""

from automate_api.checks import (
    catalogue,
    deployment,
    files,
    installation,
    jobs,
    organization,
    outbound,
    tenancy,
    values,
)

__all__ = ["catalogue", "deployment", "files", "installation", "jobs", "organization", "outbound", "tenancy", "values"]
