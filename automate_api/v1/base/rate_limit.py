"""Limits of a view, counted for each caller."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.views import APIView

from automate_api.exceptions import RateLimited, Usage
from automate_api.security import limits
from automate_api.v1.base.order import ViewMixin
from automate_api.v1.base.tenant import tenant_of_request
from automate_api.v1.callers import address_of, user_or_address
from automate_api.v1.limits import LimitReached, counted, limit_headers

if TYPE_CHECKING:
    _View = APIView
else:
    _View = object


class LimitedView(ViewMixin, _View):
    """What limits of a view share: counting once a request, and telling the caller."""

    def count_against(self, request: Request, rate: str, *, group: str, caller: str, name: str) -> None:
        """Count this request, once however often it is asked for.

        Raises:
            LimitReached: it is one too many, or the counters do not answer (429).
            ImproperlyConfigured: `rate` is none.
        """
        if not limits.is_rate(rate):
            raise ImproperlyConfigured(f"{type(self).__name__}: {rate!r} is not a rate such as '100/hour'.")
        usages = counted(request)
        if group in usages:
            return
        usages[group] = None
        try:
            usages[group] = limits.count(group, caller, rate, name=name)
        except RateLimited as exc:
            usages[group] = exc.usage
            raise LimitReached(exc) from exc

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """REST framework's response, with what is left of the limits."""
        response = super().finalize_response(request, response, *args, **kwargs)
        usages: list[Usage] = [usage for usage in counted(request).values() if usage is not None]
        for name, value in limit_headers(usages).items():
            response.headers.setdefault(name, value)
        return response


class RateLimitMixin(LimitedView):
    """Admits each caller so and so often; past that 429, with what the limit is and when to come back.

    Requests are counted in `check_permissions()`, once somebody is signed in and before the view's own permissions:
    `permission_classes` and `get_throttles()` change nothing about it.

    Override:
        rate_limit ("100/hour"): such as `10/m` or `5/30s`; None: `get_setting("RATE_LIMIT")`, or no limit without it.
        rate_limit_key ("user"): who is counted: `"user"` (the address of whoever is not signed in), `"ip"`, `"tenant"`,
            or a callable `(request) -> str`.
        rate_limit_group (None): views of the same group and rate share a count; None: each view has its own.
        get_rate_limit(): the rate for this request; None: no limit.
    """

    rate_limit: str | None = "100/hour"
    rate_limit_key: str | Callable[..., str] = "user"
    rate_limit_group: str | None = None

    def get_rate_limit(self) -> str | None:
        """The rate that counts for this request; None: no limit."""
        if self.rate_limit is not None:
            return self.rate_limit
        get_setting: Callable[[str], Any] | None = getattr(self, "get_setting", None)
        rate: str | None = get_setting("RATE_LIMIT") if get_setting else None
        return rate

    def check_permissions(self, request: Request) -> None:
        """Count the request, then the view's own permissions.

        Raises:
            LimitReached: it is one too many (429).
        """
        rate = self.get_rate_limit()
        if rate is not None:
            cls = type(self)
            group = self.rate_limit_group or f"{cls.__module__}.{cls.__qualname__}"
            name = self.rate_limit_group or getattr(self, "scope_resource", None) or cls.__name__
            self.count_against(request, rate, group=group, caller=self._caller(request), name=name)
        super().check_permissions(request)

    def _caller(self, request: Request) -> str:
        key = inspect.getattr_static(self, "rate_limit_key")
        if key == "user":
            return user_or_address(request)
        if key == "ip":
            return f"ip:{address_of(request._request)}"  # noqa: SLF001 - REST framework's documented way to Django's request
        if key == "tenant":
            tenant = tenant_of_request(request)
            return user_or_address(request) if tenant is None else f"tenant:{tenant}"
        if isinstance(key, str) or not callable(self.rate_limit_key):
            raise ImproperlyConfigured(f"{type(self).__name__}.rate_limit_key is none: {key!r}.")
        return f"own:{_called(key, self, request)}"


def _called(key: Any, view: Any, request: Request) -> Any:
    """What a callable of a class body says, written with `self` or without."""
    if inspect.isfunction(key):
        needed = [each for each in inspect.signature(key).parameters.values() if each.default is each.empty]
        return key(view, request) if len(needed) > 1 else key(request)
    return view.rate_limit_key(request)
