"""Secrets at rest: encrypted in the database, hidden everywhere else.

A `SecretField` holds a `Secret`, which is ciphertext (Fernet: AES-128-CBC with HMAC-SHA256) until `reveal()` is called.
Assigning a string encrypts it at once, so that the clear text never sits on a model instance.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from automate_api.conf import settings
from automate_api.security.redaction import remember_revealed


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    keys = tuple(settings.encryption_keys)
    if not keys:
        raise ImproperlyConfigured(
            "AUTOMATE_API_ENCRYPTION_KEYS is empty, so no secret can be stored or read. Make a key with "
            "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`."
        )
    try:
        return _fernet(keys)
    except (ValueError, TypeError) as exc:
        raise ImproperlyConfigured("AUTOMATE_API_ENCRYPTION_KEYS has a value that is not a Fernet key.") from exc


class Secret:
    """An encrypted string. It is falsy when empty and shows nothing of itself in `str()` or `repr()`."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: str) -> None:
        self.ciphertext = ciphertext

    @classmethod
    def of(cls, plain: str) -> "Secret":
        """Encrypt `plain` with the first key; the empty string stays empty.

        Raises:
            ImproperlyConfigured: there is no valid key.
        """
        return cls(_current().encrypt(plain.encode()).decode() if plain else "")

    def reveal(self) -> str:
        """The clear text.

        Raises:
            ImproperlyConfigured: no key in `AUTOMATE_API_ENCRYPTION_KEYS` decrypts it.
        """
        if not self.ciphertext:
            return ""
        try:
            plain = _current().decrypt(self.ciphertext.encode()).decode()
        except InvalidToken as exc:
            raise ImproperlyConfigured("No key in AUTOMATE_API_ENCRYPTION_KEYS decrypts a stored secret.") from exc
        remember_revealed(plain)
        return plain

    def is_current(self) -> bool:
        """Whether the first key encrypted it (or it is empty), so that the other keys are not needed for it."""
        if not self.ciphertext:
            return True
        _current()
        try:
            Fernet(settings.encryption_keys[0]).decrypt(self.ciphertext.encode())
        except InvalidToken:
            return False
        return True

    def rotated(self) -> "Secret":
        """The same secret under the first key."""
        return Secret.of(self.reveal())

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.ciphertext == self.ciphertext

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"

    def __str__(self) -> str:
        return "***" if self else ""


class _SecretDescriptor:
    """Encrypts a string on assignment, and loads a deferred value on first read as Django's own attributes do."""

    def __init__(self, field: "SecretField") -> None:
        self.field = field

    @overload
    def __get__(self, instance: None, owner: type[models.Model]) -> "_SecretDescriptor": ...
    @overload
    def __get__(self, instance: models.Model, owner: type[models.Model]) -> Secret: ...
    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> "Secret | _SecretDescriptor":
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        secret: Secret = instance.__dict__[name]
        return secret

    def __set__(self, instance: models.Model, value: Secret | str | None) -> None:
        instance.__dict__[self.field.attname] = value if isinstance(value, Secret) else Secret.of(value or "")


if TYPE_CHECKING:
    _TextField = models.TextField[Secret | str, Secret]
else:
    _TextField = models.TextField


class SecretField(_TextField):
    """A text column that holds ciphertext. Its value is a `Secret`; a string assigned to it is encrypted.

    The column cannot be searched: two encryptions of one text differ.
    """

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SecretDescriptor(self))

    def from_db_value(self, value: str | None, expression: object, connection: BaseDatabaseWrapper) -> Secret:
        return Secret(value or "")

    def to_python(self, value: Any) -> Secret:
        # Only a deserializer hands text to this (forms assign): what `value_to_string` wrote is ciphertext already.
        return value if isinstance(value, Secret) else Secret(value or "")

    def get_prep_value(self, value: Any) -> str:
        return value.ciphertext if isinstance(value, Secret) else Secret.of(value or "").ciphertext

    def value_to_string(self, obj: models.Model) -> str:
        secret: Secret = self.value_from_object(obj)
        return secret.ciphertext

    def get_default(self) -> Secret:
        return Secret("")
