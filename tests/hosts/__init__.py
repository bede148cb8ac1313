"""Hosts: small Django projects and apps that use the package as a reader could."""
