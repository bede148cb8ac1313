"""Definitions of workflows: their form, their values, and what may be wrong with them."""
