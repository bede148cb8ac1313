"""What calls to model servers may reach."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register

from automate_api.checks.reading import TAG, in_production, listed
from automate_api.conf import settings
from automate_api.security.addresses import Network, parse_entry

# Where clouds give a machine its credentials, without asking who asks.
_METADATA = tuple(map(ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")))
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
# The largest private networks are 10.0.0.0/8 and fc00::/7.
_LARGEST = {4: 8, 6: 7}


@register(TAG)
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    """E004: an entry of `AUTOMATE_API_PRIVATE_HOSTS` cannot be read."""
    hint = "Write a host, host:port, an address, or a network such as 10.0.0.0/8."
    return [
        Error(f"AUTOMATE_API_PRIVATE_HOSTS[{place}] cannot be read: {what}.", hint=hint, id="automate_api.E004")
        for place, what in _entries()
        if isinstance(what, ValueError)
    ]


@in_production
def check_openings(**kwargs: Any) -> list[CheckMessage]:
    """W023: an entry of `AUTOMATE_API_PRIVATE_HOSTS` admits a cloud's credentials, or more than a private network."""
    hint = "Whoever may write a provider could have this machine call there. Name the model server alone."
    return [
        checks.Warning(f"AUTOMATE_API_PRIVATE_HOSTS[{place}] admits {much}.", hint=hint, id="automate_api.W023")
        for place, what in _entries()
        if (much := _too_much(what))
    ]


def _entries() -> Iterator[tuple[int, str | Network | ValueError]]:
    """Each entry's place and what it says, or what is wrong with it."""
    for place, entry in enumerate(listed(settings.private_hosts)):
        try:
            yield place, parse_entry(entry)[0]
        except (ValueError, TypeError) as exc:
            yield place, ValueError(str(exc))


def _too_much(what: str | Network | ValueError) -> str | None:
    if isinstance(what, ValueError):
        return None
    if isinstance(what, str):
        return "the address where a cloud gives out credentials" if what in _METADATA_NAMES else None
    if what.prefixlen < _LARGEST[what.version]:
        return "far more than a private network"
    if any(address in what for address in _METADATA):
        return "the address where a cloud gives out credentials"
    return None
