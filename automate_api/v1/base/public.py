"""Views for everybody."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request

from automate_api.v1.base.rate_limit import LimitedView
from automate_api.v1.base.staff import StaffOnlyMixin
from automate_api.v1.callers import address_of


class PublicAPIMixin(LimitedView):
    """Needs nobody to be signed in, and is always limited for each address.

    Override:
        public_rate_limit ("10/minute"): how often an address is admitted.
        permission_classes (`()`): further permissions.
    """

    public_rate_limit = "10/minute"
    permission_classes: Any = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if issubclass(cls, StaffOnlyMixin):
            raise TypeError(f"{cls.__name__} is for everybody and for staff only: leave one of the two mixins out.")

    def perform_authentication(self, request: Request) -> None:
        """Count the request for its address, before credentials are looked at: who guesses them is counted too.

        Raises:
            LimitReached: it is one too many (429).
            ImproperlyConfigured: there is no limit.
        """
        self._count(request)
        super().perform_authentication(request)

    def check_permissions(self, request: Request) -> None:
        """The view's own permissions; the request is counted, also where a host authenticates in its own way."""
        self._count(request)
        super().check_permissions(request)

    def _count(self, request: Request) -> None:
        if not self.public_rate_limit:
            raise ImproperlyConfigured(f"{type(self).__name__} is public, so it needs a public_rate_limit.")
        cls = type(self)
        plain = request._request  # noqa: SLF001 - REST framework's documented way to Django's request
        self.count_against(
            request,
            self.public_rate_limit,
            group=f"{cls.__module__}.{cls.__qualname__}.public",
            caller=f"ip:{address_of(plain)}",
            name="public",
        )

    def check_authenticated(self, request: Request) -> None:
        """Everybody is let in."""

    def check_scope(self, request: Request) -> None:
        """What everybody may do, any API key may."""
