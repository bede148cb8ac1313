"""Limits on the wire: what a 429 says, and the headers of the IETF's draft on rate limits.

`RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers-10: `q` is the quota, `w` the window in
seconds, `r` what remains of it, `t` the seconds until it begins anew. `Retry-After` is RFC 9110, section 10.2.3.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ErrorDetail, Throttled

from automate_api.exceptions import RateLimited, Usage

_UNSAFE = re.compile(r"[^A-Za-z0-9_.:*-]")


class LimitReached(Throttled):
    """429, for REST framework's own error handler as well as for ours, which finds the problem in `error`."""

    def __init__(self, error: RateLimited) -> None:
        super().__init__()
        self.error = error
        self.wait = error.retry_after
        self.detail = ErrorDetail(error.detail, self.default_code)


def counted(request: Any) -> dict[str, Usage | None]:
    """What this request has been counted against, by group: once, although views may ask several times."""
    plain = getattr(request, "_request", request)
    usages: dict[str, Usage | None] = plain.__dict__.setdefault("_automate_limits", {})
    return usages


def limit_headers(usages: Iterable[Usage]) -> Mapping[str, str]:
    """The two headers; none where nothing was counted. The tightest limit stands first."""
    usages = sorted(usages, key=lambda usage: usage.remaining)
    if not usages:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f"{_name(usage)};q={usage.quota};w={usage.window}" for usage in usages),
        "RateLimit": ", ".join(f"{_name(usage)};r={usage.remaining};t={usage.resets_in}" for usage in usages),
    }


def _name(usage: Usage) -> str:
    # A structured field's string (RFC 9651, section 3.3.3).
    return f'"{_UNSAFE.sub("_", usage.name)}"'
