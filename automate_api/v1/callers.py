"""Who is counted: a caller's name in the counters of limits, and the address a request came from."""

import ipaddress
from typing import Any

from django.http import HttpRequest

from automate_api.conf import settings

# A household or a server has a network of this size to itself, and as many addresses as it likes.
_IPV6_NETWORK = 64


def address_of(request: HttpRequest) -> str:
    """The caller's IP address; of IPv6 the network of 64 bits. `"unknown"` where the server tells none.

    It is `REMOTE_ADDR`. Behind `AUTOMATE_API_PROXY_COUNT` proxies it is what the outermost of them added to
    `X-Forwarded-For`; whatever stands further left in that header is the caller's to write.
    """
    return _network(_forwarded(request) or request.META.get("REMOTE_ADDR", ""))


def _forwarded(request: HttpRequest) -> str | None:
    proxies = settings.proxy_count
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    return hops[-proxies] if 0 < proxies <= len(hops) else None


def _network(address: str) -> str:
    # Some proxies add brackets, or the port.
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False).network_address)


def user_or_address(request: Any) -> str:
    """The signed-in user, else the address."""
    if getattr(request.user, "is_authenticated", False):
        return f"user:{request.user.pk}"
    return f"ip:{address_of(request._request)}"  # noqa: SLF001 - REST framework's documented way to Django's request
