"""Walks over every route of the packages: who may ask what, and what no request may do."""
