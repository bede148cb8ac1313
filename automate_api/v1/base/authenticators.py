"""The authenticators a host configures, as a class attribute that reads the setting when it is used."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication

from automate_api.conf import settings


class ConfiguredAuthenticators(Sequence[type[BaseAuthentication]]):
    """The classes of `AUTOMATE_API_AUTHENTICATION_CLASSES` now, in their order."""

    def __iter__(self) -> Iterator[type[BaseAuthentication]]:
        return iter([import_string(path) for path in settings.authentication_classes])

    @overload
    def __getitem__(self, index: int) -> type[BaseAuthentication]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[type[BaseAuthentication]]: ...
    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]

    def __len__(self) -> int:
        return len(settings.authentication_classes)
