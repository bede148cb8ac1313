"""System checks: what would only be found out in production otherwise. Ids are never used again."""

from automate_api.checks import catalogue, deployment, installation, outbound, tenancy, values

__all__ = ["catalogue", "deployment", "installation", "outbound", "tenancy", "values"]
