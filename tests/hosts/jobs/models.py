"""What the steps of jobs do."""

from django.db import models


class Effect(models.Model):
    """A step of a run was done. Nothing here is unique: what is done twice stands here twice."""

    run = models.UUIDField()
    key = models.CharField(max_length=50)
