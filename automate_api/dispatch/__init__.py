"""Dispatchers: how a job's id gets to a worker."""
