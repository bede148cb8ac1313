"""What the steps of jobs and the handlers of events do."""

from django.db import models


class Effect(models.Model):
    """A step of a run was done. Nothing here is unique: what is done twice stands here twice."""

    run = models.UUIDField()
    key = models.CharField(max_length=50)


class Handled(models.Model):
    """A handler was called with an event. Nothing here is unique either."""

    event = models.UUIDField()
    handler = models.CharField(max_length=50)
