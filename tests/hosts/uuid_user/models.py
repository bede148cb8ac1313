"""Users."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone


class PersonManager(BaseUserManager["Person"]):
    """Makes people."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Somebody new."""
        person = self.model(email=self.normalize_email(email), **fields)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    """A user without a username, and without a column `is_active`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    left_at = models.DateTimeField(null=True)
    is_staff = models.BooleanField(default=False)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django allows for it, and its stubs do not
        """Whether the person may sign in."""
        return self.left_at is None

    @is_active.setter
    def is_active(self, value: bool) -> None:
        self.left_at = None if value else timezone.now()
