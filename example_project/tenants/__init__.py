"""Tenants of the example host: who belongs where."""
